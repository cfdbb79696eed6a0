"""The whole tracker, detector included, on unrelated pictures."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from tracker.face_tracker import FaceTracker
from tracker.types import Face
from train.datasets import Sample

_LARGEST_DISTANCE = 0.5
"""Between the means of a face and its annotation, in eye distances; beyond, it is another face."""


def detect_in_pictures(
    tracker: FaceTracker, samples: Iterable[Sample]
) -> Float[np.ndarray, "faces landmarks xy=2"]:
    """Landmarks of the face nearest to each annotation; NaN where none is near."""
    missing = np.full((tracker.layout.count, 2), np.nan)
    faces = (nearest_face(tracker, sample) for sample in samples)
    found = [missing if face is None else face.landmarks.mean for face in faces]
    return np.array(found).reshape(-1, tracker.layout.count, 2)


def nearest_face(tracker: FaceTracker, sample: Sample) -> Face | None:
    """Of the faces that the tracker finds in the picture; None where none is near."""
    faces = tracker.detect(sample.read_image())
    reach = _LARGEST_DISTANCE * float(tracker.layout.interocular(sample.points))
    away = [float(np.linalg.norm((f.landmarks.mean - sample.points).mean(0))) for f in faces]
    if not away or min(away) > reach:
        return None
    return faces[int(np.argmin(away))]
