"""The filter: a Kalman filter with modes for the head as a whole and for the parts of its face.

The head's similarity from frame to frame is fitted to all landmarks, each weighted by its
covariance, then its turn in depth to what that leaves; both are filtered with a velocity
(`head_model`). What is left per landmark is the face's own motion, a random walk (`part_model`). A
still face is averaged hard while one that moves is followed at once.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from ..layouts import Layout
from .adaptive_noise import adapted, noise_share, successive_change
from .config import MotionConfig
from .face_depth import depths_of
from .head_model import HeadModel, HeadUpdate, of_numbers
from .kalman import (
    Symmetric,
    inverse_of,
    packed,
    scalar_likelihood,
    times,
    unpacked,
    update_point,
    update_velocity,
)
from .part_model import PartModel, PartUpdate
from .similarity import Bases, HeadMotion, fit_groups, head_basis, moved_head
from .state import HeadState, Innovations

_OUTLIER_NIS = 3.0
"""A part whose mean NIS is beyond this many times its expectation moves by itself: it counts less
in the fit of the head's motion."""
_BURST_NIS = 8.0
"""The head's scale follows up to this normalised innovation: no motion is mistaken for it."""
_LEAST_STEP_S = 1e-4
"""Two frames of one time stamp are this far apart."""
_UNMEASURED = 1e6
"""Noise variance of a landmark that was not measured, in square inter-ocular distances."""

Points = Float[np.ndarray, "faces landmarks xy=2"]
Components = Float[np.ndarray, "xy=2 faces landmarks"]
Lengths = Float[np.ndarray, " faces"]


