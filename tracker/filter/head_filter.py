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
from .adaptive_noise import LARGEST_NIS, adapted, noise_share, successive_change
from .config import MotionConfig
from .face_depth import depths_of
from .head_model import HeadModel, HeadUpdate, of_numbers
from .kalman import (
    Symmetric,
    inverse_of,
    packed,
    scalar_likelihood,
    unpacked,
    update_point,
    update_velocity,
)
from .part_model import PartModel, PartUpdate
from .similarity import Motion, OfLandmarks, Terms, fit, head_terms, moved
from .state import HeadState, Innovations
from .walking_points import WalkingPoints

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
        self._to_excess = self._parts.to_parts / (2 * _OUTLIER_NIS)
        kinds = (self._parts.count, self._head.groups, self._head.groups)
        self._at_first = np.repeat([*[config.initial_noise_factor] * 2, 1.0], kinds)
        self._largest_nis = np.repeat([LARGEST_NIS, LARGEST_NIS, _BURST_NIS], kinds)
        """Of each learned factor."""
        self._kept: tuple[HeadState | None, tuple[Lengths, Terms]] = (None, (np.empty(0),) * 2)

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
            np.tile(self._at_first, (faces, 1)),
            np.zeros((faces, self._head.numbers)),
        )

    def expected(self, state: HeadState, dt_s: Lengths) -> Points:
        """Mean of the landmarks `dt_s` later."""
        motion = self._head.expected_motion(state, np.maximum(dt_s, 0.0))
        _, terms = self._shape(state)
        expected: np.ndarray = state.points + moved(terms, motion).transpose(1, 2, 0)
        return expected

    def coast(self, state: HeadState, dt_s: Lengths) -> HeadState:
        """The state after a frame without a measurement: less and less certain."""
        dt = np.maximum(dt_s, _LEAST_STEP_S)
        velocity, covariance = self._head.coasted(state, dt, self._shape(state)[0])
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
        (lengths, terms), dt = self._shape(state), np.maximum(dt_s, _LEAST_STEP_S)
        offset, noise, is_whole = self._offset(state, measured, noise_covariance, lengths)
        process_noise = self._parts.process_noise(dt, lengths)
        expected_modes = self._parts.expected_modes(state.part_modes)
        spread = np.add.reduce(expected_modes * process_noise[..., None]) @ self._parts.from_parts
        landmarks = WalkingPoints(state.landmark_covariance, noise)
        motion, variance, residual = fit(
            terms, offset, landmarks.precision(spread), self._outlier_factor
        )
        variance *= of_numbers(state.head_noise)
        head = self._head.update(state, motion, variance, dt, lengths)
        process_noise = process_noise + self._of_depths(head.motion)
        parts = self._parts.update(landmarks, residual, expected_modes, process_noise)
        points = state.points + (moved(terms, head.motion) + parts.step).transpose(1, 2, 0)
        head_nis = head.nis / state.head_scale
        gain = -np.expm1(dt / -self.config.noise_memory_s)
        if is_whole is not None:
            gain *= is_whole
        after = self._adapted(state, points, head, head_nis, parts, gain)
        return after, Innovations(
            head_nis[:, 0], parts.nis, parts.modes, head.log_likelihood, parts.log_likelihood
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
        (lengths, terms), dt = self._shape(before), np.maximum(dt_s, _LEAST_STEP_S)
        offset = _components(self.expected(after, dt_s) - before.points)
        both = before.landmark_covariance + after.landmark_covariance
        motion, variance, residual = fit(terms, offset, inverse_of(both))
        noise = self._head.predicted_variance(after, dt, lengths) + variance
        nis, _ = scalar_likelihood(before.head_covariance[0] + noise, motion)
        head = update_velocity(before.head_covariance, np.maximum(nis, 1) * noise, motion)
        known = after.landmark_covariance.copy()
        process_noise = self._parts.process_noise(dt, lengths) + self._of_depths(head.step[0])
        known[::2] += self._parts.moved_between(before, after, residual, process_noise)
        face = update_point(before.landmark_covariance, known, residual)
        points = before.points + (moved(terms, head.step[0]) + face.step).transpose(1, 2, 0)
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
        home = self._shape(state)[1][:, 1:3].swapaxes(0, 1)
        of_similarity = state.head_covariance[0, :, :4] * state.head_scale[:, :1]
        shift, (scale, turn) = of_similarity.T[:2, :, None], of_similarity.T[2:, :, None]
        covariance = state.landmark_covariance.copy()
        squares = home * home
        covariance[::2] += scale * squares + turn * squares[::-1] + shift
        covariance[1] += (scale - turn) * (home[0] * home[1])
        return unpacked(covariance)

    def _offset(
        self,
        state: HeadState,
        measured: Points,
        noise_covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
        lengths: Lengths,
    ) -> tuple[Components, Symmetric, Bool[np.ndarray, " faces"] | None]:
        """From the landmarks to where they were measured, and R as this track shows it.

        A landmark that was not measured, or next to not, has no offset and a vast R. The last says
        of which faces all were; None of all.
        """
        offset, calibrated = _components(measured - state.points), packed(noise_covariance)
        is_finite = np.isfinite(offset)
        if not is_finite.all():
            offset[:, ~is_finite.all(0)] = 0
        share = noise_share(offset, lengths, self.config)
        factor = np.minimum(share[:, None] * state.part_noise, self.config.largest_noise)
        noise = factor @ self._parts.from_parts * calibrated
        trace, vast = calibrated[0] + calibrated[2], _UNMEASURED * (lengths * lengths)
        if trace.max() < vast.min() and is_finite.all():
            return offset, noise, None
        is_seen = is_finite.all(0) & (trace < vast[:, None])
        offset[:, ~is_seen] = 0
        noise[1, ~is_seen] = 0
        noise[::2] = np.where(is_seen, noise[::2], vast[:, None])
        return offset, noise, is_seen.all(-1)

    def _outlier_factor(self, distance: OfLandmarks) -> OfLandmarks | None:
        """Factor on the covariance of parts that move by themselves; None where all move as one."""
        excess = distance @ self._to_excess
        if excess.max() <= 1:
            return None
        factor: np.ndarray = np.maximum(excess @ self._parts.from_parts, 1)
        return factor

    def _of_depths(self, motion: Motion) -> Lengths:
        """Variance that a turn adds to a landmark, for its depth is not exactly known."""
        yaw_pitch = self.config.depth_error * motion[:, 4:6]
        variance: np.ndarray = np.add.reduce(yaw_pitch * yaw_pitch, 1)
        return variance

    def _adapted(
        self,
        state: HeadState,
        points: Points,
        head: HeadUpdate,
        head_nis: Float[np.ndarray, "faces groups"],
        parts: PartUpdate,
        gain: Lengths,
    ) -> HeadState:
        """The state after the frame, with noise and scale learned from its innovations.

        A frame counts by the gain: not where a landmark is missing. What a turn leaves is not
        noise, so that of landmarks is not learned meanwhile.

        Landmarks' and head's covariances were learned from noise of the same scale, so they are
        rescaled with it.
        """
        count, groups = self._parts.count, self._head.groups
        nis, gains = np.empty((2, *state.learned.shape))
        nis[:, :count] = parts.nis[0]
        nis[:, count:-groups] = successive_change(head.innovation, state.head_innovation)
        nis[:, -groups:] = head_nis
        gains[:] = gain[:, None]
        gains[:, :count] *= head.unturned * parts.modes[0]
        learned = adapted(state.learned, nis, gains, self._largest_nis, self.config)
        ratio = learned / state.learned
        return HeadState(
            points,
            parts.covariance * (ratio[:, :count] @ self._parts.from_parts),
            parts.modes,
            head.velocity,
            head.covariance * of_numbers(ratio[:, count:-groups]),
            head.modes,
            learned,
            head.innovation,
        )

    def _shape(self, state: HeadState) -> tuple[Lengths, Terms]:
        """Units of length and terms of faces; those of the last ones, asked for again, are kept."""
        of_state, shape = self._kept
        if of_state is not state:
            lengths = self._lengths(state.points)
            shape = lengths, head_terms(_components(state.points), lengths, self._depths)
            self._kept = state, shape
        return shape

    def _lengths(self, points: Points) -> Lengths:
        return np.maximum(self.layout.length(points), 1.0)


def _components(points: Points) -> Components:
    return np.ascontiguousarray(points.transpose(2, 0, 1))
