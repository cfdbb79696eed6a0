"""The whole tracker, detector included, on unrelated pictures."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from tracker.face_tracker import FaceTracker
from train.datasets import Sample

_LARGEST_DISTANCE = 0.5
"""Between the means of a face and its annotation, in eye distances; beyond, it is another face."""


def detect_in_pictures(
    tracker: FaceTracker, samples: Iterable[Sample]
) -> Float[np.ndarray, "faces landmarks xy=2"]:
    """Landmarks of the face nearest to each annotation; NaN where none is near."""
    found = [_nearest(tracker, sample) for sample in samples]
    return np.array(found).reshape(-1, tracker.layout.count, 2)


def _nearest(tracker: FaceTracker, sample: Sample) -> Float[np.ndarray, "landmarks xy=2"]:
    faces = tracker.detect(sample.read_image())
    candidates = [face.landmarks.mean for face in faces]
    reach = _LARGEST_DISTANCE * float(tracker.layout.interocular(sample.points))
    away = [float(np.linalg.norm((mean - sample.points).mean(0))) for mean in candidates]
    if not away or min(away) > reach:
        return np.full((tracker.layout.count, 2), np.nan)
    return candidates[int(np.argmin(away))]
