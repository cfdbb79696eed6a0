"""Motion within a face: each part is still, speaks or blinks, whatever the head does.

A landmark within the face is a random walk. Its process noise depends on the mode of its part,
whose probability is updated by the likelihood of all landmarks of the part.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..layouts import Layout
from .config import MotionConfig
from .head_model import mode_probabilities
from .kalman import Symmetric
from .state import HeadState
from .walking_points import Innovation, WalkingPoints

_WEIGHT_BETWEEN = 0.15
"""Of the difference of two filters as evidence of a motion, where the opinion of each counts half:
their errors last, so much the same difference is seen frame after frame."""


@dataclass(frozen=True, slots=True, eq=False)
class PartUpdate:
    """The landmarks within the face after a measurement."""

    covariance: Symmetric
    step: Float[np.ndarray, "xy=2 faces landmarks"]
    modes: Float[np.ndarray, "modes faces parts"]
    nis: Float[np.ndarray, "modes faces parts"]
    log_likelihood: Float[np.ndarray, "faces parts"]


class PartModel:
    """The modes of the parts of a layout, as pure functions."""

    def __init__(self, layout: Layout, config: MotionConfig) -> None:
        belongs = np.zeros((layout.count, len(layout.parts)))
        for index, part in enumerate(layout.parts):
            belongs[list(part), index] = 1
        self.to_parts = belongs / belongs.sum(0)
        """Mean over the landmarks of each part."""
        self._half_to_parts = self.to_parts / 2
        self.from_parts = (belongs / belongs.sum(1, keepdims=True)).T
        """Mean over the parts of each landmark."""
        self.count = len(layout.parts)
        self.modes = len(config.random_walk)
        self._weight = np.minimum(config.independent_landmarks, belongs.sum(0))
        stay = config.stay_probability
        self._transition = np.full((self.modes, self.modes), (1 - stay) / max(self.modes - 1, 1))
        np.fill_diagonal(self._transition, stay)
        self._random_walk = np.square(config.random_walk)[:, None]
        self.initial_modes = np.full(
            self.modes, (1 - config.still_at_first) / max(self.modes - 1, 1)
        )
        self.initial_modes[0] = config.still_at_first if self.modes > 1 else 1.0
        """Probabilities of the modes of a face seen for the first time."""

    def process_noise(
        self, dt_s: Float[np.ndarray, " faces"], length: Float[np.ndarray, " faces"]
    ) -> Float[np.ndarray, "modes faces"]:
        """Variance that each mode adds to a landmark within `dt_s`, square pixels."""
        noise: np.ndarray = self._random_walk * (dt_s * length**2)
        return noise

    def expected_modes(
        self, modes: Float[np.ndarray, "modes faces parts"]
    ) -> Float[np.ndarray, "modes faces parts"]:
        """Probabilities of the modes before the frame is measured."""
        return (self._transition @ modes.reshape(len(modes), -1)).reshape(modes.shape)

    def update(
        self,
        landmarks: WalkingPoints,
        residual: Float[np.ndarray, "xy=2 faces landmarks"],
        expected_modes: Float[np.ndarray, "modes faces parts"],
        process_noise: Float[np.ndarray, "modes faces"],
    ) -> PartUpdate:
        """Take in what the head's motion leaves of the landmarks' offsets.

        A part's process noise lies between those of its modes, on a scale of logarithms by their
        probabilities, so that no landmark leaps when its part begins to move by and by; a landmark
        of two parts takes the mean of both.

        Args:
            landmarks: Within the face before the frame, and their measurement noise.
            residual: Offset less the head's motion, pixels.
            expected_modes: As `expected_modes` returns them.
            process_noise: As `process_noise` returns it.
        """
        innovation = landmarks.against(residual)
        nis, log_likelihood = self._by_part(innovation, process_noise)
        modes, total = mode_probabilities(expected_modes, log_likelihood)
        updated = innovation.updated(self._between(modes, process_noise))
        return PartUpdate(updated.covariance, updated.step, modes, nis, total)

    def moved_between(
        self,
        before: HeadState,
        after: HeadState,
        residual: Float[np.ndarray, "xy=2 faces landmarks"],
        process_noise: Float[np.ndarray, "modes faces"],
    ) -> Float[np.ndarray, "faces landmarks"]:
        """Process noise between two states of which one knows what precedes, one what follows.

        Their opinions of the modes are pooled: the geometric mean of their probabilities.

        Args:
            before: The first.
            after: The second.
            residual: What the head's motion leaves of the way from one to the other, pixels.
            process_noise: That each mode adds to a landmark between them, square pixels.
        """
        both = WalkingPoints(before.landmark_covariance, after.landmark_covariance)
        _, log_likelihood = self._by_part(both.against(residual), process_noise)
        both_know = self.expected_modes(before.part_modes) * self.expected_modes(after.part_modes)
        modes, _ = mode_probabilities(np.sqrt(both_know), _WEIGHT_BETWEEN * log_likelihood)
        return self._between(modes, process_noise)

    def _between(
        self,
        modes: Float[np.ndarray, "modes faces parts"],
        process_noise: Float[np.ndarray, "modes faces"],
    ) -> Float[np.ndarray, "faces landmarks"]:
        """Process noise of landmarks whose parts are between their modes."""
        scale = np.add.reduce(modes * np.log(process_noise)[..., None])
        return np.exp(scale) @ self.from_parts

    def _by_part(
        self,
        innovation: Innovation,
        process_noise: Float[np.ndarray, "modes faces"],
    ) -> tuple[Float[np.ndarray, "modes faces parts"], Float[np.ndarray, "modes faces parts"]]:
        """Normalised innovations squared and log likelihoods of parts, under each mode."""
        nis, half_log = innovation.likelihood(process_noise[..., None]) @ self._half_to_parts
        return nis, (nis + half_log) * -self._weight
