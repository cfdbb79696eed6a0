"""MediaPipe's two BlazeFace detectors; both files lie inside the mediapipe 0.10.21 wheel."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any, Self

import cv2
import numpy as np

from ..errors import FaceTrackError
from ..types import Box, Image
from .boxes import non_maximum_suppression

_DETECT_PX = 640
"""Longer side of the picture the detector sees; its network takes 192 px."""
_MINIMUM_SCORE = 0.5
_SHORT_RANGE, _FULL_RANGE = 0, 1
"""MediaPipe's own numbers for its two models."""
_LANDMARK_SQUARES = {_SHORT_RANGE: (0.0, 0.059, 0.961), _FULL_RANGE: (0.0, 0.101, 0.901)}
"""The square around the landmarks relative to the detector's box: offset right, offset down and
side, in box widths; medians over the training part of 300W."""
_NARROWEST_PX = 2
"""MediaPipe fails for good after a picture without area."""

_UNNEEDED = (
    "mediapipe.python.solutions.drawing_styles",
    "mediapipe.python.solutions.drawing_utils",
    "mediapipe.tasks.python",
)
"""Nine tenths of the time that importing mediapipe takes, for matplotlib and audio."""


class MediaPipeDetector:
    """Short-range BlazeFace, and the full-range one for faces too small for it.

    A context manager: its two graphs hold four threads and 20 MB until it is closed. For one thread
    at a time.

    Raises:
        FaceTrackError: If mediapipe is not installed, cannot be imported or carries no detector.
    """

    def __init__(self) -> None:
        models = _imported_mediapipe().solutions.face_detection
        self._models = {
            which: models.FaceDetection(_MINIMUM_SCORE, model_selection=which)
            for which in _LANDMARK_SQUARES
        }
        self(np.zeros((64, 64, 3), np.uint8))  # the first call starts the graphs

    def __call__(self, image: Image) -> list[Box]:
        """Find the faces.

        Args:
            image: RGB uint8.

        Returns:
            The square around the landmarks of each face, largest first.

        Raises:
            ValueError: If the detector is closed.
        """
        if not self._models:
            raise ValueError("this MediaPipeDetector is closed: make a new one")
        shrink = min(_DETECT_PX / max(image.shape[:2]), 1.0)
        if shrink < 1:
            size = [max(round(side * shrink), 1) for side in image.shape[1::-1]]
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        if min(image.shape[:2]) < _NARROWEST_PX:
            return []
        boxes = self._run(_SHORT_RANGE, image) + self._run(_FULL_RANGE, image)
        distinct = non_maximum_suppression(boxes, [])
        return sorted((_rescaled(box, 1 / shrink) for box in distinct), key=lambda box: -box.side)

    def _run(self, which: int, image: Image) -> list[Box]:
        height, width = image.shape[:2]
        right, down, side = _LANDMARK_SQUARES[which]
        boxes = []
        for found in self._models[which].process(image).detections or []:
            box = found.location_data.relative_bounding_box
            box_width = box.width * width
            center_x = (box.xmin + box.width / 2) * width - 0.5
            center_y = (box.ymin + box.height / 2) * height - 0.5
            boxes.append(
                Box(center_x + right * box_width, center_y + down * box_width, side * box_width)
            )
        return boxes

    def close(self) -> None:
        """Free both graphs and their threads; closing twice does nothing."""
        models, self._models = self._models, {}
        for model in models.values():
            model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _rescaled(box: Box, factor: float) -> Box:
    center_x, center_y = ((center + 0.5) * factor - 0.5 for center in (box.center_x, box.center_y))
    return Box(center_x, center_y, box.side * factor)


def _imported_mediapipe() -> Any:
    """The package, without what it imports for other purposes."""
    try:
        with _loaded_when_used(*_UNNEEDED):
            import mediapipe  # noqa: PLC0415 - takes time, and other detectors need none
    except ModuleNotFoundError as error:
        raise FaceTrackError(
            f"the MediaPipe detector needs a package that is not installed ({error.name}): "
            "run 'pip install mediapipe==0.10.21', or use ours"
        ) from error
    except ImportError as error:  # a bare server lacks the libraries OpenCV draws with
        raise FaceTrackError(
            f"mediapipe cannot be imported ({error}): on Debian and Ubuntu run "
            "'apt-get install libgl1 libglib2.0-0'"
        ) from error
    if not hasattr(mediapipe, "solutions"):
        raise FaceTrackError(
            f"mediapipe {mediapipe.__version__} carries no face detector: "
            "run 'pip install mediapipe==0.10.21'"
        )
    return mediapipe


class _LazyFinder(MetaPathFinder):
    """Finds some modules as Python would, and has them run at the first use of an attribute."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname in self._names else None
        if spec and spec.loader:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def _loaded_when_used(*names: str) -> Iterator[None]:
    """Modules of these names that are first imported meanwhile load when they are first used."""
    finder = _LazyFinder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
