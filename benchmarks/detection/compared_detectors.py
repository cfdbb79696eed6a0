"""The detectors that are compared; each takes a picture and gives squares around the landmarks."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from models.face_detector import FaceDetector, FoundFace
from models.face_loading import FACES, load_face_detector
from models.loading import load_landmarker
from tracker.detection.any_roll_detector import AnyRollDetector
from tracker.detection.mediapipe_detector import MediaPipeDetector
from tracker.face_tracker import FaceTracker
from tracker.tracker_config import TrackerConfig
from tracker.types import Image
from train.detector.face_labels import label_of_landmarks, label_of_yunet, roll_of

Squares = Float[np.ndarray, "found 4"]
"""Centre x, centre y and side in picture pixels; roll in degrees, NaN where it is not known."""
Find = Callable[[Image], Squares]

_YUNET_PX = 640
_YUNET_SCORE, _YUNET_OVERLAP, _YUNET_MOST = 0.6, 0.3, 5000
_MOST_FACES = 200
_OF_PICTURES = "base"
"""The landmark network that `--weights auto` takes for pictures."""
_SAME_FACE = 0.5
"""Shared area over the smaller square's beyond which finds of two tiles are one face."""


@dataclass(frozen=True, slots=True)
class ComparedDetector:
    """A detector and what the table calls it."""

    name: str
    find: Find


def compared_detectors(weights: Path | None, yunet: Path | None) -> list[ComparedDetector]:
    """All that are there; MediaPipe's where it is installed.

    Args:
        weights: Of our own detector; None takes the shipped ones, where they are there.
        yunet: OpenCV's `face_detection_yunet_*.onnx`, where it is to be compared.
    """
    found: list[ComparedDetector] = []
    weights = weights or FACES
    if weights.exists():
        ours = load_face_detector(weights)
        found += [
            ComparedDetector("ours", _ours(ours, thorough=False)),
            ComparedDetector("ours, thorough", _ours(ours, thorough=True)),
            ComparedDetector("ours, and the network agrees", _agreed(load_face_detector(weights))),
        ]
    if find_spec("mediapipe"):
        blazeface = _blazeface(MediaPipeDetector())
        found += [
            ComparedDetector("both BlazeFaces, 640 px", blazeface),
            ComparedDetector("both BlazeFaces, and 9 tiles", in_tiles(blazeface, 2)),
            ComparedDetector("both BlazeFaces, and 25 tiles", in_tiles(blazeface, 3)),
        ]
    if yunet:
        model = cv2.FaceDetectorYN.create(
            str(yunet), "", (320, 320), _YUNET_SCORE, _YUNET_OVERLAP, _YUNET_MOST
        )
        found += [
            ComparedDetector("YuNet, 640 px", _yunet(model, _YUNET_PX)),
            ComparedDetector("YuNet, whole picture", _yunet(model, None)),
        ]
    return found


def _ours(detector: FaceDetector, *, thorough: bool) -> Find:
    def find(image: Image) -> Squares:
        return _rows([_row(face) for face in detector(image, thorough=thorough)])

    return find


def _agreed(detector: FaceDetector) -> Find:
    """The faces that a picture's user gets: found thoroughly, where the landmark network agrees."""
    config = TrackerConfig(max_faces=_MOST_FACES)
    tracker = FaceTracker(load_landmarker(_OF_PICTURES), AnyRollDetector(detector), config)

    def find(image: Image) -> Squares:
        faces = tracker.detect(image)
        labels = [label_of_landmarks(face.landmarks.mean) for face in faces]
        return _rows([[*map(float, label[:3]), roll_of(label)] for label in labels])

    return find


def _row(face: FoundFace) -> list[float]:
    return [face.center_x, face.center_y, face.side, face.roll_deg]


def _blazeface(detector: MediaPipeDetector) -> Find:
    def find(image: Image) -> Squares:
        squares = detector(image)
        return _rows([[s.center_x, s.center_y, s.side, np.nan] for s in squares])

    return find


def _yunet(model: cv2.FaceDetectorYN, longer_px: int | None) -> Find:
    def find(image: Image) -> Squares:
        height, width = image.shape[:2]
        scale = min(longer_px / max(height, width), 1.0) if longer_px else 1.0
        seen = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if scale < 1:
            size = (round(width * scale), round(height * scale))
            seen = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
        model.setInputSize(seen.shape[1::-1])
        answer = model.detect(seen)[1]
        rows = []
        for row in answer if answer is not None else []:
            row[:14] /= scale
            label = label_of_yunet(row)
            rows.append([*label[:3], roll_of(label)])
        return _rows(rows)

    return find


def in_tiles(find: Find, parts: int) -> Find:
    """The same on the whole picture and on tiles of a part of its sides that overlap by half.

    Args:
        find: The detector.
        parts: 2 gives 9 tiles of half the sides, 3 gives 25 of a third.
    """

    def find_all(image: Image) -> Squares:
        height, width = image.shape[:2]
        rows = [find(image)]
        for top in np.linspace(0, height - height // parts, 2 * parts - 1).astype(int):
            for left in np.linspace(0, width - width // parts, 2 * parts - 1).astype(int):
                tile = image[top : top + height // parts, left : left + width // parts]
                found = find(np.ascontiguousarray(tile))
                rows.append(found + np.array([left, top, 0, 0]))
        return distinct(np.concatenate(rows))

    return find_all


def distinct(squares: Squares) -> Squares:
    """Without those that share more than half of the smaller one's area with an earlier one."""
    kept: list[np.ndarray] = []
    for square in squares:
        for other in kept:
            least = min(square[2], other[2])
            reach = (square[2] + other[2]) / 2
            sides = np.clip(reach - np.abs(square[:2] - other[:2]), 0, least)
            if sides.prod() > _SAME_FACE * least**2:
                break
        else:
            kept.append(square)
    return _rows(kept)


def _rows(rows: list[list[float]] | list[np.ndarray]) -> Squares:
    return np.array(rows, np.float64).reshape(-1, 4)
