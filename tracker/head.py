"""What is believed of a head: how it may move, where it is, how surely."""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionConfig:
    """How a face is believed to move; lengths are in inter-ocular distances."""

    flicker_scale: float = 0.5
    """Factor on the calibrated flicker, whose crops lie anywhere within a cell of the heat map: the
    crop of a tracked face wanders less. With 1 a moving face is calmer, but blinks keep 84 % of
    their depth in place of 95 %."""
    diffusion: tuple[float, ...] = (5e-5, 0.02, 0.1)
    """How far a landmark wanders within the face in a second, 1 / sqrt(s): at rest, in speech, in
    a blink."""
    stays: float = 0.999
    """Chance that a part, or the head, goes on doing what it did in the frame before."""
    independent_landmarks: float = 4.0
    """So many landmarks of a part are as good as independent: neighbours err alike."""
    rest: float = 3.3e-5
    """How far a resting head wanders in a second, 1 / sqrt(s)."""
    acceleration_noise: tuple[float, ...] = (0.02, 2.7)
    """Spectral densities of a head's acceleration, 1 / s^3: while it glides, while it is thrown."""
    rate_memory_s: float = 0.6
    """How long a head's velocity lasts."""
    start_rate: float = 0.6
    """Standard deviation of the velocity of a head that starts to move, 1 / s."""
    common_flicker: float = 1e-4
    """Standard deviation of what all landmarks of a frame err together."""
    jump: float = 0.5
    """Standard deviation of a jump, as at a cut of the film."""
    jump_chance: float = 1e-3
    unseen_acceleration: float = 30.0
    """Factor on the acceleration of a head that is not seen."""


def smoothed(config: MotionConfig, smoothing: float) -> MotionConfig:
    """The config along the one knob that users have: 0.5 is `config` itself.

    Raises:
        ValueError: If `smoothing` is not between 0 and 1.
    """
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing must lie between 0 and 1, got {smoothing}")
    share = min(max(smoothing, 1e-3), 0.9)
    return replace(config, flicker_scale=config.flicker_scale * (share / (1 - share)) ** 2)


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

    def __getitem__(self, faces: slice) -> "HeadState":
        return HeadState(
            self.points[faces], self.within[:, faces], self.modes[:, faces], self.rate[faces],
            self.pose[:, faces], self.moving[:, faces],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Innovations:
    """How surprising a measurement was, under the hypotheses as they were weighed."""

    head: Float[np.ndarray, " faces"]
    """Mean normalised squared innovation of shift, growth and turn; 1 is expected."""
    landmarks: Float[np.ndarray, " faces"]
    """The same of the landmarks within the face."""


def side_by_side(states: list[HeadState]) -> HeadState:
    """Many states as one."""
    axes = {"points": 0, "rate": 0}
    joined = {
        field.name: np.concatenate(
            [getattr(state, field.name) for state in states], axes.get(field.name, 1)
        )
        for field in fields(HeadState)
    }
    return HeadState(**joined)
