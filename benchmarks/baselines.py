"""What others smooth landmarks with: the filters that ours is compared to.

Every filter takes the raw points of one unbroken stretch of measurements and their times.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from scipy.signal import savgol_filter

from .recordings import Recording, Track2D

Times = Float[np.ndarray, " frames"]
Filter = Callable[[Times, Track2D], Track2D]


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """What a method makes of a recording; NaN in frames without a measurement."""

    mean: Track2D
    covariance: Float[np.ndarray, "frames landmarks xy=2 xy=2"] | None = None
    """Of `mean` around where the raw measurements would settle: without their lasting bias."""
    surprises: dict[str, Float[np.ndarray, " frames"]] = field(default_factory=dict)
    """Normalised squared innovation over its dimensions, so that 1 is expected, mean over all
    "landmarks" or of the "head"; NaN where there is none."""
    innovations: Float[np.ndarray, "frames landmarks xy=2"] | None = None
    """In standard deviations, S^-1/2 y, where the filter has one for each landmark."""
    log_likelihood: Float[np.ndarray, " frames"] | None = None
    """Of each frame's innovations, nats but for a constant; NaN where there are none."""


def stretches(recording: Recording) -> Iterator[Int[np.ndarray, " frames"]]:
    """Frames of each unbroken run of one track: filters start anew where an id changes."""
    seen = np.flatnonzero(recording.seen)
    changes = np.flatnonzero(np.diff(recording.ids[seen])) + 1
    yield from (part for part in np.split(seen, changes) if len(part))


def filtered(recording: Recording, smooth: Filter) -> Smoothed:
    """Each stretch through a filter."""
    mean = np.full_like(recording.mean, np.nan)
    for frames in stretches(recording):
        mean[frames] = smooth(recording.times_s[frames], recording.mean[frames])
    return Smoothed(mean)


def exponential(times_s: Times, raw: Track2D, time_constant_s: float) -> Track2D:
    """Each output keeps exp(-dt / time_constant_s) of the last one."""
    smooth = raw.copy()
    for index, dt_s in enumerate(np.diff(times_s), 1):
        kept = np.exp(-dt_s / time_constant_s)
        smooth[index] = kept * smooth[index - 1] + (1 - kept) * raw[index]
    return smooth


@dataclass(frozen=True, slots=True, kw_only=True)
class OneEuro:
    """Constants of the One Euro filter; the defaults are those of MediaPipe's face landmarks."""

    min_cutoff_hz: float = 0.05
    beta: float = 80.0
    """Hz per object size a second."""
    derivative_cutoff_hz: float = 1.0


def smoothing_factor(
    cutoff_hz: Float[np.ndarray, "*batch"] | float, dt_s: float
) -> Float[np.ndarray, "*batch"]:
    """Share of the new value that a first-order low-pass takes."""
    # alpha = 1 / (1 + tau / T),  tau = 1 / (2 pi fc)
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff_hz * dt_s)))


def one_euro(times_s: Times, raw: Track2D, constants: OneEuro) -> Track2D:
    """Low-pass whose cutoff rises with speed, x and y each by itself.

    As in MediaPipe, speeds are in object sizes (mean of width and height of the landmarks' box),
    and the change of the raw value is what is taken for the speed.

    Source:
        Casiez, Roussel, Vogel 2012; the constants of MediaPipe's face landmarks.
    """
    smooth, speed = raw.copy(), np.zeros_like(raw[0])
    scale = 1 / np.maximum(np.ptp(raw, axis=1).mean(-1), 1e-6)
    for index, dt_s in enumerate(np.diff(times_s), 1):
        change = (raw[index] - raw[index - 1]) * scale[index] / dt_s
        speed += smoothing_factor(constants.derivative_cutoff_hz, dt_s) * (change - speed)
        cutoff_hz = constants.min_cutoff_hz + constants.beta * np.abs(speed)
        taken = smoothing_factor(cutoff_hz, dt_s)
        smooth[index] = smooth[index - 1] + taken * (raw[index] - smooth[index - 1])
    return smooth


def savitzky_golay(raw: Track2D, frames: int, order: int = 2) -> Track2D:
    """Polynomial through a window before and after; not for live use.

    Args:
        raw: Evenly spaced in time.
        frames: Odd length of the window; what is shorter gets a shorter one.
        order: Of the polynomial.
    """
    window = min(frames, len(raw) - 1 + len(raw) % 2)
    return savgol_filter(raw, window, order, axis=0) if window > order else raw.copy()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantNoise:
    """A Kalman filter that believes every measurement equally."""

    noise_scale: float = 1.0
    """Factor on the mean flicker variance of the clip."""
    acceleration_noise: float = 1e-2
    """Spectral density of the white acceleration, in eye distances: 1 / s^3."""
    velocity_memory_s: float = np.inf
    """Time after which a velocity has fallen to 1/e; infinity means constant velocity."""


def constant_noise_kalman(recording: Recording, constants: ConstantNoise) -> Smoothed:
    """One gain for all landmarks and both axes, since all share one measurement noise."""
    variance = np.nanmean(np.trace(recording.measurement_noise, axis1=-2, axis2=-1)) / 2
    noise = constants.noise_scale * float(variance)
    drive = constants.acceleration_noise * recording.eye_px**2
    mean, innovations = np.full((2, *recording.mean.shape), np.nan)
    variances = np.full(len(mean), np.nan)
    for frames in stretches(recording):
        raw, times_s = recording.mean[frames], recording.times_s[frames]
        state = np.stack([raw[0], np.zeros_like(raw[0])])  # (state, landmarks, xy)
        known = np.diag([noise, (0.05 * recording.eye_px) ** 2])
        mean[frames[0]], variances[frames[0]] = raw[0], noise
        for frame, measured, dt_s in zip(frames[1:], raw[1:], np.diff(times_s), strict=True):
            transition, growth = discretised(drive, constants.velocity_memory_s, float(dt_s))
            # x = F x,  P = F P F^T + Q
            state = np.einsum("ij,jlx->ilx", transition, state)
            known = transition @ known @ transition.T + growth
            # S = H P H^T + R,  K = P H^T / S
            spread = known[0, 0] + noise
            gain, innovation = known[:, 0] / spread, measured - state[0]
            state = state + gain[:, None, None] * innovation
            known = known - np.outer(gain, known[0])
            mean[frame], variances[frame] = state[0], known[0, 0]
            innovations[frame] = innovation / np.sqrt(spread)
    covariance = np.broadcast_to(np.eye(2), (*mean.shape, 2)) * variances[:, None, None, None]
    surprise = np.square(innovations).mean((1, 2))
    return Smoothed(mean, covariance, {"landmarks": surprise}, innovations)


def discretised(
    drive: float, memory_s: float, dt_s: float
) -> tuple[Float[np.ndarray, "state=2 state=2"], Float[np.ndarray, "state=2 state=2"]]:
    """Transition F and process noise Q of (position, velocity) over a step, exactly."""
    if dt_s < 1e-4 * memory_s:  # the limit of the formulas below, which cancel there
        kept, moved = 1.0, dt_s
        position, cross, velocity = dt_s**3 / 3, dt_s**2 / 2, dt_s
    else:
        kept = float(np.exp(-dt_s / memory_s))
        moved = memory_s * (1 - kept)
        velocity = memory_s / 2 * (1 - kept**2)
        cross = moved**2 / 2
        position = memory_s**2 * (dt_s - 2 * moved + velocity)
    transition = np.array([[1.0, moved], [0.0, kept]])
    return transition, drive * np.array([[position, cross], [cross, velocity]])
