"""Where faces are: MediaPipe's detectors, and overlapping squares.

Both detector files lie inside the mediapipe 0.10.21 wheel, so nothing is fetched.
"""

import cv2
import numpy as np

from .errors import FaceTrackError
from .lazy import loaded_when_used
from .quiet import native_stderr_silenced
from .types import Image, Square

_DETECT_PX = 640
"""Longer side of the picture the detector sees; its network looks at 192 px."""
_MINIMUM_SCORE = 0.5
SAME_FACE = 0.6
"""Overlap beyond which two squares are one face; cheek to cheek stays well below."""
_SHORT_RANGE, _FULL_RANGE = 0, 1
"""MediaPipe's own numbers for its two models."""
_SHAPES = {_SHORT_RANGE: (0.0, 0.059, 0.961), _FULL_RANGE: (0.0, 0.101, 0.901)}
"""Where the landmarks' square lies against the detector's box: shift right, shift down and side,
in box widths; medians over the training part of 300W."""

_BESIDES = (
    "mediapipe.python.solutions.drawing_styles",
    "mediapipe.python.solutions.drawing_utils",
    "mediapipe.tasks.python",
)
"""What mediapipe imports that finds no faces: nine tenths of the time, for matplotlib and audio."""


class MediaPipeDetector:
    """Short-range BlazeFace, and the full-range one for faces it is too coarse for.

    Raises:
        FaceTrackError: If the installed mediapipe carries no detector.
    """

    def __init__(self) -> None:
        try:
            # Here, not on top: it takes time, and tracking with another detector needs none.
            with loaded_when_used(*_BESIDES):
                import mediapipe  # noqa: PLC0415
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
        models = mediapipe.solutions.face_detection
        with native_stderr_silenced():
            self._models = {
                which: models.FaceDetection(_MINIMUM_SCORE, model_selection=which)
                for which in _SHAPES
            }
            self(np.zeros((64, 64, 3), np.uint8))  # the first call starts the graphs, and logs

    def __call__(self, image: Image) -> list[Square]:
        """Return the square of the landmarks of each face, largest first."""
        shrink = min(_DETECT_PX / max(image.shape[:2]), 1.0)
        if shrink < 1:
            size = [max(round(side * shrink), 1) for side in image.shape[1::-1]]
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        squares = self._run(_SHORT_RANGE, image) + self._run(_FULL_RANGE, image)
        distinct = unseen(squares, [])
        return sorted((_enlarged(s, 1 / shrink) for s in distinct), key=lambda s: -s.side)

    def _run(self, which: int, image: Image) -> list[Square]:
        height, width = image.shape[:2]
        right, down, side = _SHAPES[which]
        squares = []
        for found in self._models[which].process(image).detections or []:
            box = found.location_data.relative_bounding_box
            box_width = box.width * width
            center_x = (box.xmin + box.width / 2) * width - 0.5
            center_y = (box.ymin + box.height / 2) * height - 0.5
            squares.append(
                Square(center_x + right * box_width, center_y + down * box_width, side * box_width)
            )
        return squares


def _enlarged(square: Square, factor: float) -> Square:
    center_x, center_y = (
        (center + 0.5) * factor - 0.5 for center in (square.center_x, square.center_y)
    )
    return Square(center_x, center_y, square.side * factor)


def overlap(one: Square, other: Square) -> float:
    """Shared area over that of the smaller square, so that a square inside another counts whole."""
    reach = (one.side + other.side) / 2
    smallest = min(one.side, other.side)
    width = min(max(reach - abs(one.center_x - other.center_x), 0.0), smallest)
    height = min(max(reach - abs(one.center_y - other.center_y), 0.0), smallest)
    return width * height / smallest**2


def unseen(found: list[Square], known: list[Square]) -> list[Square]:
    """The found squares that lie on none of the known ones, nor on an earlier found one."""
    fresh: list[Square] = []
    for square in found:
        if all(overlap(square, other) <= SAME_FACE for other in known + fresh):
            fresh.append(square)
    return fresh


def square_around(points: np.ndarray) -> Square:
    """The tight square of landmarks, by the training rule but without its rounding.

    Whole pixels make the crop of a still face jump, and a jumping crop moves the landmarks.
    """
    low, high = points.min(0), points.max(0)
    center_x, center_y = (low + high) / 2
    return Square(float(center_x), float(center_y), float((high - low).max()))
