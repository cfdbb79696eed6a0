"""A face tracker whose stages are timed from outside."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

from ..detection.boxes import Detector
from ..detection.face_search import searching
from ..face_tracker import FaceTracker
from ..filter.config import smoothed
from ..filter.head_filter import HeadFilter
from ..landmarker import CropLandmarks, FrameLandmarker, Landmarker, Matrix, on_frames
from ..tracker_config import Tally, TrackerConfig
from ..types import Box, Face, Frame, Image
from .analysis_stage import AnalysisStage


class TimedTracker:
    """Follows the faces of a source, and measures the time of each stage.

    Args:
        landmarker: As in `FaceTracker`.
        detector: As in `FaceTracker`.
        config: As in `FaceTracker`.
        stills: Every frame is a picture by itself.
        analysis: Reads the head pose and more off the faces; None reads nothing.
    """

    def __init__(
        self,
        landmarker: Landmarker | FrameLandmarker,
        detector: Detector,
        config: TrackerConfig | None = None,
        *,
        stills: bool = False,
        analysis: AnalysisStage | None = None,
    ) -> None:
        self.seconds = {"detect": 0.0, "crop": 0.0, "network": 0.0, "filter": 0.0}
        """Spent in each stage so far."""
        self.tracker = FaceTracker(
            _TimedLandmarker(on_frames(landmarker), self.seconds),
            _TimedDetector(detector, self.seconds),
            config,
        )
        self._stills = stills
        self._analysis = analysis

    @property
    def tally(self) -> Tally:
        return self.tracker.tally

    def set_smoothing(self, smoothing: float) -> None:
        """Trade jitter against lag otherwise from the next frame on; faces stay followed."""
        tracker = self.tracker
        tracker.config = replace(tracker.config, smoothing=smoothing)
        tracker.head_filter = HeadFilter(tracker.layout, smoothed(tracker.config.motion, smoothing))

    def take(self, frame: Frame) -> list[Face]:
        """The faces of the next frame, analysed where that was asked for."""
        return self.analysed(frame, self.tracked(frame))

    def tracked(self, frame: Frame) -> list[Face]:
        """The faces of the next frame, without analysis."""
        started, before = perf_counter(), sum(self.seconds.values())
        if self._stills:
            faces = self.tracker.detect(frame.image)
        else:
            faces = self.tracker.update(frame.image, frame.time_s)
        elsewhere = sum(self.seconds.values()) - before
        self.seconds["filter"] += perf_counter() - started - elsewhere
        return faces

    def analysed(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """The faces with what is read off them; frames come in order."""
        if self._analysis is None:
            return faces
        started = perf_counter()
        faces = self._analysis.take(frame, faces)
        spent = self.seconds.get("analysis", 0.0)
        self.seconds["analysis"] = spent + perf_counter() - started
        return faces


class _TimedDetector:
    def __init__(self, detector: Detector, seconds: dict[str, float]) -> None:
        self._detector, self._seconds = searching(detector), seconds

    def __call__(self, image: Image) -> list[Box]:
        return self._timed(lambda: self._detector(image))

    def search(self, image: Image) -> list[Box]:
        return self._timed(lambda: self._detector.search(image))

    def parts(self, image: Image) -> int:
        return self._detector.parts(image)

    def look(self, image: Image, part: int, known: list[Box]) -> list[Box]:
        return self._timed(lambda: self._detector.look(image, part, known))

    def look_near(self, image: Image, places: list[Box]) -> list[Box]:
        return self._timed(lambda: self._detector.look_near(image, places))

    def _timed(self, look: Callable[[], list[Box]]) -> list[Box]:
        started = perf_counter()
        boxes = look()
        self._seconds["detect"] += perf_counter() - started
        return boxes


class _TimedLandmarker(FrameLandmarker):
    def __init__(self, landmarker: FrameLandmarker, seconds: dict[str, float]) -> None:
        self._timed, self._seconds = landmarker, seconds
        self.layout, self.bias_px = landmarker.layout, landmarker.bias_px
        self.input_px, self.margin = landmarker.input_px, landmarker.margin
        self.detector_source = landmarker.detector_source

    def cut(self, image: Image, crop_from_frame: list[Matrix]) -> Any:
        started = perf_counter()
        crops = self._timed.cut(image, crop_from_frame)
        self._seconds["crop"] += perf_counter() - started
        return crops

    def join(self, crops: list[Any]) -> Any:
        return self._timed.join(crops)

    def locate(self, crops: Any) -> CropLandmarks:
        started = perf_counter()
        found = self._timed.locate(crops)
        self._seconds["network"] += perf_counter() - started
        return found
