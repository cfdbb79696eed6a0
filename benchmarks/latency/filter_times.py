"""The processor's time of the filter alone, from measured landmarks to reported faces.

Landmarks are measured once, on the clip of four portraits; faces beyond four are the same ones at
other times of it.
"""

import time

import numpy as np

import models
from tracker.face_tracker import FaceTracker
from tracker.filter.config import MotionConfig
from tracker.filter.head_filter import HeadFilter
from tracker.track import begin, expected, reported_faces, updated
from tracker.types import Measurement

from ..harness import Json
from .stage_times import percentiles
from .timed_clips import FRAME_RATE, FourPortraits

FACES = (1, 4, 16)
_SHIFT_FRAMES = 7
_WARM_FRAMES = 5
"""Not counted."""


def time_filter(weights: str, rounds: int, clip_s: float = 2.0) -> list[Json]:
    """Percentiles of a frame's milliseconds, by number of faces.

    Args:
        weights: Name or path of those that measure the landmarks.
        rounds: How often every number of faces is filtered, in turns; of each frame the least time
            counts, as others use the machine as well.
        clip_s: Length of the clip.
    """
    tracker = FaceTracker(models.load_landmarker(weights, "cpu"))
    with tracker:
        measured = _measured(tracker, clip_s)
    head_filter = HeadFilter(tracker.layout, MotionConfig())
    taken: dict[int, list[list[float]]] = {faces: [] for faces in FACES}
    for _ in range(rounds):
        for faces, runs in taken.items():
            runs.append(_one_run(_frames(measured, faces), head_filter))
    return [
        {"faces": faces, **percentiles(np.min(runs, 0).tolist())} for faces, runs in taken.items()
    ]


def _frames(measured: list[list[Measurement]], faces: int) -> list[list[Measurement]]:
    """Of every frame the measurements of so many faces."""
    count = min(map(len, measured))
    return [
        [
            measured[face % len(measured)][
                (index + _SHIFT_FRAMES * (face // len(measured))) % count
            ]
            for face in range(faces)
        ]
        for index in range(count)
    ]


def _measured(tracker: FaceTracker, clip_s: float) -> list[list[Measurement]]:
    """What the network says of every face that is followed, frame by frame."""
    by_face: dict[int, list[Measurement]] = {}
    for frame in FourPortraits(clip_s):
        for face in tracker.update(frame.image, frame.time_s):
            if face.measured is not None and face.measurement_noise is not None:
                seen = Measurement(face.measured, face.measurement_noise, face.confidence)
                by_face.setdefault(face.track_id, []).append(seen)
    return list(by_face.values())


def _one_run(frames: list[list[Measurement]], head_filter: HeadFilter) -> list[float]:
    """Milliseconds of every frame but the first ones."""
    tracks = [begin(index, seen, 0.0, head_filter) for index, seen in enumerate(frames[0])]
    milliseconds = []
    for index, seen in enumerate(frames[1:], 1):
        time_s, started = index / FRAME_RATE, time.process_time()
        expected(tracks, time_s, head_filter)
        tracks = updated(tracks, seen, time_s, head_filter)
        reported_faces(tracks, head_filter)
        milliseconds.append(1e3 * (time.process_time() - started))
    return milliseconds[_WARM_FRAMES:]
