"""What is believed of a head: how it may move, where it is, how surely."""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionConfig:
    """How a face is believed to move; lengths are in inter-ocular distances."""

    steady: float = 0.03
    """Share of the calibrated flicker that a face shows which keeps its place."""
    unsteady: float = 0.008
    """Motion from frame to frame at which half of the rest shows."""
    noise_start: float = 8.0
    """Factor on the noise of a new track: what is too loud is taken for rest, and soon learned."""
    noise_memory_s: float = 0.2
    """How fast the noise of a track is learned from its innovations."""
    noise_range: float = 20.0
    """Most that it is learned to differ from the calibrated one, either way."""
    diffusion: tuple[float, ...] = (1e-5, 0.02, 0.1)
    """How far a landmark wanders within the face in a second, 1 / sqrt(s): at rest, in speech, in
    a blink."""
    stays: float = 0.999
    """Chance that a part, or the head, goes on doing what it did in the frame before."""
    independent_landmarks: float = 0.5
    """So many landmarks of a part tell what it does: neighbours err alike, frame after frame."""
    rest: float = 1e-5
    """How far a resting head wanders in a second, 1 / sqrt(s)."""
    acceleration_noise: tuple[float, ...] = (0.02, 2.7, 20.0)
    """Spectral densities of a head's acceleration, 1 / s^3: while it glides, turns, is
    shaken."""
    rate_memory_s: float = 0.6
    """How long a head's velocity lasts."""
    start_rate: float = 0.6
    """Standard deviation of the velocity of a head that starts to move, 1 / s."""
    common_flicker: float = 2e-4
    """Standard deviation of what all landmarks of a frame err together."""
    jump: float = 0.5
    """Standard deviation of a jump, as at a cut of the film."""
    jump_chance: float = 1e-3
    unseen_acceleration: float = 4.0
    """Factor on the acceleration of a head that is not seen."""


def smoothed(config: MotionConfig, smoothing: float) -> MotionConfig:
    """The config along the one knob that users have: 0.5 is `config` itself.

    The noise of measurements is what it is; how freely a face is believed to move, and how soon,
    is turned.

    Raises:
        ValueError: If `smoothing` is not between 0 and 1.
    """
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing must lie between 0 and 1, got {smoothing}")
    share = min(max(smoothing, 0.04), 0.9)
    freer = (1 - share) / share
    at_rest, *moving = config.diffusion
    return replace(
        config,
        diffusion=(at_rest * freer**3, *(max(freer, 1) * one for one in moving)),
        independent_landmarks=config.independent_landmarks * min(freer, 1),
        rest=config.rest * freer**3,
        acceleration_noise=tuple(freer**2 * one for one in config.acceleration_noise),
    )


@dataclass(frozen=True, slots=True)
class HeadState:
    """What is believed of some faces; every array has a leading axis of faces."""

    points: Float[np.ndarray, "faces landmarks xy=2"]
    within: Float[np.ndarray, "xx_xy_yy=3 faces landmarks"]
    """Covariance of each landmark within the face, square pixels."""
    modes: Float[np.ndarray, "modes faces parts"]
    """Chance of each kind of motion, part by part."""
    rate: Float[np.ndarray, "faces motion=4"]
    """Of shift, growth and turn (`rigid`), pixels per second."""
    pose: Float[np.ndarray, "xx_xy_yy=3 faces motion=4"]
    """Covariance of each of them and its rate."""
    moving: Float[np.ndarray, "hypotheses faces"]
    """Chance that the head rests, moves on under each acceleration, has just jumped."""
    noise: Float[np.ndarray, "faces parts"]
    """Learned factors on the flicker of the landmarks of each part."""
    head_noise: Float[np.ndarray, " faces"]
    """Learned factor on the noise of the head's motion."""

    def __getitem__(self, faces: slice) -> "HeadState":
        return HeadState(
            self.points[faces], self.within[:, faces], self.modes[:, faces], self.rate[faces],
            self.pose[:, faces], self.moving[:, faces], self.noise[faces],
            self.head_noise[faces],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Innovations:
    """How surprising a measurement was, under the hypotheses as they were weighed."""

    head: Float[np.ndarray, " faces"]
    """Mean normalised squared innovation of shift, growth and turn; 1 is expected."""
    landmarks: Float[np.ndarray, " faces"]
    """The same of the landmarks within the face."""
    log_likelihood: Float[np.ndarray, " faces"]
    """Nats, but for a constant."""

    def __getitem__(self, faces: slice) -> "Innovations":
        return Innovations(self.head[faces], self.landmarks[faces], self.log_likelihood[faces])


def side_by_side(states: list[HeadState]) -> HeadState:
    """Many states as one."""
    if len(states) == 1:
        return states[0]
    axes = {"points": 0, "rate": 0, "noise": 0, "head_noise": 0}
    joined = {
        field.name: np.concatenate(
            [getattr(state, field.name) for state in states], axes.get(field.name, 1)
        )
        for field in fields(HeadState)
    }
    return HeadState(**joined)
