"""How noisy a track's measurements are: calibration gives the shape, the track itself the scale.

The calibrated flicker is the change between two looks at a face that lies anywhere in the cells of
the heat map. A face that keeps its place shows only a small share of it, the sensor's noise, which
no calibration can know: it is learned, part by part, from how surprising measurements are.
"""

import numpy as np
from jaxtyping import Float

from .head import MotionConfig

_SURPRISING = 4.0
"""No single frame tells of more than this much surprise: it may be a motion."""


def flicker_share(
    offset: Float[np.ndarray, "xy=2 faces landmarks"],
    eyes: Float[np.ndarray, " faces"],
    config: MotionConfig,
) -> Float[np.ndarray, " faces"]:
    """Share of the calibrated flicker that shows, by how far the face came since the last frame."""
    x, y = offset
    squared = _median(x * x + y * y) / eyes**2
    moved = squared / (squared + config.unsteady**2)
    share: np.ndarray = config.steady + (1 - config.steady) * moved
    return share


def learned(
    factor: Float[np.ndarray, "faces *parts"],
    surprise: Float[np.ndarray, "faces *parts"],
    gain: Float[np.ndarray, "faces *parts"],
    config: MotionConfig,
) -> Float[np.ndarray, "faces *parts"]:
    """The factor on the noise after a measurement whose normalised innovation was `surprise`.

    Source:
        Mehra 1972, covariance matching, with a memory that fades.
    """
    matched = factor * (1 + gain * (np.minimum(surprise, _SURPRISING) - 1))
    return np.minimum(np.maximum(matched, 1 / config.noise_range), config.noise_range)


def _median(values: Float[np.ndarray, "faces landmarks"]) -> Float[np.ndarray, " faces"]:
    """`np.median` looks for NaN as well, and takes seven times as long."""
    low, high = (values.shape[1] - 1) // 2, values.shape[1] // 2
    ordered = np.partition(values, (low, high))
    middle: np.ndarray = (ordered[:, low] + ordered[:, high]) / 2
    return middle
