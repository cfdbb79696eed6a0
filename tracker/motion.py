"""How a face is believed to move, and what a new measurement makes of that belief.

A head moves as one: its shift, growth and turn from frame to frame are fitted to all landmarks,
each weighed by its covariance, and filtered with a rate. What is left per landmark is the face's
own motion, filtered without a rate. In every frame hypotheses compete, with evidence from the
measurement: the head rests, moves on or has jumped; each part of the face rests, speaks or
twitches. A resting face is averaged hard while one that moves is followed at once.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from .kalman import (
    Symmetric,
    evidence_of_number,
    evidence_of_point,
    inverse_of,
    merged,
    packed,
    predict_rate,
    rate_after,
    unpacked,
    update_point,
    update_rate,
)
from .layouts import Layout
from .rigid import fit_motion, motion_basis, moved

_ROBUST_BEYOND = 3.0
"""A part whose mean surprise is beyond this many times its expectation moves by itself: it counts
less in the fit of the head's motion."""
_LEAST_CHANCE = 1e-4
"""No hypothesis is ever given up."""
_LEAST_STEP_S = 1e-4
"""Two frames of one time stamp are this far apart."""
_BLIND = 1e6
"""Noise of a landmark that was not measured, in square eye distances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionConfig:
    """How a face is believed to move; lengths are in inter-ocular distances."""

    flicker_scale: float = 3.0
    """Factor on the calibrated flicker, which was measured on still pictures: a face that moves
    over the pixel grid flickers more."""
    diffusion: tuple[float, ...] = (5e-5, 0.02, 0.1)
    """How far a landmark wanders within the face in a second, 1 / sqrt(s): at rest, in speech, in
    a blink."""
    stays: float = 0.999
    """Chance that a part, or the head, goes on doing what it did in the frame before."""
    independent_landmarks: float = 4.0
    """So many landmarks of a part are as good as independent: neighbours err alike."""
    rest: float = 3.3e-5
    """How far a resting head wanders in a second, 1 / sqrt(s)."""
    acceleration_noise: float = 2.7
    """Spectral density of a moving head's acceleration, 1 / s^3."""
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
    moving: Float[np.ndarray, "hypotheses=3 faces"]
    """Chance that the head rests, moves on, has just jumped."""

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


