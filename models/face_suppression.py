"""Non-maximum suppression of the cells of the face detector: one row a face."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

CHANNELS = 10
"""Per cell: score, centre x and y, side, then x and y of right eye, left eye and mouth."""
_OVERLAP = 0.5
"""Shared area over the smaller square's beyond which two squares are one face."""

Cells = Float[np.ndarray, "cells 10"]


def suppress(cells: Cells) -> Cells:
    """Non-maximum suppression: one row a face, strongest first.

    Neighbouring cells that mean the same face are averaged, weighed by their scores.

    Args:
        cells: Score, centre x and y, side, three points; any order.
    """
    rest = cells[np.argsort(-cells[:, 0], kind="stable")]
    kept = []
    while len(rest):
        shared, union = _shared_area(rest[0], rest)
        alike = shared / union > 0.6
        alike[0] = True
        mean = np.average(rest[alike], axis=0, weights=rest[alike, 0])
        mean[0] = rest[0, 0]
        kept.append(mean)
        smaller = np.minimum(rest[0, 3], rest[:, 3]) ** 2
        gone = shared / np.maximum(smaller, 1e-9) > _OVERLAP
        gone[0] = True
        rest = rest[~gone]
    return np.stack(kept) if kept else np.zeros((0, CHANNELS))


def without(cells: Cells, known: Sequence[tuple[float, float, float]]) -> Cells:
    """The cells that do not overlap known squares, as in `suppress`."""
    for x, y, side in known:
        square = np.array([0.0, x, y, side, *[0.0] * (CHANNELS - 4)])
        shared, _ = _shared_area(square, cells)
        smaller = np.minimum(side, cells[:, 3]) ** 2
        cells = cells[shared <= _OVERLAP * np.maximum(smaller, 1e-9)]
    return cells


def _shared_area(one: Float[np.ndarray, "10"], rows: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Of a square with each of others: shared area and union, both squares upright."""
    least = np.minimum(one[3], rows[:, 3])
    reach = (one[3] + rows[:, 3]) / 2
    width = np.clip(reach - np.abs(one[1] - rows[:, 1]), 0, least)
    height = np.clip(reach - np.abs(one[2] - rows[:, 2]), 0, least)
    shared = width * height
    return shared, np.maximum(one[3] ** 2 + rows[:, 3] ** 2 - shared, 1e-9)
