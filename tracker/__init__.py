"""What happens to a frame: detection, crop, association, filter, outputs. No torch in here."""

from .detection import MediaPipeDetector
from .errors import FaceTrackError
from .pipeline import FaceTracker, TrackerConfig
from .sources import open_source
from .types import Frame, LandmarkEstimate, TrackedFace

__all__ = [
    "FaceTrackError",
    "FaceTracker",
    "Frame",
    "LandmarkEstimate",
    "MediaPipeDetector",
    "TrackedFace",
    "TrackerConfig",
    "open_source",
]
