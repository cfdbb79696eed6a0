"""The motion model: every number of the filter."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionConfig:
    """Motion model of a head and of the parts of a face; lengths are in inter-ocular distances."""

    still_noise_share: float = 0.03
    """Share of the measurement noise that a face shows which keeps its place."""
    half_noise_motion: float = 0.008
    """Motion from frame to frame at which half of the remaining noise shows."""
    initial_noise_factor: float = 8.0
    """Factor on the noise of a new track: too large a one looks like stillness, and is learned."""
    noise_memory_s: float = 0.2
    """Time constant at which the noise of a track is learned from its innovations."""
    noise_factor_range: float = 20.0
    """Most that the noise is learned to differ from the calibrated one, either way."""
    largest_noise: float = 10.0
    """Most of a landmark's noise that is believed, in calibrated ones: beyond, the face moves."""
    random_walk: tuple[float, ...] = (1e-5, 0.02, 0.1)
    """Random-walk process noise of a landmark within the face, 1 / sqrt(s), by mode: still,
    speech, blink."""
    stay_probability: float = 0.995
    """Probability that a part, or the head, keeps its mode from one frame to the next."""
    still_at_first: float = 0.98
    """Probability that a part of a face seen for the first time is still."""
    independent_landmarks: float = 0.2
    """Effective number of independent landmarks of a part in the likelihood of its mode: errors of
    neighbours are correlated, frame after frame."""
    still_random_walk: float = 1e-5
    """Random-walk process noise of a still head, 1 / sqrt(s)."""
    acceleration_noise: tuple[float, ...] = (0.02, 2.7, 20.0)
    """Spectral densities of a head's acceleration, 1 / s^3, by hypothesis: gliding, turning,
    shaken."""
    velocity_memory_s: float = 0.6
    """Time constant of a head's velocity (Ornstein-Uhlenbeck)."""
    initial_velocity: float = 0.6
    """Standard deviation of the velocity of a head that starts to move, 1 / s."""
    common_noise: float = 4e-4
    """Standard deviation of the error that all landmarks of a frame share."""
    jump: float = 0.5
    """Standard deviation of a jump, as at a cut of the film."""
    jump_probability: float = 1e-3
    turn_common_noise: float = 0.02
    """Standard deviation of the error that all landmarks share in how far a head has turned."""
    turn_process_noise: float = 0.1
    """Of a head's turn in depth: share of the process noise of its motion in the picture."""
    depth_error: float = 0.1
    """Standard deviation of a landmark's depth, for which a head that turns moves it elsewhere."""
    turn_stay_probability: float = 0.9999
    """Probability that a head goes on turning, or not turning, from one frame to the next."""
    coasting_acceleration: float = 4.0
    """Factor on the acceleration noise of a head that is not measured."""


def for_smoother(config: MotionConfig) -> MotionConfig:
    """The config of a smoother, which is never late: all noise that is learned is believed."""
    return replace(config, largest_noise=config.noise_factor_range)


def smoothed(config: MotionConfig, smoothing: float) -> MotionConfig:
    """The config along the one knob that users have: 0.5 is `config` itself.

    The noise of measurements is kept; the process noise, and how soon a mode changes, is scaled.

    Args:
        config: At 0.5.
        smoothing: From 0, as measured, to 1, calmest in motion.

    Raises:
        ValueError: If `smoothing` is not between 0 and 1.
    """
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing must lie between 0 and 1, got {smoothing}")
    share = min(max(smoothing, 0.04), 0.9)
    freer = (1 - share) / share
    still, *moving = config.random_walk
    return replace(
        config,
        random_walk=(still * freer**3, *(max(freer, 1) * one for one in moving)),
        independent_landmarks=config.independent_landmarks * min(freer, 1),
        still_random_walk=config.still_random_walk * freer**3,
        acceleration_noise=tuple(freer**2 * one for one in config.acceleration_noise),
    )
