"""The nouns that flow from file to file.

One convention everywhere: points are (x, y) in pixels, x right, y down, the centre of the
top-left pixel is (0, 0); images are RGB uint8; time is in seconds.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

Image = UInt8[np.ndarray, "height width rgb=3"]
Points = Float[np.ndarray, "landmarks xy=2"]
Covariances = Float[np.ndarray, "landmarks xy=2 xy=2"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source."""

    index: int
    """0-based, counting every picture of the source."""
    time_s: float
    """Presentation time for files, time of arrival for cameras; never falls."""
    image: Image
    name: str = ""
    """File name, for sources that are folders."""
    arrived_s: float = field(default_factory=time.monotonic)
    """When it was decoded, by the monotonic clock; a result's age counts from here."""


@dataclass(frozen=True, slots=True)
class Square:
    """A face's place as the crop wants it: centre and side in frame pixels."""

    center_x: float
    center_y: float
    side: float


@dataclass(frozen=True, slots=True)
class LandmarkEstimate:
    """Where the landmarks of one face are, and how sure of it we are."""

    mean: Points
    covariance: Covariances
    """Square pixels; symmetric, positive definite."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the network says about one face in one frame, in frame pixels."""

    landmarks: LandmarkEstimate
    """With the absolute covariance: the spread of the truth around the mean."""
    flicker: Covariances
    """Spread of the mean from one look to the next: the filter's measurement noise."""
    confidence: float
    """Probability that there is a face in the crop at all; NaN where the network cannot tell."""


@dataclass(frozen=True, slots=True)
class TrackedFace:
    """One face in one frame, as handed to the sinks."""

    track_id: int
    confidence: float
    landmarks: LandmarkEstimate
    """Filtered."""
    measured: LandmarkEstimate | None
    """As the network gave them; None where this frame gave no measurement."""
    flicker: Covariances | None = None
    """Of `measured`: its spread from one look to the next."""

    @property
    def is_predicted(self) -> bool:
        """True where only the motion model speaks: behind a hand, say."""
        return self.measured is None


@runtime_checkable
class CropLandmarks(Protocol):
    """The answer of a landmarker for a batch of crops, in crop pixels."""

    @property
    def mean(self) -> Float[np.ndarray, "faces landmarks xy=2"]: ...

    @property
    def covariance(self) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """As in `Measurement.landmarks`."""

    @property
    def flicker(self) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """As in `Measurement`."""

    @property
    def confidence(self) -> Float[np.ndarray, " faces"]:
        """As in `Measurement`."""


@runtime_checkable
class Landmarker(Protocol):
    """Anything that finds landmarks in square face crops, e.g. `models.HeatmapLandmarker`."""

    @property
    def layout_name(self) -> str:
        """Of the landmarks, as in `tracker.layouts`."""

    @property
    def layout_table(self) -> Mapping[str, Any]:
        """Its description where the name is none of `tracker.layouts.LAYOUTS`, else empty."""

    @property
    def input_px(self) -> int:
        """Side of the crops it takes."""

    @property
    def margin(self) -> float:
        """Side of the crop over the longer side of the landmarks' box."""

    @property
    def mirror_offset(self) -> float:
        """By so much too far right it puts landmarks, in a crop and in its mirror image alike.

        In sides of the crop. Annotators count pixels from somewhere, and a network learns it.
        """

    def __call__(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropLandmarks:
        """Find the landmarks of every crop."""


@runtime_checkable
class CropCutter(Protocol):
    """What a landmarker may be besides: one that cuts its crops itself, where its network runs."""

    def cut(
        self, image: Image, factors: list[int], reduced_from_crop: Float[np.ndarray, "faces 3 3"]
    ) -> Any:
        """Cut crops equal to `tracker.crop.warp_crop`'s, in any form its own `__call__` takes.

        Threads may cut at the same time, and while another calls `__call__`.

        Args:
            image: The frame.
            factors: For every crop as in `tracker.crop.reduction`.
            reduced_from_crop: As in `tracker.crop`.
        """

    def join(self, crops: list[Any]) -> Any:
        """What several calls of `cut` gave, as one batch."""


@runtime_checkable
class Detector(Protocol):
    """Anything that finds faces in a frame, e.g. `tracker.detection.MediaPipeDetector`."""

    def __call__(self, image: Image) -> list[Square]:
        """Return the squares that hold the landmarks (margin 1) of each face, largest first."""
