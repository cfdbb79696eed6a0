"""How far off landmarks are, in the field's own terms.

Errors are shares of a face's own yardstick; times 100 they are the per cent of the tables.
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from scipy.integrate import simpson

from tracker.layouts import COFW_29, IBUG_68, WFLW_98, Layout

Normaliser = Literal["ocular", "pupil", "box", "diagonal"]
"""Outer eye corners, pupils, square root of the landmarks' box's area, diagonal of that box."""

_PUPILS = {
    WFLW_98.name: ((96,), (97,)),
    IBUG_68.name: ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47)),
    COFW_29.name: ((16,), (17,)),
}
"""Landmarks whose mean is the right and the left pupil."""
_GRID_STEP = 1e-4


def normalisers(layout: Layout) -> tuple[Normaliser, ...]:
    """The yardsticks that the layout has the landmarks for; the published tables' one first."""
    if layout.name not in _PUPILS:
        return "ocular", "box", "diagonal"
    if layout.name == COFW_29.name:
        return "pupil", "ocular", "box", "diagonal"
    known: tuple[Normaliser, ...] = get_args(Normaliser)
    return known


def default_threshold(data_set: str) -> float:
    """Beyond which error a face is a failure in the data set's published tables."""
    return 0.05 if data_set == "300W" else 0.10


def normalised_mean_error(
    predicted: Float[np.ndarray, "faces landmarks xy=2"],
    truth: Float[np.ndarray, "faces landmarks xy=2"],
    layout: Layout,
    normaliser: Normaliser = "ocular",
) -> Float[np.ndarray, " faces"]:
    """Mean distance of each face over its yardstick.

    Args:
        predicted: Pixels.
        truth: Pixels.
        layout: Of the landmarks.
        normaliser: Length by which errors are divided.
    """
    error = np.linalg.norm(predicted - truth, axis=-1).mean(-1)
    return error / yardstick(truth, layout, normaliser)


def yardstick(
    truth: Float[np.ndarray, "faces landmarks xy=2"], layout: Layout, normaliser: Normaliser
) -> Float[np.ndarray, " faces"]:
    """The length that an error is measured in, in the units of the points.

    Args:
        truth: Landmarks, in any unit.
        layout: Of the landmarks.
        normaliser: Which length.
    """
    if normaliser == "ocular":
        return layout.interocular(truth)
    if normaliser == "pupil":
        right, left = (truth[:, list(pupil)].mean(1) for pupil in _PUPILS[layout.name])
        return np.linalg.norm(left - right, axis=-1)
    extent = np.ptp(truth, axis=1)  # (faces, 2)
    if normaliser == "box":
        return np.sqrt(extent.prod(-1))
    return np.linalg.norm(extent, axis=-1)


def error_grid(threshold: float) -> Float[np.ndarray, " errors"]:
    """Errors at which the published tables look; the grid of 5 % ends at 5.01 %.

    Source:
        STAR and ADNet: `arange` in floating point, whose rounding the tables inherited.
    """
    return np.arange(0, threshold + _GRID_STEP, _GRID_STEP)


def share_within(
    nme: Float[np.ndarray, " faces"], errors: Float[np.ndarray, " errors"]
) -> Float[np.ndarray, " errors"]:
    """Share of faces whose error is at most each of `errors`: the curve under which the area is."""
    return np.searchsorted(np.sort(nme), errors, side="right") / len(nme)


def failure_rate(nme: Float[np.ndarray, " faces"], threshold: float) -> float:
    """Share of faces whose error is beyond the grid's end; a missed face has an infinite error."""
    return float(np.round(1 - share_within(nme, error_grid(threshold))[-1], 4))


def area_under_curve(nme: Float[np.ndarray, " faces"], threshold: float) -> float:
    """Area under the share of faces within each error up to the threshold; 1 is perfect."""
    grid = error_grid(threshold)
    return float(np.round(simpson(share_within(nme, grid), x=grid) / threshold, 6))
