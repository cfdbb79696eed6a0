"""How still a still face is, and how late a moving one.

Tracks are (frames, landmarks, 2) in pixels.
"""

import numpy as np
from jaxtyping import Float

_LARGEST_LAG = 4.0
"""Frames searched to either side."""


def static_jitter(track: Float[np.ndarray, "frames landmarks xy=2"], eye_distance: float) -> float:
    """RMS over landmarks of the standard deviation over time, in eye distances."""
    variance = track.var(axis=0).sum(-1)
    return float(np.sqrt(variance.mean()) / eye_distance)


def lag_frames(
    track: Float[np.ndarray, "frames landmarks xy=2"],
    truth: Float[np.ndarray, "frames landmarks xy=2"],
) -> float:
    """Delay in frames at which the truth fits the track best; a constant offset does not count.

    Raises:
        ValueError: If nothing moves, for then there is no lag to see.
    """
    if truth.std(axis=0).max() < 1:
        raise ValueError("lag needs motion of at least a pixel")
    reach = int(_LARGEST_LAG) + 1
    times = np.arange(reach, len(track) - reach, dtype=float)
    lags = np.arange(-_LARGEST_LAG, _LARGEST_LAG + 0.005, 0.01)
    residuals = [_residual(track[reach:-reach], _sampled(truth, times - lag)) for lag in lags]
    return float(lags[int(np.argmin(residuals))])


def _sampled(
    track: Float[np.ndarray, "frames landmarks xy=2"], times: Float[np.ndarray, " samples"]
) -> Float[np.ndarray, "samples landmarks xy=2"]:
    """Linear interpolation between frames."""
    before = np.floor(times).astype(int)
    share = (times - before)[:, None, None]
    return (1 - share) * track[before] + share * track[before + 1]


def _residual(track: np.ndarray, truth: np.ndarray) -> float:
    difference = track - truth
    return float(np.square(difference - difference.mean(axis=0)).sum())
