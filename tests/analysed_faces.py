"""Faces with a head pose, eyes and an expression that are known, for whoever sends them on."""

import numpy as np

from tracker.analysis.linear_face import load_linear_face
from tracker.face_analysis import Estimate, Eye, FaceAnalysis, HeadPose
from tracker.layouts import IBUG_68
from tracker.streams.update import Update
from tracker.types import Face, Frame, LandmarkEstimate

HEAD_MM = load_linear_face().mean
FOCAL_PX, CENTER = 640.0, np.array([320.0, 240.0])


def turned(axis: str, degrees: float) -> np.ndarray:
    """A rotation about an axis of the camera: x right, y down, z away."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    rotation = np.eye(3)
    rotation[[first, second], [first, second]] = cosine
    rotation[first, second], rotation[second, first] = -sine, sine
    return rotation


def eye(openness: float, gaze: np.ndarray | None, pupil: np.ndarray | None = None) -> Eye:
    deviation = None if gaze is None else 2.0
    covariance = None if pupil is None else np.eye(2)
    return Eye(Estimate(openness, 0.05), pupil, covariance, gaze, deviation)


def analysed_face(
    rotation: np.ndarray,
    translation_mm: tuple[float, float, float] = (0.0, 0.0, 600.0),
    expression: dict[str, float] | None = None,
    gaze: np.ndarray | None = None,
    track_id: int = 3,
) -> Face:
    """As a camera of `FOCAL_PX` sees it."""
    placed = HEAD_MM @ rotation.T + np.array(translation_mm)
    points = FOCAL_PX * placed[:, :2] / placed[:, 2:] + CENTER
    pupils = [None, None] if gaze is None else [points[42:48].mean(0), points[36:42].mean(0)]
    analysis = FaceAnalysis(
        HeadPose(rotation, np.array(translation_mm, float), 1e-4 * np.eye(6)),
        eye(0.9, gaze, pupils[0]),
        eye(0.25, gaze, pupils[1]),
        {name: Estimate(value, 0.1) for name, value in (expression or {}).items()},
    )
    return _face(points, track_id, analysis)


def plain_face(track_id: int = 0) -> Face:
    """Landmarks alone."""
    return _face(HEAD_MM[:, :2] + CENTER, track_id, None)


def _face(points: np.ndarray, track_id: int, analysis: FaceAnalysis | None) -> Face:
    estimate = LandmarkEstimate(points, np.broadcast_to(np.diag([1.0, 4.0]), (68, 2, 2)).copy())
    return Face(track_id, 0.97, estimate, estimate, None, IBUG_68, analysis)


def frame_of(index: int = 0, time_s: float | None = None) -> Frame:
    at_s = index / 30 if time_s is None else time_s
    return Frame(index, at_s, np.zeros((480, 640, 3), np.uint8))


def update_of(*faces: Face, sequence: int = 0) -> Update:
    return Update(sequence, 1_700_000_000.25, frame_of(sequence), list(faces))
