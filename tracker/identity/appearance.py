"""Whom a followed face is like: what tells it from the other faces of a run.

Nobody is named, and nothing outlives the tracker.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ..types import Measurement
from .association import looks_evidence

_SURE_FROM = 0.7
"""Confidence from which a descriptor counts: turned and covered faces look like others'."""
_MEMORY_FRAMES = 60.0
"""Frames over which the mean of a face's descriptors runs."""
_STEADY, _LEAST_PRIOR, _PER_JUMP = 6.0, 0.8, 1.2
"""Evidence that a face which is followed stays the same: where its landmarks stay in their places
within the face, at least, and less for each time that they jump by their standard deviation."""
_CLEAR = 1.5
"""Evidence of looks from which on all doubt is over."""
_INDEPENDENT_FRAMES = 50.0
"""Frames in a row from which on looks say something new: neighbours look alike."""
_LEARNED_FROM = -2.0
"""Evidence of looks from which on a face adds to what is known of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """What is known of one face."""

    mean: Float[np.ndarray, " descriptor"] | None = None
    """Of the descriptors, not of unit length; None before the first that counts."""
    frames: float = 0.0
    """In the mean, `_MEMORY_FRAMES` at most."""
    jump: float = 0.0
    """How far the landmarks have jumped within the face since it was last surely itself."""
    strange: int = 0
    """Frames since then in which it looks unlike itself."""
    unlike: float = 0.0
    """Mean evidence of those."""

    def seeing(self, measurement: Measurement, jump: float = 0.0) -> "Appearance":
        """After one more measurement; a strange one leaves the mean as it is.

        Args:
            measurement: Of the face.
            jump: `Displacement.shape` from where the landmarks were expected.
        """
        if self.mean is None:
            counts = _counts(measurement) and measurement.descriptor is not None
            return Appearance(measurement.descriptor, 1.0) if counts else self
        jump = max(jump, self.jump)
        if not _counts(measurement):
            return replace(self, jump=jump) if jump != self.jump else self
        assert measurement.descriptor is not None
        evidence = self.evidence(measurement)
        if evidence >= _CLEAR:
            jump, strange, unlike = 0.0, 0, 0.0
        elif evidence < 0:
            strange = self.strange + 1
            unlike = self.unlike + (evidence - self.unlike) / strange
        else:
            strange, unlike = self.strange, self.unlike
        if evidence < _LEARNED_FROM or (strange and jump > 1):
            return replace(self, jump=jump, strange=strange, unlike=unlike)
        frames = min(self.frames + 1, _MEMORY_FRAMES)
        mean = self.mean + (measurement.descriptor - self.mean) / frames
        return Appearance(mean, frames, jump, strange, unlike)

    def is_surely(self, measurement: Measurement) -> bool:
        """Whether this alone leaves no doubt that it is the face."""
        return self.evidence(measurement) >= _CLEAR

    def evidence(self, measurement: Measurement) -> float:
        """That it shows the face, by its looks, nats."""
        return looks_evidence(self.similarity(measurement))

    @property
    def is_anothers(self) -> bool:
        """Whether the face that is followed has become somebody else's."""
        if not self.strange:
            return False
        prior = max(_STEADY - _PER_JUMP * self.jump, _LEAST_PRIOR)
        return prior + self.unlike * (1 + (self.strange - 1) / _INDEPENDENT_FRAMES) < 0

    def undoubted(self) -> "Appearance":
        """Without what made it look like another's."""
        return Appearance(self.mean, self.frames)

    def similarity(self, measurement: Measurement) -> float:
        """From -1 to 1; NaN where one of the two is not known well enough to say."""
        if self.mean is None or not _counts(measurement):
            return float("nan")
        length = max(math.sqrt(self.mean @ self.mean), 1e-9)
        return float(self.mean @ measurement.descriptor) / length

    def likeness(self, other: "Appearance") -> float:
        """The same between two known faces."""
        if self.mean is None or other.mean is None:
            return float("nan")
        lengths = float(np.linalg.norm(self.mean) * np.linalg.norm(other.mean))
        return float(self.mean @ other.mean) / max(lengths, 1e-9)


def _counts(measurement: Measurement) -> bool:
    return measurement.descriptor is not None and measurement.confidence >= _SURE_FROM
