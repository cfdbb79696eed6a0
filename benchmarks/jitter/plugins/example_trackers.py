"""Trackers that plug in: ours, and others where they are installed and their files are given.

    --tracker benchmarks.jitter.plugins.example_trackers:ours

Each is made anew for each clip and called with every frame in turn.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from weakref import finalize

import cv2
import numpy as np

import models
from tracker.errors import FaceTrackError
from tracker.face_tracker import FaceTracker
from tracker.types import Face, Image

from .plugin_loading import PluggedFace, PluggedTracker

YUNET_FILE, DLIB_FILE = "YUNET_ONNX", "DLIB_PREDICTOR"
"""Environment variables that name the files of rivals."""


@cache
def _our_tracker(weights: str) -> FaceTracker:
    return FaceTracker(models.load_landmarker(weights, "cpu"))


def _fresh(weights: str) -> FaceTracker:
    tracker = _our_tracker(weights)
    tracker.reset()
    return tracker


def ours(weights: str = "lite") -> PluggedTracker:
    """Our tracker with its filter and its covariances."""
    tracker = _fresh(weights)

    def follow(image: Image, time_s: float) -> list[PluggedFace]:
        faces = [face for face in tracker.update(image, time_s) if face.is_believed]
        return [
            PluggedFace(face.landmarks.mean, face.track_id, face.landmarks.covariance)
            for face in faces
        ]

    return follow


def ours_raw(weights: str = "lite") -> PluggedTracker:
    """Its raw landmarks, with the measurement noise of each: what filters are tried on."""
    tracker = _fresh(weights)

    def follow(image: Image, time_s: float) -> list[PluggedFace]:
        faces = [face for face in tracker.update(image, time_s) if face.is_believed]
        return [_measured(face) for face in faces]

    return follow


def _measured(face: Face) -> PluggedFace:
    assert face.measured is not None
    return PluggedFace(face.measured.mean, face.track_id, face.measurement_noise)


def mediapipe_alone() -> PluggedTracker:
    """MediaPipe's Face Mesh, each picture for itself."""
    return _face_mesh(alone=True)


def mediapipe_video() -> PluggedTracker:
    """MediaPipe's Face Mesh, from frame to frame; smooth it by `--filter one-euro`."""
    return _face_mesh(alone=False)


def _face_mesh(*, alone: bool) -> PluggedTracker:
    try:
        import mediapipe  # noqa: PLC0415 - may not be installed

        mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=alone)
    except (ImportError, AttributeError) as error:
        raise FaceTrackError(
            f"MediaPipe's Face Mesh is not there ({error}): pip install mediapipe==0.10.21"
        ) from error

    def follow(image: Image, _: float) -> Iterator[PluggedFace]:
        height, width = image.shape[:2]
        for face in mesh.process(image).multi_face_landmarks or []:
            shares = np.array([(mark.x, mark.y) for mark in face.landmark])
            yield PluggedFace(shares * [width, height] - 0.5)

    finalize(follow, mesh.close)  # or it keeps its memory
    return follow


def mediapipe_smoothed() -> PluggedTracker:
    """MediaPipe's Face Landmarker in video mode, which smooths by its own One Euro.

    The environment variable FACE_LANDMARKER names `face_landmarker.task`.
    """
    path = _file("FACE_LANDMARKER", "face_landmarker.task")
    try:
        from mediapipe import Image as Picture  # noqa: PLC0415 - may not be installed
        from mediapipe import ImageFormat  # noqa: PLC0415
        from mediapipe.tasks.python import BaseOptions, vision  # noqa: PLC0415
    except ImportError as error:
        raise FaceTrackError(
            f"MediaPipe's Tasks are not there ({error}): pip install mediapipe==0.10.21"
        ) from error
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(path)),
        running_mode=vision.RunningMode.VIDEO,
    )
    landmarker = vision.FaceLandmarker.create_from_options(options)

    def follow(image: Image, time_s: float) -> Iterator[PluggedFace]:
        height, width = image.shape[:2]
        picture = Picture(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(image))
        found = landmarker.detect_for_video(picture, round(1000 * time_s))
        for face in found.face_landmarks:
            shares = np.array([(mark.x, mark.y) for mark in face])
            yield PluggedFace(shares * [width, height] - 0.5)

    finalize(follow, landmarker.close)
    return follow


def yunet() -> PluggedTracker:
    """OpenCV's YuNet: five points. YUNET_ONNX names its file, face_detection_yunet_2023mar.onnx."""
    path = _file(YUNET_FILE, "face_detection_yunet_2023mar.onnx")
    detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320), 0.6)

    def follow(image: Image, _: float) -> Iterator[PluggedFace]:
        detector.setInputSize(image.shape[1::-1])
        found = detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
        for row in found if found is not None else []:
            yield PluggedFace(np.asarray(row[4:14], float).reshape(5, 2))

    return follow


def dlib_points() -> PluggedTracker:
    """68 points by dlib. DLIB_PREDICTOR names shape_predictor_68_face_landmarks.dat."""
    path = _file(DLIB_FILE, "shape_predictor_68_face_landmarks.dat")
    try:
        dlib: Any = importlib.import_module("dlib")
    except ImportError as error:
        raise FaceTrackError(f"dlib is not there ({error}): pip install dlib") from error
    detect = dlib.get_frontal_face_detector()
    predict = dlib.shape_predictor(str(path))

    def follow(image: Image, _: float) -> Iterator[PluggedFace]:
        for box in detect(image, 0):
            parts = predict(image, box).parts()
            yield PluggedFace(np.array([(part.x, part.y) for part in parts], float))

    return follow


def _file(variable: str, usual: str) -> Path:
    path = Path(os.environ.get(variable, usual))
    if not path.is_file():
        raise FaceTrackError(f"{path}: is not there: name {usual} by the variable {variable}")
    return path


def openseeface() -> PluggedTracker:
    """OpenSeeFace's 66 points. OPENSEEFACE names the `tracker.py` of its checkout."""
    path = _file("OPENSEEFACE", "OpenSeeFace/tracker.py")
    spec = importlib.util.spec_from_file_location("openseeface_tracker", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.append(str(path.parent))
    spec.loader.exec_module(module)
    trackers: list[Any] = []

    def follow(image: Image, _: float) -> Iterator[PluggedFace]:
        height, width = image.shape[:2]
        if not trackers:
            trackers.append(module.Tracker(width, height, max_faces=2, silent=True))
        for face in trackers[0].predict(cv2.cvtColor(image, cv2.COLOR_RGB2BGR)):
            # Its points are y, x and a confidence; those of the pupils come after the 66.
            yield PluggedFace(np.array(face.lms, float)[:66, [1, 0]], face.id)

    return follow
