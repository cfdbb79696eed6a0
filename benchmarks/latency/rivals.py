"""Other trackers and ours over the same frames: detection and landmarks, no drawing, no decoding.

Each runs with its makers' settings and gets the number of faces where it takes one; none is tuned.
Ours filters, too, and detects new faces once a second. dlib and face-alignment detect in every
frame: they do not track.
"""

import importlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import models
from tracker.face_tracker import FaceTracker
from tracker.io.sources import open_source
from tracker.types import Frame

from .timed_clips import TimedClip

OURS = "star-tracker"
_WARM_FRAMES = 5
"""Not counted: libraries set up, or compile, in their first calls."""
_TIME_LIMIT_S = 5.0
"""Of a rival's own calls in one round: slow ones process fewer frames."""
_MOST_THREADS = 4
_DLIB_SHAPE = "shape_predictor_68_face_landmarks.dat"

FaceCounter = Callable[[Frame], int]
"""Takes a frame, returns for how many faces landmarks were found."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A tracker that may be installed."""

    name: str
    open: Callable[[TimedClip], AbstractContextManager[FaceCounter]]
    needs: str = ""
    """What to install."""
    takes_bgr: bool = False
    """Whether it takes OpenCV's order of colours; the conversion is not timed."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Of one run over a clip."""

    fps: float
    faces_per_frame: float


def rivals(weights: str, openseeface: Path | None, dlib_shape: Path | None) -> list[Rival]:
    """Ours first, then all others that this module can run."""
    return [
        Rival(OURS, lambda _: _ours(weights)),
        Rival("MediaPipe Face Mesh, video", _face_mesh, "'pip install mediapipe==0.10.21'"),
        Rival(
            "OpenSeeFace, model 3",
            lambda clip: _openseeface(openseeface, clip),
            "a checkout of github.com/emilianavt/OpenSeeFace and --openseeface DIR",
            takes_bgr=True,
        ),
        Rival(
            "dlib, HOG and 68 points",
            lambda _: _dlib(dlib_shape),
            "'pip install dlib-bin face-recognition-models', or --dlib-shape "
            f"{_DLIB_SHAPE} for the second",
        ),
        Rival(
            "face-alignment, SFD and 2DFAN-4",
            lambda _: _face_alignment(),
            "'pip install face-alignment' and a network for its weights",
        ),
    ]


def available(known: list[Rival], clip: TimedClip) -> tuple[list[Rival], dict[str, str]]:
    """Those that process a frame, and for each of the others what to install."""
    with open_source(str(clip.path)) as source:
        frame = next(iter(source))
    present: list[Rival] = []
    absent: dict[str, str] = {}
    for rival in known:
        try:
            with rival.open(clip) as count:
                count(_for(rival, frame))
        except (ImportError, AttributeError, TypeError, OSError, RuntimeError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            absent[rival.name] = f"needs {rival.needs} ({reason})"
        else:
            present.append(rival)
    return present, absent


def time_rival(rival: Rival, clip: TimedClip) -> Throughput:
    """Run over the clip once; only the rival's own calls are timed."""
    spent, faces = 0.0, []
    with open_source(str(clip.path)) as source, rival.open(clip) as count:
        for frame in source:
            image = _for(rival, frame)
            began = time.perf_counter()
            found = count(image)
            taken = time.perf_counter() - began
            if frame.index >= _WARM_FRAMES:
                spent += taken
                faces.append(found)
            if spent > _TIME_LIMIT_S:
                break
    return Throughput(len(faces) / max(spent, 1e-9), sum(faces) / max(len(faces), 1))


def _for(rival: Rival, frame: Frame) -> Frame:
    if not rival.takes_bgr:
        return frame
    return replace(frame, image=cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))


@contextmanager
def _ours(weights: str) -> Iterator[FaceCounter]:
    tracker = FaceTracker(models.load_landmarker(weights, "cpu"))

    def faces_in(frame: Frame) -> int:
        return sum(not face.is_predicted for face in tracker.update(frame.image, frame.time_s))

    yield faces_in


@contextmanager
def _face_mesh(clip: TimedClip) -> Iterator[FaceCounter]:
    solutions = importlib.import_module("mediapipe").solutions
    mesh = solutions.face_mesh.FaceMesh(static_image_mode=False, max_num_faces=clip.faces)
    mesh.process(np.zeros((64, 64, 3), np.uint8))  # the first call starts the graph
    with mesh:
        yield lambda frame: len(mesh.process(frame.image).multi_face_landmarks or [])


@contextmanager
def _openseeface(folder: Path | None, clip: TimedClip) -> Iterator[FaceCounter]:
    """Its `tracker.py`, under another name than our package, without gaze and 3-D fit."""
    if folder is None:
        raise FileNotFoundError("no --openseeface given")
    with open_source(str(clip.path)) as source:
        height, width = next(iter(source)).image.shape[:2]
    made = _module_of(folder).Tracker(
        width, height, model_type=3, max_faces=clip.faces, no_gaze=True, silent=True,
        static_model=True, feature_level=0, max_threads=min(os.cpu_count() or 1, _MOST_THREADS),
    )  # fmt: skip
    yield lambda frame: len(made.predict(frame.image))


def _module_of(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("openseeface_tracker", folder / "tracker.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{folder}: holds no tracker.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(folder))  # for its other files
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


@contextmanager
def _dlib(shape: Path | None) -> Iterator[FaceCounter]:
    dlib: Any = importlib.import_module("dlib")
    shape = shape or _installed_dlib_shape()
    detect, predict = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(shape))
    yield lambda frame: len([predict(frame.image, box) for box in detect(frame.image)])


def _installed_dlib_shape() -> Path:
    package = importlib.util.find_spec("face_recognition_models")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("no --dlib-shape given")
    return Path(package.submodule_search_locations[0], "models", _DLIB_SHAPE)


@contextmanager
def _face_alignment() -> Iterator[FaceCounter]:
    aligner = _aligner()
    yield lambda frame: len(aligner.get_landmarks_from_image(frame.image) or [])


@cache
def _aligner() -> Any:
    """Once: it compiles itself, and keeps nothing from frame to frame."""
    package: Any = importlib.import_module("face_alignment")
    return package.FaceAlignment(package.LandmarksType.TWO_D, device="cpu", flip_input=False)
