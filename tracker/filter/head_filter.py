"""The filter: a Kalman filter with modes for the head as a whole and for the parts of its face.

The head's similarity from frame to frame is fitted to all landmarks, each weighted by its
covariance, and filtered with a velocity (`head_model`). What is left per landmark is the face's own
motion, a random walk (`part_model`). A still face is averaged hard while one that moves is followed
at once.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from ..layouts import Layout
from .adaptive_noise import adapted, noise_share
from .config import MotionConfig
from .head_model import HeadModel, HeadUpdate
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
from .similarity import Basis, fit_similarity, moved, similarity_basis
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
        self._head, self._parts = HeadModel(config), PartModel(layout, config)

    def start(
        self, points: Points, covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    ) -> HeadState:
        """The state of faces after their first measurement, pixels and square pixels."""
        faces, parts = len(points), self._parts.count
        return HeadState(
            points,
            packed(covariance),
            np.tile(self._parts.initial_modes[:, None, None], (faces, parts)),
            np.zeros((faces, 4)),
            self._head.initial_covariance(self._lengths(points)),
            np.full((self._head.hypotheses, faces), 1 / self._head.hypotheses),
            np.full((faces, parts), self.config.initial_noise_factor),
            np.full(faces, self.config.initial_noise_factor),
            np.ones(faces),
            np.zeros((faces, 4)),
        )

    def expected(self, state: HeadState, dt_s: Lengths) -> Points:
        """Mean of the landmarks `dt_s` later."""
        motion = self._head.expected_motion(state, np.maximum(dt_s, 0.0))
        shift, turn = motion.view(complex).T[..., None]
        places = state.points.view(complex)[..., 0]
        centre = places.sum(-1, keepdims=True) / places.shape[-1]
        turn /= self._lengths(state.points)[:, None]
        after = places + (turn * (places - centre) + shift)
        return after.view(float).reshape(state.points.shape)

    def coast(self, state: HeadState, dt_s: Lengths) -> HeadState:
        """The state after a frame without a measurement: less and less certain."""
        dt = np.maximum(dt_s, _LEAST_STEP_S)
        velocity, covariance = self._head.coasted(state, dt, self._lengths(state.points))
        return replace(
            state,
            points=self.expected(state, dt_s),
            velocity=velocity,
            similarity_covariance=covariance,
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
        basis = self._basis(state)
        process_noise = self._parts.process_noise(dt, lengths)
        expected_modes = self._parts.expected_modes(state.part_modes)
        spread = (expected_modes * process_noise[..., None]).sum(0) @ self._parts.from_parts
        motion, variance = self._fitted(basis, offset, state.landmark_covariance + noise, spread)
        variance *= state.head_noise[:, None]
        head = self._head.update(state, motion, variance, dt, lengths)
        residual = offset - moved(basis, motion)
        parts = self._parts.update(
            state.landmark_covariance, noise, residual, expected_modes, process_noise
        )
        points = state.points + (moved(basis, head.motion) + parts.step).transpose(1, 2, 0)
        after = self._adapted(state, points, head, parts, _gain(dt, seen, self.config))
        log_likelihood = head.log_likelihood + parts.log_likelihood
        return after, Innovations(
            head.nis / state.head_scale, self._parts.mean_nis(parts), log_likelihood
        )

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
        basis = self._basis(before)
        offset = _components(self.expected(after, dt_s) - before.points)
        both = before.landmark_covariance + after.landmark_covariance
        motion, variance = fit_similarity(basis, offset, inverse_of(both))
        noise = self._head.predicted_variance(after, dt, lengths) + variance
        nis, _ = scalar_likelihood(before.similarity_covariance[0] + noise, motion)
        head = update_velocity(before.similarity_covariance, np.maximum(nis, 1) * noise, motion)
        residual = offset - moved(basis, motion)
        known = after.landmark_covariance.copy()
        known[::2] += self._parts.moved_between(before, after, residual, dt, lengths)
        face = update_point(before.landmark_covariance, known, residual)
        points = before.points + (moved(basis, head.step[0]) + face.step).transpose(1, 2, 0)
        return replace(
            before,
            points=points,
            landmark_covariance=face.covariance,
            similarity_covariance=head.covariance,
        )

    def covariance(self, state: HeadState) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """Of every landmark in the picture, square pixels: within the face, and of the head."""
        points = _components(state.points)
        home = points - points.sum(-1, keepdims=True) / points.shape[-1]
        home /= self._lengths(state.points)[:, None]
        of_motion = state.similarity_covariance[0] * state.head_scale[:, None]
        shift_x, shift_y, scale, turn = of_motion.T[..., None]
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
        noise = (share[:, None] * state.part_noise) @ self._parts.from_parts * calibrated
        if not seen.all():
            noise[:, ~seen] = np.array([[unmeasured], [0], [unmeasured]])
            offset[:, ~seen] = 0
        return noise, seen

    def _fitted(
        self,
        basis: Basis,
        offset: Components,
        covariance: Symmetric,
        spread: Float[np.ndarray, "faces landmarks"],
    ) -> tuple[Float[np.ndarray, "faces motion=4"], Float[np.ndarray, "faces motion=4"]]:
        """The head's motion; parts that move by themselves count less in a second fit."""
        covariance[::2] += spread
        precision = inverse_of(covariance)
        motion, variance = fit_similarity(basis, offset, precision)
        residual = offset - moved(basis, motion)
        distance = (residual * times(precision, residual)).sum(0)
        excess = (distance @ self._parts.to_parts) / (2 * _OUTLIER_NIS)
        if (excess > 1).any():
            precision /= np.maximum(excess @ self._parts.from_parts, 1)
            motion, variance = fit_similarity(basis, offset, precision)
        return motion, variance

    def _adapted(
        self,
        state: HeadState,
        points: Points,
        head: HeadUpdate,
        parts: PartUpdate,
        gain: Lengths,
    ) -> HeadState:
        """The state after the frame, with noise and scale learned from its innovations.

        Landmarks' and head's covariances were learned from noise of the same scale, so they are
        rescaled with it.
        """
        still = gain[:, None] * parts.modes[0]
        part_noise = adapted(state.part_noise, parts.nis[0], still, self.config)
        head_noise = adapted(
            state.head_noise, _change(head.surprise, state.head_surprise), gain, self.config
        )
        rescaled = (part_noise / state.part_noise) @ self._parts.from_parts
        return HeadState(
            points,
            parts.covariance * rescaled,
            parts.modes,
            head.velocity,
            head.covariance * (head_noise / state.head_noise)[:, None],
            head.modes,
            part_noise,
            head_noise,
            adapted(state.head_scale, head.nis / state.head_scale, gain, self.config, _BURST_NIS),
            head.surprise,
        )

    def _basis(self, state: HeadState) -> Basis:
        return similarity_basis(_components(state.points), self._lengths(state.points))

    def _lengths(self, points: Points) -> Lengths:
        return np.maximum(self.layout.length(points), 1.0)


def _gain(
    dt_s: Lengths, seen: Bool[np.ndarray, "faces landmarks"], config: MotionConfig
) -> Lengths:
    """Weight of a frame in what is learned of the noise; none where a landmark is missing."""
    gain: np.ndarray = (1 - np.exp(-dt_s / config.noise_memory_s)) * seen.all(-1)
    return gain


def _change(
    surprise: Float[np.ndarray, "faces motion=4"], before: Float[np.ndarray, "faces motion=4"]
) -> Lengths:
    """Mean square successive difference of innovations; 1 is expected of white ones.

    What an unmodelled motion adds is much the same from frame to frame, and cancels: a head that
    drifts does not pass for noise.

    Source:
        von Neumann 1941, the mean square successive difference.
    """
    change: np.ndarray = np.square(surprise - before).sum(-1) / (2 * surprise.shape[-1])
    return change


def _components(points: Points) -> Components:
    return np.ascontiguousarray(points.transpose(2, 0, 1))
