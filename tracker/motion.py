"""How a face is believed to move, and what a new measurement makes of that belief.

A head moves as one: its shift, growth and turn from frame to frame are fitted to all landmarks,
each weighed by its covariance, and filtered with a rate. What is left per landmark is the face's
own motion, filtered without a rate. In every frame hypotheses compete, with evidence from the
measurement: the head rests, moves on or has jumped; each part of the face rests, speaks or
twitches. A resting face is averaged hard while one that moves is followed at once.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from .head import HeadState, Innovations, MotionConfig
from .kalman import (
    Symmetric,
    evidence_of_number,
    evidence_of_point,
    inverse_of,
    merged,
    outer,
    packed,
    predict_rate,
    rate_after,
    times,
    unpacked,
    update_point,
    update_rate,
)
from .layouts import Layout
from .noise import flicker_share, learned
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


@dataclass(frozen=True, slots=True)
class _Head:
    """What a measurement says of the head."""

    motion: Float[np.ndarray, "faces motion=4"]
    """Since the last frame."""
    rate: Float[np.ndarray, "faces motion=4"]
    covariance: Float[np.ndarray, "xx_xy_yy=3 faces motion=4"]
    moving: Float[np.ndarray, "hypotheses faces"]
    surprise: Float[np.ndarray, " faces"]
    log_likelihood: Float[np.ndarray, " faces"]


@dataclass(frozen=True, slots=True)
class _Face:
    """What a measurement says of the landmarks within the face."""

    covariance: Symmetric
    step: Float[np.ndarray, "xy=2 faces landmarks"]
    modes: Float[np.ndarray, "modes faces parts"]
    surprise: Float[np.ndarray, "modes faces parts"]
    log_likelihood: Float[np.ndarray, " faces"]


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
        self._switch_head = self._head_switching()
        self._diffusion = np.square(config.diffusion)[:, None]
        self._acceleration = np.array(config.acceleration_noise)[:, None, None]

    def start(
        self,
        points: Float[np.ndarray, "faces landmarks xy=2"],
        covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    ) -> HeadState:
        """Believe a first measurement."""
        faces, parts = len(points), len(self._weight)
        modes = len(self.config.diffusion)
        pose = np.zeros((3, faces, 4))
        pose[2] = self._start_rate(self._eyes(points))
        return HeadState(
            points,
            packed(covariance),
            np.full((modes, faces, parts), 1 / modes),
            np.zeros((faces, 4)),
            pose,
            np.full((len(self._switch_head), faces), 1 / len(self._switch_head)),
            np.full((faces, parts), self.config.noise_start),
            np.full(faces, self.config.noise_start),
        )

    def expected(
        self, state: HeadState, dt_s: Float[np.ndarray, " faces"]
    ) -> Float[np.ndarray, "faces landmarks xy=2"]:
        """Where the landmarks should be `dt_s` later."""
        _, reach = rate_after(np.maximum(dt_s, 0.0), self.config.rate_memory_s)
        likely = self._likely_to_move(state)[1:-1].sum(0)
        basis = self._basis(state, self._eyes(state.points))
        away = moved(basis, (likely * reach)[:, None] * state.rate)
        return state.points + away.transpose(1, 2, 0)

    def predicted(self, state: HeadState, dt_s: Float[np.ndarray, " faces"]) -> HeadState:
        """What is believed `dt_s` later, unmeasured, by the likeliest hypotheses."""
        eyes, dt = self._eyes(state.points), np.maximum(dt_s, _LEAST_STEP_S)
        likeliest = self._likely_to_move(state)[:-1].argmax(0)
        pose = self._head_priors(state, dt, eyes)[0, likeliest, np.arange(len(dt))]
        diffusion = self._diffusion * (dt * eyes**2)
        mode = self._switched(state.modes).argmax(0)
        wandered = diffusion[mode, np.arange(len(dt))[:, None]] @ self._from_parts
        within = state.within + np.array([1.0, 0.0, 1.0])[:, None, None] * wandered
        pose = np.stack([pose, *state.pose[1:]])
        return replace(state, points=self.expected(state, dt_s), within=within, pose=pose)

    def met(self, before: HeadState, after: HeadState) -> HeadState:
        """What two filters say of one moment together, one that saw it and one that saw the rest.

        Head and landmarks meet apart from each other. Where the two contradict each other the one
        that saw the moment is right: the other knows nothing of a cut or of a beginning blink.
        """
        basis = self._basis(before, self._eyes(before.points))
        offset = _components(after.points - before.points)
        motion, variance = fit_motion(basis, offset, inverse_of(before.within + after.within))
        residual = offset - moved(basis, motion)
        noise = after.pose[0] + variance
        surprise, _ = evidence_of_number(before.pose[0] + noise, motion)
        head = update_rate(before.pose, np.maximum(surprise, 1) * noise, motion)
        surprise, _ = evidence_of_point(before.within + after.within, residual)
        doubt = np.maximum((surprise @ self._to_parts) @ self._from_parts / 2, 1)
        face = update_point(before.within, doubt * after.within, residual)
        points = before.points + (moved(basis, head.step[0]) + face.step).transpose(1, 2, 0)
        return replace(before, points=points, within=face.covariance, pose=head.covariance)

    def coast(self, state: HeadState, dt_s: Float[np.ndarray, " faces"]) -> HeadState:
        """A frame without a measurement: the head may be anywhere near."""
        config, eyes = self.config, self._eyes(state.points)
        dt = np.maximum(dt_s, _LEAST_STEP_S)[:, None]
        kept, _ = rate_after(dt, config.rate_memory_s)
        noise = config.unseen_acceleration * max(config.acceleration_noise) * eyes[:, None] ** 2
        pose = predict_rate(state.pose, dt, config.rate_memory_s, noise)
        return replace(state, points=self.expected(state, dt_s), rate=kept * state.rate, pose=pose)

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
        offset = _components(measured - state.points)
        seen = np.isfinite(offset).all(0)
        offset = np.where(seen, offset, 0)
        share = flicker_share(offset, eyes, self.config)
        noise = share[:, None] * (state.noise @ self._from_parts) * packed(flicker)
        if not seen.all():
            noise[:, ~seen] = np.array([[_BLIND], [0], [_BLIND]]) * np.square(eyes).max()
        basis = self._basis(state, eyes)
        diffusion = self._diffusion * (dt * eyes**2)
        likely = self._switched(state.modes)
        spread = (likely * diffusion[..., None]).sum(0) @ self._from_parts
        motion, variance = self._fitted(basis, offset, state.within + noise, spread)
        variance *= state.head_noise[:, None]
        head = self._head(state, motion, variance, dt, eyes)
        residual = offset - moved(basis, motion)
        face = self._within(state.within, noise, residual, likely, diffusion)
        # What is believed was learned from noise of the same scale, so it is rescaled too.
        gain = (1 - np.exp(-dt / self.config.noise_memory_s)) * seen.all(-1)
        at_rest = gain[:, None] * face.modes[0]
        part_noise = learned(state.noise, face.surprise[0], at_rest, self.config)
        head_noise = learned(state.head_noise, head.surprise, gain, self.config)
        within = face.covariance * ((part_noise / state.noise) @ self._from_parts)
        pose = head.covariance * (head_noise / state.head_noise)[:, None]
        points = state.points + (moved(basis, head.motion) + face.step).transpose(1, 2, 0)
        after = HeadState(
            points, within, face.modes, head.rate, pose, head.moving, part_noise, head_noise,
        )  # fmt: skip
        surprise = (face.modes * face.surprise).sum((0, 2)) / len(self._weight)
        likely_together = head.log_likelihood + face.log_likelihood
        return after, Innovations(head.surprise, surprise, likely_together)

    def covariance(self, state: HeadState) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """Of every landmark in the picture: within the face, and of the face."""
        basis = self._basis(state, self._eyes(state.points))
        of_face = (state.pose[0][:, None] @ outer(basis, basis))[:, :, 0]
        return unpacked(state.within + of_face)

    def _fitted(
        self,
        basis: Float[np.ndarray, "xy=2 faces motion=4 landmarks"],
        offset: Float[np.ndarray, "xy=2 faces landmarks"],
        covariance: Symmetric,
        spread: Float[np.ndarray, "faces landmarks"],
    ) -> tuple[Float[np.ndarray, "faces motion=4"], Float[np.ndarray, "faces motion=4"]]:
        """The head's motion; parts that move by themselves are left out the second time."""
        covariance[::2] += spread
        precision = inverse_of(covariance)
        motion, variance = fit_motion(basis, offset, precision)
        residual = offset - moved(basis, motion)
        surprise = (residual * times(precision, residual)).sum(0)
        excess = (surprise @ self._to_parts) / (2 * _ROBUST_BEYOND)
        lively = np.flatnonzero(excess.max(-1) > 1)
        if len(lively):
            weight = np.maximum(excess[lively] @ self._from_parts, 1)
            motion[lively], variance[lively] = fit_motion(
                basis[:, lively], offset[:, lively], precision[:, lively] / weight
            )
        return motion, variance

    def _head(
        self,
        state: HeadState,
        motion: Float[np.ndarray, "faces motion=4"],
        variance: Float[np.ndarray, "faces motion=4"],
        dt: Float[np.ndarray, " faces"],
        eyes: Float[np.ndarray, " faces"],
    ) -> "_Head":
        config = self.config
        kept, reach = rate_after(dt[:, None], config.rate_memory_s)
        prior = self._head_priors(state, dt, eyes)
        mean = np.zeros((2, *prior.shape[1:]))  # of the motion and its rate
        mean[0, 1:-1], mean[1, 1:-1] = reach * state.rate, kept * state.rate
        innovation = motion - mean[0]
        noise = variance + (config.common_flicker * eyes[:, None]) ** 2
        surprise, evidence = evidence_of_number(prior[0] + noise, innovation)
        chance, fit = _posterior(np.log(self._likely_to_move(state)) + evidence.sum(-1))
        updated = update_rate(prior, noise, innovation)
        weight = chance[..., None]
        (value, rate), covariance = merged(weight, mean + updated.step, updated.covariance)
        return _Head(value, rate, covariance, chance, (weight * surprise).sum((0, 2)) / 4, fit)

    def _head_priors(
        self, state: HeadState, dt: Float[np.ndarray, " faces"], eyes: Float[np.ndarray, " faces"]
    ) -> Float[np.ndarray, "vv_vr_rr=3 hypotheses faces motion=4"]:
        """Covariance of the head's motion under each hypothesis, before it is measured."""
        config, square, dt = self.config, eyes[:, None] ** 2, dt[:, None]
        prior = np.zeros((3, *state.moving.shape, 4))
        prior[0, 0] = state.pose[0] + config.rest**2 * dt * square
        prior[0, -1] = config.jump**2 * square
        prior[2, 0] = prior[2, -1] = config.start_rate**2 * square
        noise = self._acceleration * square
        prior[:, 1:-1] = predict_rate(state.pose[:, None], dt[None], config.rate_memory_s, noise)
        return prior

    def _within(
        self,
        within: Symmetric,
        noise: Symmetric,
        residual: Float[np.ndarray, "xy=2 faces landmarks"],
        likely: Float[np.ndarray, "modes faces parts"],
        diffusion: Float[np.ndarray, "modes faces"],
    ) -> "_Face":
        covariance = np.repeat((within + noise)[:, None], len(diffusion), 1)
        covariance[::2] += diffusion[..., None]
        surprise, fit = self._by_part(covariance, residual)
        modes, log_likelihood = _posterior(np.log(likely) + fit)
        # The likeliest mode of a part wins; a landmark of two parts takes the mean of theirs.
        livelier = diffusion[modes.argmax(0), np.arange(len(diffusion[0]))[:, None]]
        prior = within.copy()
        prior[::2] += livelier @ self._from_parts
        updated = update_point(prior, noise, residual)
        return _Face(updated.covariance, updated.step, modes, surprise, log_likelihood.sum(-1))

    def _by_part(
        self,
        covariance: Symmetric,
        innovation: Float[np.ndarray, "xy=2 faces landmarks"],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Normalised innovations and log likelihoods of parts."""
        surprise, evidence = evidence_of_point(covariance, innovation)
        return surprise @ self._to_parts / 2, (evidence @ self._to_parts) * self._weight

    def _head_switching(self) -> Float[np.ndarray, "hypotheses hypotheses"]:
        """Chance of each hypothesis (row) after each (column)."""
        stays, jumps = self.config.stays, self.config.jump_chance
        lasting = 1 + len(self.config.acceleration_noise)
        switch = np.full((lasting + 1, lasting + 1), (1 - stays) / (lasting - 1))
        np.fill_diagonal(switch, stays)
        switch[:, -1] = 1 / lasting  # after a jump nobody knows whether the head rests
        switch[:-1] *= 1 - jumps
        switch[-1] = jumps
        return switch

    def _likely_to_move(self, state: HeadState) -> Float[np.ndarray, "hypotheses faces"]:
        """Chances of the hypotheses before this frame is looked at."""
        return self._switch_head @ state.moving

    def _switched(
        self, modes: Float[np.ndarray, "modes faces parts"]
    ) -> Float[np.ndarray, "modes faces parts"]:
        flat = self._switch @ modes.reshape(len(modes), -1)
        return flat.reshape(modes.shape)

    def _basis(
        self, state: HeadState, eyes: Float[np.ndarray, " faces"]
    ) -> Float[np.ndarray, "xy=2 faces motion=4 landmarks"]:
        return motion_basis(_components(state.points), eyes)

    def _start_rate(self, eyes: Float[np.ndarray, " faces"]) -> Float[np.ndarray, "faces motion=1"]:
        return (self.config.start_rate * eyes[:, None]) ** 2

    def _eyes(
        self, points: Float[np.ndarray, "faces landmarks xy=2"]
    ) -> Float[np.ndarray, " faces"]:
        return np.maximum(self._layout.interocular(points), 1.0)


def _components(
    points: Float[np.ndarray, "faces landmarks xy=2"],
) -> Float[np.ndarray, "xy=2 faces landmarks"]:
    return np.ascontiguousarray(points.transpose(2, 0, 1))


def _posterior(
    log_weight: Float[np.ndarray, "hypotheses *batch"],
) -> tuple[Float[np.ndarray, "hypotheses *batch"], Float[np.ndarray, "*batch"]]:
    """Chances from unnormalised log chances, none of them lost for good; the log of their sum."""
    largest = log_weight.max(0)
    weight = np.exp(log_weight - largest)
    total = weight.sum(0)
    chance = np.maximum(weight / total, _LEAST_CHANCE)
    return chance / chance.sum(0), largest + np.log(total)