class HeadMotion:
    """The filter: pure functions of states, for one layout and configuration."""

    def __init__(self, layout: Layout, config: MotionConfig) -> None:
        self._layout, self.config = layout, config
        belongs = np.zeros((layout.count, len(layout.parts)))
        for index, part in enumerate(layout.parts):
            belongs[list(part), index] = 1
        self._to_parts = belongs / belongs.sum(0)
        """Mean over the landmarks of each part."""
        self._from_parts = (belongs / belongs.sum(1, keepdims=True)).T
        """Mean over the parts of each landmark."""
        self._weight = np.minimum(config.independent_landmarks, belongs.sum(0))
        modes, stays = len(config.diffusion), config.stays
        self._switch = np.full((modes, modes), (1 - stays) / max(modes - 1, 1))
        np.fill_diagonal(self._switch, stays)

    def start(
        self,
        points: Float[np.ndarray, "faces landmarks xy=2"],
        covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    ) -> HeadState:
        """Believe a first measurement."""
        faces, parts = len(points), len(self._weight)
        modes = len(self.config.diffusion)
        pose = np.zeros((3, faces, 4))
        pose[2] = self._start_rate(points)
        return HeadState(
            points,
            packed(covariance),
            np.full((modes, faces, parts), 1 / modes),
            np.zeros((faces, 4)),
            pose,
            np.tile([[0.5], [0.5], [0.0]], faces),
        )

    def expected(
        self, state: HeadState, dt_s: Float[np.ndarray, " faces"]
    ) -> Float[np.ndarray, "faces landmarks xy=2"]:
        """Where the landmarks should be `dt_s` later."""
        _, reach = rate_after(np.maximum(dt_s, 0.0), self.config.rate_memory_s)
        likely = self._likely_to_move(state)[1]
        basis = self._basis(state, self._eyes(state.points))
        away = moved(basis, (likely * reach)[:, None] * state.rate)
        return state.points + np.moveaxis(away, 0, -1)

    def coast(self, state: HeadState, dt_s: Float[np.ndarray, " faces"]) -> HeadState:
        """A frame without a measurement: the head may be anywhere near."""
        config, eyes = self.config, self._eyes(state.points)
        dt = np.maximum(dt_s, _LEAST_STEP_S)[:, None]
        kept, _ = rate_after(dt, config.rate_memory_s)
        noise = config.unseen_acceleration * config.acceleration_noise * eyes[:, None] ** 2
        pose = predict_rate(state.pose, dt, config.rate_memory_s, noise)
        points, rate = self.expected(state, dt_s), kept * state.rate
        return HeadState(points, state.within, state.modes, rate, pose, state.moving)

    def step(
        self,
        state: HeadState,
        measured: Float[np.ndarray, "faces landmarks xy=2"],
        flicker: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
        dt_s: Float[np.ndarray, " faces"],
    ) -> tuple[HeadState, Innovations]:
        """Take a measurement of every face in; a landmark that is not finite was not measured."""
        eyes = self._eyes(state.points)
        dt = np.maximum(dt_s, _LEAST_STEP_S)
        offset = np.moveaxis(measured - state.points, -1, 0).copy()
        noise = self.config.flicker_scale * packed(flicker)
        unseen = ~np.isfinite(offset).all(0)
        if unseen.any():
            offset[:, unseen] = 0
            noise[:, unseen] = np.array([[_BLIND], [0], [_BLIND]]) * np.square(eyes).max()
        basis = self._basis(state, eyes)
        diffusion = np.multiply.outer(np.square(self.config.diffusion), dt * eyes**2)
        likely = self._switched(state.modes)
        spread = (likely * diffusion[..., None]).sum(0) @ self._from_parts
        motion, variance = self._fitted(basis, offset, state.within + noise, spread)
        pose, rate, covariance, moving, head = self._head(state, motion, variance, dt, eyes)
        residual = offset - moved(basis, motion)
        within, step, modes, face = self._within(state.within, noise, residual, likely, diffusion)
        points = state.points + np.moveaxis(moved(basis, pose) + step, 0, -1)
        return HeadState(points, within, modes, rate, covariance, moving), Innovations(head, face)

    def covariance(self, state: HeadState) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """Of every landmark in the picture: within the face, and of the face."""
        basis = self._basis(state, self._eyes(state.points))
        of_face = np.einsum("ifkn,fk,jfkn->fnij", basis, state.pose[0], basis)
        return unpacked(state.within) + of_face

    def _fitted(
        self,
        basis: Float[np.ndarray, "xy=2 faces motion=4 landmarks"],
        offset: Float[np.ndarray, "xy=2 faces landmarks"],
        covariance: Symmetric,
        spread: Float[np.ndarray, "faces landmarks"],
    ) -> tuple[Float[np.ndarray, "faces motion=4"], Float[np.ndarray, "faces motion=4"]]:
        """The head's motion; parts that move by themselves are left out the second time."""
        covariance[0] += spread
        covariance[2] += spread
        precision = inverse_of(covariance)
        motion, variance = fit_motion(basis, offset, precision)
        x, y = offset - moved(basis, motion)
        surprise = precision[0] * x * x + 2 * precision[1] * x * y + precision[2] * y * y
        excess = (surprise @ self._to_parts) / (2 * _ROBUST_BEYOND)
        if excess.max() <= 1:
            return motion, variance
        return fit_motion(basis, offset, precision / np.maximum(excess @ self._from_parts, 1))

    def _head(
        self,
        state: HeadState,
        motion: Float[np.ndarray, "faces motion=4"],
        variance: Float[np.ndarray, "faces motion=4"],
        dt: Float[np.ndarray, " faces"],
        eyes: Float[np.ndarray, " faces"],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Motion since the last frame, rate, covariance, chances, normalised innovation."""
        config = self.config
        kept, reach = rate_after(dt[:, None], config.rate_memory_s)
        prior = np.zeros((3, 3, *motion.shape))  # (xx xy yy, hypotheses, faces, 4)
        prior[0, 0] = state.pose[0] + (config.rest**2 * dt * eyes**2)[:, None]
        prior[0, 2] = (config.jump * eyes[:, None]) ** 2
        prior[2, 0] = prior[2, 2] = self._start_rate(state.points)
        acceleration = config.acceleration_noise * eyes[:, None] ** 2
        prior[:, 1] = predict_rate(state.pose, dt[:, None], config.rate_memory_s, acceleration)
        value, rate = np.zeros((3, *motion.shape)), np.zeros((3, *motion.shape))
        value[1], rate[1] = reach * state.rate, kept * state.rate
        noise = variance + (config.common_flicker * eyes[:, None]) ** 2
        surprise, evidence = evidence_of_number(prior[0] + noise, motion - value)
        chance = _posterior(np.log(self._likely_to_move(state)) + evidence.sum(-1))
        updated = update_rate(prior, noise, motion - value)
        weight = chance[..., None]
        (value, rate), covariance = merged(
            weight, np.stack([value, rate]) + updated.step, updated.covariance
        )
        return value, rate, covariance, chance, (weight * surprise).sum(0).mean(-1)

    def _within(
        self,
        within: Symmetric,
        noise: Symmetric,
        residual: Float[np.ndarray, "xy=2 faces landmarks"],
        likely: Float[np.ndarray, "modes faces parts"],
        diffusion: Float[np.ndarray, "modes faces"],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Covariances, steps, chances of the parts' modes, normalised innovation."""
        wandered = np.repeat(within[:, None], len(likely), 1)
        wandered[0] += diffusion[..., None]
        wandered[2] += diffusion[..., None]
        surprise, evidence = evidence_of_point(wandered, noise[:, None], residual[:, None])
        modes = _posterior(np.log(likely) + (evidence @ self._to_parts) * self._weight)
        # The likeliest mode of a part wins; a landmark of two parts takes the mean of theirs.
        faces = np.arange(len(diffusion[0]))[:, None]
        livelier = diffusion[modes.argmax(0), faces] @ self._from_parts
        prior = within.copy()
        prior[0] += livelier
        prior[2] += livelier
        updated = update_point(prior, noise, residual)
        mean = (modes * (surprise @ self._to_parts)).sum(0).mean(-1) / 2
        return updated.covariance, updated.step, modes, mean

    def _likely_to_move(self, state: HeadState) -> Float[np.ndarray, "hypotheses=3 faces"]:
        """Chances that the head rests, moves on or jumps before this frame is looked at."""
        stays, jumps = self.config.stays, self.config.jump_chance
        # After a jump nobody knows whether the head rests.
        rested = state.moving[0] + state.moving[2] / 2
        rests = rested * stays + (1 - rested) * (1 - stays)
        return np.stack(
            [(1 - jumps) * rests, (1 - jumps) * (1 - rests), np.full_like(rests, jumps)]
        )

    def _switched(
        self, modes: Float[np.ndarray, "modes faces parts"]
    ) -> Float[np.ndarray, "modes faces parts"]:
        flat = self._switch @ modes.reshape(len(modes), -1)
        return flat.reshape(modes.shape)

    def _basis(
        self, state: HeadState, eyes: Float[np.ndarray, " faces"]
    ) -> Float[np.ndarray, "xy=2 faces motion=4 landmarks"]:
        return motion_basis(np.moveaxis(state.points, -1, 0), eyes)

    def _start_rate(
        self, points: Float[np.ndarray, "faces landmarks xy=2"]
    ) -> Float[np.ndarray, "faces motion=1"]:
        return (self.config.start_rate * self._eyes(points)[:, None]) ** 2

    def _eyes(
        self, points: Float[np.ndarray, "faces landmarks xy=2"]
    ) -> Float[np.ndarray, " faces"]:
        return np.maximum(self._layout.interocular(points), 1.0)


def _posterior(log_weight: Float[np.ndarray, "hypotheses *batch"]) -> np.ndarray:
    """Chances from unnormalised log chances, none of them lost for good."""
    weight = np.exp(log_weight - log_weight.max(0))
    chance = np.maximum(weight / weight.sum(0), _LEAST_CHANCE)
    return chance / chance.sum(0)
