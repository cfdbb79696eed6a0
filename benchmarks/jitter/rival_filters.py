"""Filters that others smooth landmarks with: ours is compared to them.

Every filter takes the raw points of one unbroken stretch of measurements and their times.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int
from scipy.signal import savgol_filter

from tracker.run.stability import Times, Track2D

from .recordings import Covariances2D, Recording

_VELOCITY_SPREAD = 0.05
"""Standard deviation of the first velocity, in eye distances a second."""


@dataclass(frozen=True, slots=True, eq=False)
class FilterOutput:
    """A filter's output for a recording; NaN in frames without a measurement."""

    mean: Track2D
    covariance: Covariances2D | None = None
    """Of `mean` around where the raw measurements would settle: without their constant bias."""
    nis: dict[str, Float[np.ndarray, " frames"]] = field(default_factory=dict)
    """Normalised innovation squared over its dimensions, so that 1 is expected; the mean over all
    "landmarks", or of the "head"; NaN where there is none."""
    log_likelihood: Float[np.ndarray, " frames"] | None = None
    """Of each frame's innovations, nats up to a constant; NaN where there are none."""


def stretches(recording: Recording) -> Iterator[Int[np.ndarray, " frames"]]:
    """Frames of each unbroken run of one track: filters start anew where an id changes."""
    measured = np.flatnonzero(recording.is_measured)
    changes = np.flatnonzero(np.diff(recording.ids[measured])) + 1
    yield from (part for part in np.split(measured, changes) if len(part))


def filtered(recording: Recording, smooth: Callable[[Times, Track2D], Track2D]) -> FilterOutput:
    """Each stretch through a filter."""
    mean = np.full_like(recording.mean, np.nan)
    for frames in stretches(recording):
        mean[frames] = smooth(recording.times_s[frames], recording.mean[frames])
    return FilterOutput(mean)


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
    """Weight of the new value in a first-order low-pass."""
    # alpha = 1 / (1 + tau / T),  tau = 1 / (2 pi fc)
    return np.asarray(1 / (1 + 1 / (2 * np.pi * cutoff_hz * dt_s)))


def one_euro(times_s: Times, raw: Track2D, constants: OneEuro) -> Track2D:
    """Low-pass whose cutoff rises with speed, x and y independently.

    As in MediaPipe, speeds are in object sizes (mean of width and height of the landmarks' box),
    and are estimated from the change of the raw value.

    Source:
        Casiez, Roussel, Vogel 2012; the constants of MediaPipe's face landmarks.
    """
    smooth, speed = raw.copy(), np.zeros_like(raw[0])
    scale = 1 / np.maximum(np.ptp(raw, axis=1).mean(-1), 1e-6)
    for index, dt_s in enumerate(np.diff(times_s), 1):
        change = (raw[index] - raw[index - 1]) * scale[index] / dt_s
        speed += smoothing_factor(constants.derivative_cutoff_hz, dt_s) * (change - speed)
        cutoff_hz = constants.min_cutoff_hz + constants.beta * np.abs(speed)
        weight = smoothing_factor(cutoff_hz, dt_s)
        smooth[index] = smooth[index - 1] + weight * (raw[index] - smooth[index - 1])
    return smooth


def savitzky_golay(raw: Track2D, frames: int, order: int = 2) -> Track2D:
    """Polynomial through a window before and after; not for live use.

    Args:
        raw: Evenly spaced in time.
        frames: Odd length of the window; shorter tracks get a shorter one.
        order: Of the polynomial.
    """
    window = min(frames, len(raw) - 1 + len(raw) % 2)
    return savgol_filter(raw, window, order, axis=0) if window > order else raw.copy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kalman:
    """Constants of a Kalman filter with nearly constant velocity, one for each landmark."""

    noise_scale: float = 1.0
    """Factor on the measurement noise R."""
    acceleration_noise: float = 1e-2
    """Spectral density of the white acceleration, in eye distances: 1 / s^3."""
    velocity_memory_s: float = np.inf
    """Time after which a velocity has fallen to 1/e; infinity means constant velocity."""


def constant_noise_kalman(recording: Recording, constants: Kalman) -> FilterOutput:
    """R is the mean variance of the clip, one for all landmarks, axes and frames."""
    variance = np.nanmean(np.trace(recording.measurement_noise, axis1=-2, axis2=-1)) / 2
    noise = np.broadcast_to(variance * np.eye(2), recording.measurement_noise.shape)
    return _kalman(recording, noise, constants)


def predicted_noise_kalman(recording: Recording, constants: Kalman) -> FilterOutput:
    """R is the network's 2x2 measurement noise of this landmark in this frame."""
    return _kalman(recording, recording.measurement_noise, constants)


def _kalman(recording: Recording, noise: Covariances2D, constants: Kalman) -> FilterOutput:
    mean = np.full_like(recording.mean, np.nan)
    covariance = np.full_like(recording.measurement_noise, np.nan)
    nis = np.full(len(mean), np.nan)
    for frames in stretches(recording):
        mean[frames], covariance[frames], nis[frames] = kalman(
            recording.times_s[frames],
            recording.mean[frames],
            noise[frames],
            constants,
            recording.eye_px,
        )
    return FilterOutput(mean, covariance, {"landmarks": nis})


def kalman(
    times_s: Times, raw: Track2D, noise: Covariances2D, constants: Kalman, unit_px: float
) -> tuple[Track2D, Covariances2D, Float[np.ndarray, " frames"]]:
    """Filter one stretch.

    Args:
        times_s: Of the frames.
        raw: Measured in every frame.
        noise: R of each landmark and frame, square pixels.
        constants: Of the filter.
        unit_px: The eye distance.

    Returns:
        Landmarks, their covariances, and the NIS over its dimensions; NaN in the first frame.
    """
    density = constants.acceleration_noise * unit_px**2
    mean, covariance = np.empty_like(raw), np.empty_like(noise)
    nis = np.full(len(raw), np.nan)
    observation = np.hstack([np.eye(2), np.zeros((2, 2))])  # H of the state (x, y, vx, vy)
    scaled = constants.noise_scale * noise
    state = np.concatenate([raw[0], np.zeros_like(raw[0])], -1)
    known = np.zeros((len(state), 4, 4))
    known[:, :2, :2] = scaled[0]
    known[:, 2:, 2:] = (_VELOCITY_SPREAD * unit_px) ** 2 * np.eye(2)
    mean[0], covariance[0] = raw[0], scaled[0]
    for index, dt_s in enumerate(np.diff(times_s), 1):
        step = discretised(density, constants.velocity_memory_s, float(dt_s))
        transition, process_noise = (np.kron(of_one_axis, np.eye(2)) for of_one_axis in step)
        # x = F x,  P = F P F^T + Q;  S = H P H^T + R,  K = P H^T S^-1
        state, known = state @ transition.T, transition @ known @ transition.T + process_noise
        innovation_covariance = known[:, :2, :2] + scaled[index]
        gain = known[..., :2] @ np.linalg.inv(innovation_covariance)
        innovation = raw[index] - state[:, :2]
        state = state + (gain @ innovation[..., None])[..., 0]
        known = known - gain @ observation @ known
        mean[index], covariance[index] = state[:, :2], known[:, :2, :2]
        root = np.linalg.cholesky(innovation_covariance)
        whitened = np.linalg.solve(root, innovation[..., None])[..., 0]
        nis[index] = np.square(whitened).mean()
    return mean, covariance, nis


def discretised(
    density: float, memory_s: float, dt_s: float
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
    return transition, density * np.array([[position, cross], [cross, velocity]])
