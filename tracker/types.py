"""The nouns that flow from file to file.

One convention everywhere: points are (x, y) in pixels, x right, y down, the centre of the
top-left pixel is (0, 0); images are RGB uint8; time is in seconds.
"""

import time
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from .face_analysis import FaceAnalysis
from .layouts import Layout

BELIEVED_FROM = 0.5
"""Confidence from which landmarks are believed: from here on they are likelier right than wrong."""

Image = UInt8[np.ndarray, "height width rgb=3"]
Points = Float[np.ndarray, "landmarks xy=2"]
Covariances = Float[np.ndarray, "landmarks xy=2 xy=2"]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source."""

    index: int
    """0-based, counting every picture of the source."""
    time_s: float
    """Presentation time for files, time of arrival for cameras; never falls."""
    image: Image
    name: str = ""
    """File name, for sources that are folders."""
    pixel_aspect: float = 1.0
    """Width of a pixel over its height, on the display; points are in pixels as they are."""
    arrived_s: float = field(default_factory=time.monotonic)
    """When it was decoded, by the monotonic clock; the age of a result counts from here."""


@dataclass(frozen=True, slots=True)
class Box:
    """A square around the landmarks of one face, in frame pixels."""

    center_x: float
    center_y: float
    side: float
    roll_deg: float = 0.0
    """By which the square is rotated, counter-clockwise as seen; 0 where the face is upright."""
    score: float | None = None
    """Of our own detector, 0 to 1; None where the box is of another, or of landmarks."""


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkEstimate:
    """Where the landmarks of one face are, or of several along a leading axis, and how surely."""

    mean: Float[np.ndarray, "*faces landmarks xy=2"]
    """Frame pixels."""
    covariance: Float[np.ndarray, "*faces landmarks xy=2 xy=2"]
    """Square pixels; symmetric, positive definite."""


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """The network's answer for one face in one frame, in frame pixels."""

    landmarks: LandmarkEstimate
    """With the absolute covariance: the spread of the truth around the mean."""
    measurement_noise: Covariances
    """Frame-to-frame noise of the mean: the Kalman filter's R, square pixels."""
    confidence: float
    """Probability that the landmarks sit on a face; NaN where the network does not know."""
    descriptor: Float[np.ndarray, " descriptor"] | None = None
    """Whom the face is like, a vector of unit length; None where the network does not know."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in one frame, as `FaceTracker` reports it; its arrays are the caller's own."""

    track_id: int
    confidence: float
    """Probability that the landmarks sit on the face: that their mean error is less than 8 % of the
    distance between the outer eye corners. In a film it is
    the lesser of that of this crop and its running mean; of a predicted face, of its last crop."""
    landmarks: LandmarkEstimate
    """Filtered."""
    measured: LandmarkEstimate | None
    """As the network gave them; None where this frame gave no measurement."""
    measurement_noise: Covariances | None = None
    """Of `measured`: its frame-to-frame noise, the Kalman filter's R, square pixels."""
    layout: Layout | None = None
    """What each landmark is; None where that is not known."""
    analysis: FaceAnalysis | None = None
    """Head pose, eyes and expression; None where no analyser ran, or knows this layout."""

    @property
    def is_predicted(self) -> bool:
        """True where the motion model alone predicts the face: behind a hand, for instance."""
        return self.measured is None

    @property
    def is_believed(self) -> bool:
        """True where the landmarks were measured in this frame and are likely enough to be right.

        Tables call it `success`.
        """
        return not self.is_predicted and self.confidence >= BELIEVED_FROM
