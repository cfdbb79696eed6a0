"""How still a still face is, and how late a moving one: the only definitions in the project.

Tracks are (frames, landmarks, 2) in pixels.
"""

import numpy as np
from jaxtyping import Float

LONGEST_LAG_S = 0.5
"""Largest lag that is searched; a later track gets this one."""
LONGEST_LEAD_S = 0.1
LAG_TOLERANCE_S = 1e-4
"""Lags are not known better."""
_LAG_STEPS_S = (0.02, 0.002, LAG_TOLERANCE_S)
"""Of the search, coarse to fine."""
_LEAST_MOTION_PX = 1.0

Track2D = Float[np.ndarray, "frames landmarks xy=2"]
Times = Float[np.ndarray, " frames"]


def static_jitter(track: Track2D, eye_distance: float) -> float:
    """RMS over landmarks of the standard deviation over time, in inter-ocular distances.

    Args:
        track: Of a still face; frames that are not finite do not count.
        eye_distance: Pixels.
    """
    variance = np.nanvar(track, axis=0).sum(-1)
    return float(np.sqrt(variance.mean()) / eye_distance)


def moving_jitter(
    times_s: tuple[float, float, float],
    frames: Float[np.ndarray, "frames=3 landmarks xy=2"],
    eye_distance: float,
) -> float:
    """How far the landmarks of a frame lie from between those around it, whatever the head does.

    The best similarity takes out translation, scale and rotation. White noise gives what
    `static_jitter` gives of a still face.

    Args:
        times_s: Rising.
        frames: One after the other, pixels.
        eye_distance: Pixels.

    Returns:
        In inter-ocular distances; NaN of fewer than three landmarks.
    """
    share = (times_s[1] - times_s[0]) / (times_s[2] - times_s[0])
    between = (1 - share) * frames[0] + share * frames[2]
    here, there = between - between.mean(0), frames[1] - frames[1].mean(0)
    a, b = here @ (1, 1j), there @ (1, 1j)
    away = b - (a.conj() @ b) / max(np.square(np.abs(a)).sum(), 1e-12) * a
    count = len(here) - 2  # a similarity takes the freedom of two landmarks
    if count <= 0:
        return float("nan")
    noise = 1 + (1 - share) ** 2 + share**2
    return float(np.sqrt(np.square(np.abs(away)).sum() / count / noise) / eye_distance)


def lag_s(times_s: Times, track: Track2D, truth: Track2D) -> float:
    """Delay of the truth at which it lies nearest to the track, by least squares; sub-frame.

    The first half second is left out: no filter knows a velocity at once.

    Args:
        times_s: Of the frames.
        track: Frames that are not finite do not count.
        truth: With the bias of the track, which would otherwise count as delay.

    Returns:
        Seconds, between -0.1 and 0.5; NaN where nothing moves by a pixel, or too little is seen.
    """
    if np.nanmax(np.ptp(truth, axis=0)) < _LEAST_MOTION_PX:
        return float("nan")
    inside = (times_s >= times_s[0] + LONGEST_LAG_S) & (times_s <= times_s[-1] - LONGEST_LEAD_S)
    inside &= np.isfinite(track).all((1, 2))
    if inside.sum() < 2:
        return float("nan")
    now, seen = times_s[inside], track[inside]

    def misfit(lag: float) -> float:
        return float(np.square(seen - sampled(times_s, truth, now - lag)).sum())

    low, high, best = -LONGEST_LEAD_S, LONGEST_LAG_S, 0.0
    for step in _LAG_STEPS_S:
        tried = np.arange(low, high + step / 2, step)
        best = float(tried[int(np.argmin([misfit(lag) for lag in tried]))])
        low, high = max(best - step, -LONGEST_LEAD_S), min(best + step, LONGEST_LAG_S)
    return best


def sampled(times_s: Times, track: np.ndarray, at_s: Times) -> np.ndarray:
    """Linear interpolation between frames, held at both ends."""
    after = np.clip(np.searchsorted(times_s, at_s), 1, len(times_s) - 1)
    span = times_s[after] - times_s[after - 1]
    share = np.clip((at_s - times_s[after - 1]) / span, 0, 1)
    share = share.reshape(-1, *[1] * (track.ndim - 1))
    return (1 - share) * track[after - 1] + share * track[after]
