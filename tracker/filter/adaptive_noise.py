"""Adaptive measurement noise: calibration gives the shape of R, each track learns its scale.

The calibrated noise is the change between two frames of a face that lies anywhere in the cells of
the heat map. A face that keeps its place shows only a small share of it, the sensor's noise, which
no calibration can know: its scale is learned, part by part, from the innovations.
"""

import numpy as np
from jaxtyping import Float

from .config import MotionConfig

LARGEST_NIS = 4.0
"""No single frame counts for more than this normalised innovation: it may be a motion."""


def noise_share(
    offset: Float[np.ndarray, "xy=2 faces landmarks"],
    length: Float[np.ndarray, " faces"],
    config: MotionConfig,
) -> Float[np.ndarray, " faces"]:
    """Share of the calibrated noise that shows, by how far the face moved since the last frame.

    Args:
        offset: Measured less expected landmarks, pixels.
        length: Inter-ocular distances, pixels.
        config: Of the motion model.
    """
    x, y = offset
    squared = _median(x * x + y * y)
    moved = squared / (squared + config.half_noise_motion**2 * (length * length))
    share: np.ndarray = config.still_noise_share + (1 - config.still_noise_share) * moved
    return share


def adapted(
    factor: Float[np.ndarray, "faces factors"],
    nis: Float[np.ndarray, "faces factors"],
    gain: Float[np.ndarray, "faces factors"],
    largest_nis: Float[np.ndarray, " factors"],
    config: MotionConfig,
) -> Float[np.ndarray, "faces factors"]:
    """Learned factors on covariances after a frame.

    Its logarithm follows the NIS, so that the mean of it over time is 1 whatever its spread.

    Args:
        factor: Before the frame.
        nis: Normalised innovation squared over its degrees of freedom; 1 is expected.
        gain: Weight of this frame, 0 to 1.
        largest_nis: No frame counts for more.
        config: Of the motion model.

    Source:
        Mehra 1972, covariance matching, with exponential forgetting.
    """
    matched = factor * np.exp(gain * (np.minimum(nis, largest_nis) - 1))
    largest = config.noise_factor_range
    return np.minimum(np.maximum(matched, 1 / largest), largest)


def successive_change(
    innovation: Float[np.ndarray, "faces motion"], before: Float[np.ndarray, "faces motion"]
) -> Float[np.ndarray, "faces groups"]:
    """Mean square successive difference of innovations; 1 is expected of white ones.

    What an unmodelled motion adds is much the same from frame to frame, and cancels: a head that
    drifts does not pass for noise.

    Source:
        von Neumann 1941, the mean square successive difference.
    """
    groups = np.square(innovation - before).reshape(len(innovation), -1, 4)
    change: np.ndarray = groups.sum(-1) / 8
    return change


def _median(values: Float[np.ndarray, "faces landmarks"]) -> Float[np.ndarray, " faces"]:
    """`np.median` looks for NaN as well, and takes many times as long; puts the values in order."""
    low, high = (values.shape[1] - 1) // 2, values.shape[1] // 2
    values.sort()
    middle: np.ndarray = (values[:, low] + values[:, high]) / 2
    return middle
