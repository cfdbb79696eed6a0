"""Means over clips with bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_DRAWS = 2_000
_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate95:
    """A mean over clips and its 95 % interval."""

    value: float
    low: float | None
    high: float | None
    clips: int


def bootstrapped(values: Sequence[float], seed: int = 0) -> Estimate95:
    """The mean, and how far it goes to and fro when as many clips are drawn again and again.

    Args:
        values: One of each clip; at least one.
        seed: Of the draws.
    """
    of_clips = np.asarray(values, float)
    mean = float(of_clips.mean())
    if len(of_clips) < 2:
        return Estimate95(mean, None, None, len(of_clips))
    drawn = np.random.default_rng(seed).integers(len(of_clips), size=(_DRAWS, len(of_clips)))
    ends = np.quantile(of_clips[drawn].mean(1), [(1 - _SHARE) / 2, (1 + _SHARE) / 2])
    return Estimate95(mean, float(ends[0]), float(ends[1]), len(of_clips))
