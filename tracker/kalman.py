"""A Kalman filter with fading velocity for every landmark of every face at once.

State (x, y, vx, vy) in pixels and pixels per second. Every function is pure and batched over
leading axes; `filterpy` is the oracle in the tests.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .gaussian import inverse_2x2


@dataclass(frozen=True, slots=True)
class MotionState:
    """Gaussian over position and velocity of each landmark."""

    mean: Float[np.ndarray, "*batch state=4"]
    covariance: Float[np.ndarray, "*batch state=4 state=4"]

    @property
    def position(self) -> Float[np.ndarray, "*batch xy=2"]:
        """Pixels."""
        return self.mean[..., :2]

    @property
    def position_covariance(self) -> Float[np.ndarray, "*batch xy=2 xy=2"]:
        """Square pixels."""
        return self.covariance[..., :2, :2]


@dataclass(frozen=True, slots=True)
class MotionModel:
    """Velocity that white acceleration feeds and friction takes away."""

    acceleration_noise: float
    """Spectral density of the white acceleration, px^2 / s^3."""
    velocity_memory_s: float
    """Time after which a velocity has fallen to 1/e; infinity means constant velocity."""

    def discretised(
        self, dt_s: float
    ) -> tuple[Float[np.ndarray, "state=4 state=4"], Float[np.ndarray, "state=4 state=4"]]:
        """Transition F and process noise Q over `dt_s`, exact for any step."""
        memory, q = self.velocity_memory_s, self.acceleration_noise
        if dt_s < 1e-4 * memory:  # the limit of the formulas below, which cancel there
            moved, kept = dt_s, 1.0
            position, cross, velocity = dt_s**3 / 3, dt_s**2 / 2, dt_s
        else:
            kept = np.exp(-dt_s / memory)
            moved = memory * (1 - kept)
            velocity = memory / 2 * (1 - kept**2)
            cross = moved**2 / 2
            position = memory**2 * (dt_s - 2 * moved + velocity)
        return _per_axis(1.0, moved, 0.0, kept), q * _per_axis(position, cross, cross, velocity)


def _per_axis(
    position: float, upper: float, lower: float, velocity: float
) -> Float[np.ndarray, "state=4 state=4"]:
    """The same 2x2 matrix over (position, velocity) for x and for y."""
    matrix = np.zeros((4, 4))
    matrix[[0, 1], [0, 1]], matrix[[0, 1], [2, 3]] = position, upper
    matrix[[2, 3], [0, 1]], matrix[[2, 3], [2, 3]] = lower, velocity
    return matrix


def initiate(
    position: Float[np.ndarray, "*batch xy=2"],
    covariance: Float[np.ndarray, "*batch xy=2 xy=2"],
    speed_px_s: float,
) -> MotionState:
    """Start at a measurement, standing still give or take `speed_px_s`."""
    batch = position.shape[:-1]
    full = np.zeros((*batch, 4, 4))
    full[..., :2, :2] = covariance
    full[..., 2:, 2:] = speed_px_s**2 * np.eye(2)
    return MotionState(np.concatenate([position, np.zeros((*batch, 2))], -1), full)


def predict(
    state: MotionState,
    dt_s: float,
    model: MotionModel,
    inflation: Float[np.ndarray, "*batch"] | float = 1.0,
) -> MotionState:
    """Move the state forward in time.

    Args:
        state: At the last frame.
        dt_s: Seconds since that frame, at least 0.
        model: How velocities come and go.
        inflation: Factor on the propagated covariance, at least 1: how much older knowledge fades.

    Raises:
        ValueError: If `dt_s` is negative.

    Source:
        Bar-Shalom, Li, Kirubarajan 2001: white acceleration, Ornstein-Uhlenbeck velocity (8.2.3),
        fading memory.
    """
    if dt_s < 0:
        raise ValueError(f"dt_s must be at least 0, got {dt_s}")
    # x = F x,  P = alpha^2 F P F^T + Q
    transition, noise = model.discretised(dt_s)
    mean = state.mean @ transition.T
    propagated = transition @ state.covariance @ transition.T
    return MotionState(mean, np.asarray(inflation)[..., None, None] * propagated + noise)


def update(
    state: MotionState,
    position: Float[np.ndarray, "*batch xy=2"],
    covariance: Float[np.ndarray, "*batch xy=2 xy=2"],
) -> MotionState:
    """Take a measurement in.

    Args:
        state: Predicted to the time of the measurement.
        position: Pixels.
        covariance: Measurement noise, square pixels.
    """
    # S = H P H^T + R,  K = P H^T S^-1
    innovation_covariance = state.position_covariance + covariance
    gain = state.covariance[..., :, :2] @ inverse_2x2(innovation_covariance)
    innovation = position - state.position
    mean = state.mean + (gain @ innovation[..., None])[..., 0]
    # Joseph form: stays symmetric and positive definite whatever the rounding.
    kept = np.broadcast_to(np.eye(4), state.covariance.shape).copy()
    kept[..., :, :2] -= gain
    transposed = kept.swapaxes(-1, -2)
    gain_t = gain.swapaxes(-1, -2)
    return MotionState(mean, kept @ state.covariance @ transposed + gain @ covariance @ gain_t)
