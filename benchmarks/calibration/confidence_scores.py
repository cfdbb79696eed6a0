"""Does the confidence keep its word, and does it find the crops whose landmarks are wrong?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from rich.table import Table

from models.face_heads import PartFeatures
from models.torch_landmarker import load_network
from train.datasets import DataError
from train.fit_heads import RIGHT
from train.head_gathering import gather
from train.head_samples import HeadReader, HeadSamples
from train.reliability import auroc, reliability_gap

from ..harness import rich_table
from .picture_confidence import HARD

_TENTHS = 10


@dataclass(frozen=True, slots=True)
class ConfidenceScores:
    """Of one network on held-out crops."""

    crops: int
    auroc_right: float
    """Of landmarks with a mean error under 8 % of the eye distance, over all crops."""
    auroc_hard: float
    """Of a mean error under 6 %, over the crops that a tracker takes."""
    gap: float
    """Mean distance between confidence and truth, over tenths of the confidence."""
    tenths: tuple[tuple[float, float, int], ...]
    """The reliability diagram: mean confidence, share that is right, crops."""


def confidence_scores(data: Path, weights: str) -> ConfidenceScores:
    """Measure the confidence on crops of faces that are never trained on.

    Args:
        data: The folder that holds `300w`, `ytf68`, `free/heads` and `backgrounds`.
        weights: Name or path.

    Raises:
        DataError: If data are missing, or the network has no such head.
        CheckpointError: If the weights cannot be used.
    """
    network, info = load_network(weights)
    heads = network.heads
    if heads is None:
        raise DataError(f"{weights}: has no heads yet: python -m train.fit_heads adds them")
    samples = gather(data, HeadReader(network, info), held_out_only=True)
    with torch.inference_mode():
        seen = (
            torch.from_numpy(part.astype(np.float32)) for part in (samples.pooled, samples.maps)
        )
        confidence = torch.sigmoid(heads(PartFeatures(*seen)).log_odds).numpy()
    return scores_of(confidence, samples)


def scores_of(confidence: Float[np.ndarray, " crops"], samples: HeadSamples) -> ConfidenceScores:
    """The figures of what a network says about some crops."""
    right, usual = samples.error < RIGHT, samples.is_usual
    return ConfidenceScores(
        len(right),
        auroc(confidence, right),
        auroc(confidence[usual], samples.error[usual] < HARD),
        reliability_gap(confidence, right, _TENTHS),
        tuple(_tenth(confidence, right, number) for number in range(_TENTHS)),
    )


def _tenth(
    confidence: Float[np.ndarray, " crops"], right: Bool[np.ndarray, " crops"], number: int
) -> tuple[float, float, int]:
    inside = np.minimum((confidence * _TENTHS).astype(int), _TENTHS - 1) == number
    if not inside.any():
        return float("nan"), float("nan"), 0
    return float(confidence[inside].mean()), float(right[inside].mean()), int(inside.sum())


def reliability_table(of: ConfidenceScores) -> Table:
    """The reliability diagram, and the figures under it."""
    rows = [
        [f"{number / _TENTHS:.1f} to {(number + 1) / _TENTHS:.1f}", f"{100 * said:.1f}",
         f"{100 * is_so:.1f}", "#" * round(40 * is_so), str(count)]
        for number, (said, is_so, count) in enumerate(of.tenths)
        if count
    ]  # fmt: skip
    caption = (
        f"AUROC {of.auroc_right:.3f} of all crops (error under 8 %), {of.auroc_hard:.3f} of those "
        f"that a tracker takes (under 6 %); gap {100 * of.gap:.1f} points"
    )
    headings = ("confidence", "said, %", "right, %", "", "crops")
    return rich_table(headings, rows, title="confidence", caption=caption)
