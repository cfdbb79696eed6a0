"""Where eyes look, on rendered heads with irises drawn in: our pupils and a rival's."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.loading import load_landmarker
from tracker.analysis.eye_reading import EyeReader, EyesRead, eye_corners, read_between_corners
from tracker.analysis.face_analyser import FaceAnalyser
from tracker.face_tracker import FaceTracker
from tracker.io.picture_reader import read_picture
from tracker.layouts import IBUG_68
from tracker.types import Face, Image
from train.drawn_eyes import DrawnEyes, draw_eyes
from train.face_model import true_landmarks
from train.rendered_heads import RenderedHeads

_MOST_YAW_DEG = 60.0
Irises = Callable[[Image], np.ndarray | None]
"""Pixels of the right and the left iris; None where no face is found."""


@dataclass(frozen=True, slots=True)
class GazeScore:
    """Of one way to find pupils and heads."""

    eyes: int
    """Whose gaze was said, of `drawn`."""
    drawn: int
    median_deg: float
    p95_deg: float
    within_90: float
    """Share of the angles under the radius that a Gaussian of the said deviation has at 90 %."""


def gaze_scores(
    heads: RenderedHeads, folder: Path, weights: str, reader: EyeReader, irises: Irises | None
) -> dict[str, GazeScore]:
    """Every head looks somewhere; who finds out.

    Args:
        heads: Not learned from.
        folder: Of their pictures.
        weights: Of the landmarks.
        reader: Of the eyes.
        irises: A rival's, which go through the same geometry of the same head.
    """
    angles: dict[str, list[tuple[float, float]]] = {}
    drawn = 0
    with FaceTracker(load_landmarker(weights)) as tracker:
        for head in np.flatnonzero(np.abs(heads.angles_deg[:, 0]) <= _MOST_YAW_DEG).tolist():
            picture = read_picture(folder / heads.pictures[head])
            eyes = draw_eyes(picture, heads, head, np.random.default_rng(head))
            drawn += sum(eyes.is_drawn)
            if any(eyes.is_drawn):
                for name, face, read in _readings(heads, head, eyes, tracker, reader, irises):
                    angles.setdefault(name, []).extend(_angles(heads, head, eyes, face, read))
    return {name: _score(np.array(found), drawn) for name, found in angles.items() if found}


def _readings(
    heads: RenderedHeads, head: int, eyes: DrawnEyes, tracker: FaceTracker, reader: EyeReader,
    irises: Irises | None,
) -> list[tuple[str, Face, EyesRead]]:  # fmt: skip
    """The ways to find head and pupils."""
    true = true_landmarks(heads, head)
    known = Face(0, 1.0, true, true, layout=IBUG_68)
    readings = [("true landmarks, our pupils", known, _read(eyes.image, known, reader))]
    tracker.reset()
    tracker.update(eyes.image, 0.0)
    seen = tracker.update(eyes.image, 1 / 30)
    if not seen:
        return readings
    away = [np.linalg.norm(face.landmarks.mean.mean(0) - true.mean.mean(0)) for face in seen]
    face = replace(seen[int(np.argmin(away))], track_id=0)
    read = _read(eyes.image, face, reader)
    readings.append(("our landmarks, our pupils", face, read))
    theirs = irises(eyes.image) if irises else None
    if theirs is not None:
        readings.append(
            ("our landmarks, Face Landmarker's irises", face, replace(read, pupil=theirs))
        )
    return readings


def _read(image: Image, face: Face, reader: EyeReader) -> EyesRead:
    corners = eye_corners(face.landmarks.mean, IBUG_68)
    assert corners is not None
    (read,) = read_between_corners(image, [corners], reader)
    return read


def _angles(
    heads: RenderedHeads, head: int, eyes: DrawnEyes, face: Face, read: EyesRead
) -> list[tuple[float, float]]:
    """Of each eye that was drawn and is said to look: the error and the deviation, degrees."""
    side = round(2 * heads.center_px + 1)
    fov_deg = float(np.degrees(2 * np.arctan(side / 2 / heads.focal_px[head])))
    (analysed,) = FaceAnalyser(side, side, fov_deg=fov_deg).analyse([face], 0.0, eyes={0: read})
    analysis = analysed.analysis
    assert analysis is not None
    return [
        (float(np.degrees(np.arccos(np.clip(eye.gaze @ eyes.gaze, -1, 1)))), eye.gaze_deviation_deg)
        for eye, is_drawn in zip(
            (analysis.right_eye, analysis.left_eye), eyes.is_drawn, strict=True
        )
        if is_drawn and eye.gaze is not None and eye.gaze_deviation_deg is not None
    ]


def _score(found: np.ndarray, drawn: int) -> GazeScore:
    angle, deviation = found.T
    radius = np.sqrt(-2 * np.log(0.1)) * deviation
    median, p95 = np.percentile(angle, (50, 95))
    return GazeScore(len(found), drawn, float(median), float(p95), float((angle < radius).mean()))