class HeadFilter:
    """Pure functions of states, for one layout and configuration.

    Args:
        layout: Of the landmarks.
        config: The motion model.
    """

    def __init__(self, layout: Layout, config: MotionConfig) -> None:
        self.layout, self.config = layout, config
        self._depths = depths_of(layout)
        self._head = HeadModel(config, groups=1 if self._depths is None else 2)
        self._parts = PartModel(layout, config)

    def start(
        self, points: Points, covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    ) -> HeadState:
        """The state of faces after their first measurement, pixels and square pixels."""
        faces, parts = len(points), self._parts.count
        hypotheses, groups = self._head.hypotheses, self._head.groups
        return HeadState(
            points,
            packed(covariance),
            np.tile(self._parts.initial_modes[:, None, None], (faces, parts)),
            np.zeros((faces, self._head.numbers)),
            self._head.initial_covariance(self._lengths(points)),
            np.full((hypotheses, faces, groups), 1 / hypotheses),
            np.full((faces, parts), self.config.initial_noise_factor),
            np.full((faces, groups), self.config.initial_noise_factor),
            np.ones((faces, groups)),
            np.zeros((faces, self._head.numbers)),
        )

    def expected(self, state: HeadState, dt_s: Lengths) -> Points:
        """Mean of the landmarks `dt_s` later."""
        motion = self._head.expected_motion(state, np.maximum(dt_s, 0.0))
        expected: np.ndarray = state.points + moved_head(self._bases(state), motion).transpose(
            1, 2, 0
        )
        return expected

    def coast(self, state: HeadState, dt_s: Lengths) -> HeadState:
        """The state after a frame without a measurement: less and less certain."""
        dt = np.maximum(dt_s, _LEAST_STEP_S)
        velocity, covariance = self._head.coasted(state, dt, self._lengths(state.points))
        return replace(
            state,
            points=self.expected(state, dt_s),
            velocity=velocity,
            head_covariance=covariance,
        )

    def update(
        self,
        state: HeadState,
        measured: Points,
        noise_covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
        dt_s: Lengths,
    ) -> tuple[HeadState, Innovations]:
        """The state after a measurement of every face.

        Args:
            state: Before the frame.
            measured: Landmarks in pixels; one that is not finite was not measured.
            noise_covariance: R of each landmark, square pixels; finite, positive definite.
            dt_s: Seconds since `state`, one for each face.
        """
        lengths, dt = self._lengths(state.points), np.maximum(dt_s, _LEAST_STEP_S)
        offset = _components(measured - state.points)
        seen = np.isfinite(offset).all(0)
        if not seen.all():
            offset[:, ~seen] = 0
        noise, seen = self._noise(state, offset, noise_covariance, lengths, seen)
        bases = self._bases(state)
        process_noise = self._parts.process_noise(dt, lengths)
        expected_modes = self._parts.expected_modes(state.part_modes)
        spread = (expected_modes * process_noise[..., None]).sum(0) @ self._parts.from_parts
        motion, variance, residual = self._fitted(
            bases, offset, state.landmark_covariance + noise, spread
        )
        variance *= of_numbers(state.head_noise)
        head = self._head.update(state, motion, variance, dt, lengths)
        known = self._in_doubt(state.landmark_covariance, head.motion)
        parts = self._parts.update(known, noise, residual, expected_modes, process_noise)
        points = state.points + (moved_head(bases, head.motion) + parts.step).transpose(1, 2, 0)
        after = self._adapted(state, points, head, parts, _gain(dt, seen, self.config))
        log_likelihood = head.log_likelihood.sum(-1) + parts.log_likelihood
        head_nis = head.nis[:, 0] / state.head_scale[:, 0]
        return after, Innovations(head_nis, self._parts.mean_nis(parts), log_likelihood)

    def fuse(self, before: HeadState, after: HeadState, dt_s: Lengths) -> HeadState:
        """The first of two filters' states, with what the other knows of what follows.

        Head and landmarks are fused apart from each other. What the two differ by says how much a
        part has moved between them. Where the heads contradict each other the first is right: the
        other knows nothing of a cut.

        Args:
            before: Of a filter that runs forwards, after it has measured the frame.
            after: Of one that runs backwards, after it has measured the next frame.
            dt_s: Seconds between them.

        Source:
            Fraser, Potter 1969: the two-filter smoother.
        """
        lengths, dt = self._lengths(before.points), np.maximum(dt_s, _LEAST_STEP_S)
        bases = self._bases(before)
        offset = _components(self.expected(after, dt_s) - before.points)
        both = before.landmark_covariance + after.landmark_covariance
        motion, variance, residual = fit_groups(bases, offset, inverse_of(both))
        noise = self._head.predicted_variance(after, dt, lengths) + variance
        nis, _ = scalar_likelihood(before.head_covariance[0] + noise, motion)
        head = update_velocity(before.head_covariance, np.maximum(nis, 1) * noise, motion)
        known = self._in_doubt(after.landmark_covariance, head.step[0])
        known[::2] += self._parts.moved_between(before, after, residual, dt, lengths)
        face = update_point(before.landmark_covariance, known, residual)
        points = before.points + (moved_head(bases, head.step[0]) + face.step).transpose(1, 2, 0)
        return replace(
            before,
            points=points,
            landmark_covariance=face.covariance,
            head_covariance=head.covariance,
        )

    def covariance(self, state: HeadState) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """Of every landmark in the picture, square pixels: within the face, and of the similarity.

        A turn, whose noise lasts from frame to frame, would add what the landmarks do not show.
        """
        points = _components(state.points)
        home = points - points.sum(-1, keepdims=True) / points.shape[-1]
        home /= self._lengths(state.points)[:, None]
        of_similarity = state.head_covariance[0, :, :4] * state.head_scale[:, :1]
        shift_x, shift_y, scale, turn = of_similarity.T[..., None]
        xx, yy = home * home
        of_head = np.array(
            [
                scale * xx + turn * yy + shift_x,
                (scale - turn) * home[0] * home[1],
                scale * yy + turn * xx + shift_y,
            ]
        )
        return unpacked(state.landmark_covariance + of_head)

    def _noise(
        self,
        state: HeadState,
        offset: Components,
        noise_covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
        lengths: Lengths,
        seen: Bool[np.ndarray, "faces landmarks"],
    ) -> tuple[Symmetric, Bool[np.ndarray, "faces landmarks"]]:
        """R as this track shows it, and the landmarks that count as measured under it."""
        share = noise_share(offset, lengths, self.config)
        calibrated = packed(noise_covariance)
        unmeasured = _UNMEASURED * np.square(lengths).max()
        seen &= calibrated[0] + calibrated[2] < unmeasured
        factor = np.minimum(share[:, None] * state.part_noise, self.config.largest_noise)
        noise = factor @ self._parts.from_parts * calibrated
        if not seen.all():
            noise[:, ~seen] = np.array([[unmeasured], [0], [unmeasured]])
            offset[:, ~seen] = 0
        return noise, seen

    def _in_doubt(self, covariance: Symmetric, motion: HeadMotion) -> Symmetric:
        """Of landmarks after a turn, which moves each by a depth that is not exactly known."""
        wider = covariance.copy()
        if self._depths is not None:
            wider[::2] += np.square(self.config.depth_error * motion[:, 4:6]).T[..., None]
        return wider

    def _fitted(
        self,
        bases: Bases,
        offset: Components,
        covariance: Symmetric,
        spread: Float[np.ndarray, "faces landmarks"],
    ) -> tuple[HeadMotion, HeadMotion, Components]:
        """The head's motion; parts that move by themselves count less in a second fit."""
        covariance[::2] += spread
        precision = inverse_of(covariance)
        return fit_groups(bases, offset, precision, self._weighed)

    def _weighed(self, residual: Components, precision: Symmetric) -> Symmetric | None:
        """The precision that parts keep which move by themselves; None where all move as one."""
        distance = (residual * times(precision, residual)).sum(0)
        excess = (distance @ self._parts.to_parts) / (2 * _OUTLIER_NIS)
        if not (excess > 1).any():
            return None
        kept: np.ndarray = precision / np.maximum(excess @ self._parts.from_parts, 1)
        return kept

    def _adapted(
        self,
        state: HeadState,
        points: Points,
        head: HeadUpdate,
        parts: PartUpdate,
        gain: Lengths,
    ) -> HeadState:
        """The state after the frame, with noise and scale learned from its innovations.

        What a turn leaves is not noise, so that of landmarks is not learned meanwhile. Landmarks'
        and head's covariances were learned from noise of the same scale, so they are rescaled with
        it.
        """
        still = gain[:, None] * head.unturned * parts.modes[0]
        part_noise = adapted(state.part_noise, parts.nis[0], still, self.config)
        change, of_head = successive_change(head.innovation, state.head_innovation), gain[:, None]
        head_noise = adapted(state.head_noise, change, of_head, self.config)
        rescaled = (part_noise / state.part_noise) @ self._parts.from_parts
        return HeadState(
            points,
            parts.covariance * rescaled,
            parts.modes,
            head.velocity,
            head.covariance * of_numbers(head_noise / state.head_noise),
            head.modes,
            part_noise,
            head_noise,
            adapted(
                state.head_scale, head.nis / state.head_scale, of_head, self.config, _BURST_NIS
            ),
            head.innovation,
        )

    def _bases(self, state: HeadState) -> Bases:
        return head_basis(_components(state.points), self._lengths(state.points), self._depths)

    def _lengths(self, points: Points) -> Lengths:
        return np.maximum(self.layout.length(points), 1.0)


def _gain(
    dt_s: Lengths, seen: Bool[np.ndarray, "faces landmarks"], config: MotionConfig
) -> Lengths:
    """Weight of a frame in what is learned of the noise; none where a landmark is missing."""
    gain: np.ndarray = (1 - np.exp(-dt_s / config.noise_memory_s)) * seen.all(-1)
    return gain


def _components(points: Points) -> Components:
    return np.ascontiguousarray(points.transpose(2, 0, 1))
