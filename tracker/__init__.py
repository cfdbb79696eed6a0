"""Face landmarks on video that hold still when the face does, each with its covariance.

    import models, tracker

    with tracker.FaceTracker(models.load_landmarker()) as faces:
        for frame in tracker.open_source("clip.mp4"):
            for face in faces.update(frame.image, frame.time_s):
                print(face.track_id, face.landmarks.mean, face.landmarks.covariance)

No torch in here. Names load when they are first used, so `LandmarkFilter` needs NumPy alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.expression_reading import ExpressionRead, read_expressions
    from .analysis.eye_reading import EyesRead, read_eyes
    from .analysis.face_analyser import FaceAnalyser
    from .detection.any_roll_detector import AnyRollDetector
    from .detection.both_detectors import BothDetectors
    from .detection.boxes import Detector
    from .detection.mediapipe_detector import MediaPipeDetector
    from .errors import FaceTrackError, SinkError, SourceError
    from .face_tracker import FaceTracker
    from .filter.config import MotionConfig
    from .filter.landmark_filter import LandmarkFilter
    from .io.drawing import draw_faces
    from .io.sources import Source, open_source
    from .landmarker import CropLandmarks, Landmarker
    from .layouts import LAYOUTS, Layout, Outline
    from .streams.asked_streams import open_stream
    from .tracker_config import TrackerConfig
    from .types import Box, Face, Frame, LandmarkEstimate

_HOMES = {
    "analysis.expression_reading": ("ExpressionRead", "read_expressions"),
    "analysis.eye_reading": ("EyesRead", "read_eyes"),
    "analysis.face_analyser": ("FaceAnalyser",),
    "detection.any_roll_detector": ("AnyRollDetector",),
    "detection.both_detectors": ("BothDetectors",),
    "detection.boxes": ("Detector",),
    "detection.mediapipe_detector": ("MediaPipeDetector",),
    "errors": ("FaceTrackError", "SinkError", "SourceError"),
    "face_tracker": ("FaceTracker",),
    "filter.config": ("MotionConfig",),
    "filter.landmark_filter": ("LandmarkFilter",),
    "io.drawing": ("draw_faces",),
    "io.sources": ("Source", "open_source"),
    "landmarker": ("CropLandmarks", "Landmarker"),
    "layouts": ("LAYOUTS", "Layout", "Outline"),
    "streams.asked_streams": ("open_stream",),
    "tracker_config": ("TrackerConfig",),
    "types": ("Box", "Face", "Frame", "LandmarkEstimate"),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "LAYOUTS", "AnyRollDetector", "BothDetectors", "Box",
    "CropLandmarks", "Detector", "ExpressionRead", "EyesRead", "Face", "FaceAnalyser",
    "FaceTrackError", "FaceTracker", "Frame",
    "LandmarkEstimate", "LandmarkFilter", "Landmarker", "Layout", "MediaPipeDetector",
    "MotionConfig", "Outline", "SinkError", "Source", "SourceError", "TrackerConfig", "draw_faces",
    "open_source", "open_stream", "read_expressions", "read_eyes",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
