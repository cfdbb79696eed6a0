"""Loads the face detector's ONNX file, after it has been seen to be ours and whole."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from .description import METADATA_KEY, CheckpointError
from .face_detector import CHANNELS, PICTURES, STRIDES, FaceDetector
from .face_scan import SEEN_PX
from .onnx_session import UNUSABLE, OwnSession, first_line, open_session

__all__ = ["FACES", "KIND", "load_face_detector"]

FACES = Path(__file__).parent / "weights" / "faces.onnx"
KIND = "face-detector"
"""What the description in the file says it is."""
_MOST_BYTES = 16_000_000


def load_face_detector(
    path: Path = FACES, *, threads: int = 0, seen_px: int = SEEN_PX
) -> FaceDetector:
    """Load what `models.export_faces` wrote.

    Args:
        path: An `.onnx` file.
        threads: That share a picture; 0 takes one per core, up to four.
        seen_px: As in `FaceDetector`.

    Raises:
        CheckpointError: If the file is missing, damaged or no face detector.
    """
    session = open_session(path, threads, _MOST_BYTES)
    try:
        detector = FaceDetector(session, _found_from(session, path), seen_px)
        _check_answer(session, path)
    except UNUSABLE as error:
        raise CheckpointError(
            f"{path}: not a face detector of ours ({first_line(error)})"
        ) from error
    return detector


def _found_from(session: OwnSession, path: Path) -> float:
    """The threshold that the file names."""
    try:
        described: dict[str, Any] = json.loads(
            session.built.get_modelmeta().custom_metadata_map[METADATA_KEY]
        )
        kind, found_from = described["kind"], described["found_from"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: does not say what it is: export it again") from error
    good = isinstance(found_from, float) and 0 < found_from < 1
    if kind != KIND or not good:
        raise CheckpointError(f"{path}: does not describe a face detector of this version")
    return float(found_from)


def _check_answer(session: OwnSession, path: Path) -> None:
    """Ask it about two small black pictures."""
    names = [entry.name for entry in session.built.get_inputs()]
    if names != [PICTURES] or len(session.built.get_outputs()) != 1:
        raise CheckpointError(f"{path}: takes and gives other things than a face detector")
    for rows, columns in ((64, 96), (160, 128)):
        (answer,) = session.run(None, {PICTURES: np.zeros((1, rows, columns, 3), np.uint8)})
        cells = sum(-(-rows // stride) * -(-columns // stride) for stride in STRIDES)
        good = isinstance(answer, np.ndarray) and answer.shape == (1, cells, CHANNELS)
        if not good or not np.isfinite(answer).all():
            raise CheckpointError(f"{path}: its answers are not those of a face detector")
