"""Discs with a known path and the faces that a tracker finds in them."""

import numpy as np
from fakes import blob_frame

from tracker.face_tracker import FaceTracker
from tracker.types import Face

RATE = 30.0


def follow(
    tracker: FaceTracker, paths: list[list[tuple[float, float]]], first: int = 0
) -> list[list[Face]]:
    """Faces of every frame; `paths` holds the disc centres of each frame."""
    return [
        tracker.update(blob_frame(centers), (first + i) / RATE) for i, centers in enumerate(paths)
    ]


def center_of(face: Face) -> np.ndarray:
    low, high = face.landmarks.mean.min(0), face.landmarks.mean.max(0)
    return (low + high) / 2
