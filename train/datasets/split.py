"""The part of a training set that is never trained on."""

import numpy as np

from .sample import Sample

HELD_OUT_SHARE = 0.1
HELD_OUT_SEED = 0
"""Which photographs are never trained on; one choice for training, calibration and benchmarks."""


def hold_out(
    samples: list[Sample], share: float = HELD_OUT_SHARE, seed: int = HELD_OUT_SEED
) -> tuple[list[Sample], list[Sample]]:
    """Split into (training, held out) by photograph, the same for every run with this seed.

    Args:
        samples: Faces of one data set.
        share: Of the photographs that is held out.
        seed: Of the shuffle.
    """
    photographs = sorted({_photograph(sample) for sample in samples})
    order = np.random.default_rng(seed).permutation(len(photographs))
    held = {photographs[i] for i in order[: round(share * len(photographs))]}
    training = [sample for sample in samples if _photograph(sample) not in held]
    return training, [sample for sample in samples if _photograph(sample) in held]


def _photograph(sample: Sample) -> str:
    return sample.photograph or sample.name
