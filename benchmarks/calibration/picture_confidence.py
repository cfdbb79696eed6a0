"""The confidence that a user gets in pictures: detector, several crops and all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.progress import track

from models.loading import load_landmarker
from tracker.face_tracker import FaceTracker
from train.datasets import Sample
from train.fit_heads import RIGHT
from train.reliability import auroc, reliability_gap

from ..whole_pictures import nearest_face

HARD = 0.06
"""Mean error, in outer eye distances, beyond which landmarks are doubtful."""


@dataclass(frozen=True, slots=True)
class PictureConfidence:
    """Of one network in whole pictures of annotated faces."""

    faces: int
    missed: int
    hard: int
    """Found with a mean error over 6 % of the eye distance."""
    auroc_hard: float
    """Of the confidence, for errors under 6 %."""
    gap: float
    """Mean distance between confidence and the share under 8 %, over tenths of the confidence."""


def picture_confidence(weights: str, samples: Sequence[Sample]) -> PictureConfidence:
    """Find the faces of pictures as a user does, and see whether their confidence is worth it.

    Args:
        weights: Name or path.
        samples: Annotated faces that no network was trained on.

    Raises:
        CheckpointError: If the weights cannot be used.
        DataError: If a picture cannot be read.
    """
    confidence, error = [], []
    with FaceTracker(load_landmarker(weights)) as tracker:
        for sample in track(samples, "whole pictures"):
            face = nearest_face(tracker, sample)
            if face is not None:
                away = np.linalg.norm(face.landmarks.mean - sample.points, axis=-1).mean()
                confidence.append(face.confidence)
                error.append(away / float(tracker.layout.interocular(sample.points)))
    return scores_in_pictures(np.array(confidence), np.array(error), len(samples))


def scores_in_pictures(confidence: np.ndarray, error: np.ndarray, faces: int) -> PictureConfidence:
    """The figures of the faces that were found, and how many there were.

    Args:
        confidence: Of each face found.
        error: Its mean error, in outer eye distances.
        faces: Shown.
    """
    return PictureConfidence(
        faces=faces,
        missed=faces - len(error),
        hard=int((error >= HARD).sum()),
        auroc_hard=auroc(confidence, error < HARD),
        gap=reliability_gap(confidence, error < RIGHT),
    )
