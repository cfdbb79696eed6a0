"""Whom a followed face is like: what tells it from the other faces of a run.

Nobody is named, and nothing outlives the tracker.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ..types import Measurement
from .association import OTHER_BELOW

_SURE_FROM = 0.7
"""Confidence from which a descriptor counts: turned and covered faces look like others'."""
_STRANGE = 2
"""What is needed to see that a face is another's: a frame that looks unlike it counts one, a frame
that looks like the contrary two."""
_MEMORY_FRAMES = 60.0
"""Frames over which the mean of a face's descriptors runs."""


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """What is known of one face."""

    mean: Float[np.ndarray, " descriptor"] | None = None
    """Of the descriptors, not of unit length; None before the first that counts."""
    frames: float = 0.0
    """In the mean, `_MEMORY_FRAMES` at most."""
    strange: int = 0
    """How many of the last frames in a row look unlike it."""

    def seeing(self, measurement: Measurement) -> "Appearance":
        """After one more measurement; a strange one leaves the mean as it is."""
        if not _counts(measurement):
            return replace(self, strange=0) if self.strange else self
        assert measurement.descriptor is not None
        if self.mean is None:
            return Appearance(measurement.descriptor, 1.0)
        similarity = self.similarity(measurement)
        if similarity < OTHER_BELOW:
            return replace(self, strange=self.strange + (1 if similarity >= 0 else 2))
        frames = min(self.frames + 1, _MEMORY_FRAMES)
        return Appearance(self.mean + (measurement.descriptor - self.mean) / frames, frames)

    @property
    def is_anothers(self) -> bool:
        """Whether the face that is followed has become somebody else's."""
        return self.strange >= _STRANGE

    def similarity(self, measurement: Measurement) -> float:
        """From -1 to 1; NaN where one of the two is not known well enough to say."""
        if self.mean is None or not _counts(measurement):
            return float("nan")
        length = max(float(np.linalg.norm(self.mean)), 1e-9)
        return float(self.mean @ measurement.descriptor) / length


def _counts(measurement: Measurement) -> bool:
    return measurement.descriptor is not None and measurement.confidence >= _SURE_FROM
