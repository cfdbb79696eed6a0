"""Loads the face detector's ONNX file, after it has been seen to be ours and whole."""

from pathlib import Path
from typing import Any

import numpy as np

from .face_detector import PICTURES, STRIDES, FaceDetector
from .face_scan import SEEN_PX
from .face_suppression import CHANNELS
from .onnx_session import OwnSession
from .tool_loading import open_tool

__all__ = ["FACES", "KIND", "load_face_detector"]

FACES = Path(__file__).parent / "weights" / "faces.onnx"
KIND = "face-detector"
"""What the description in the file says it is."""


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

    def make(session: OwnSession, described: dict[str, Any]) -> FaceDetector:
        _check_answer(session)
        return FaceDetector(session, _found_from(described), seen_px)

    return open_tool(path, KIND, make, threads)


def _found_from(described: dict[str, Any]) -> float:
    """The threshold that the file names."""
    found_from = described.get("found_from")
    if not isinstance(found_from, float) or not 0 < found_from < 1:
        raise ValueError("its threshold is no share")
    return found_from


def _check_answer(session: OwnSession) -> None:
    """Ask it about two small black pictures."""
    names = [entry.name for entry in session.built.get_inputs()]
    if names != [PICTURES] or len(session.built.get_outputs()) != 1:
        raise ValueError("it takes and gives other things")
    for rows, columns in ((64, 96), (160, 128)):
        (answer,) = session.run(None, {PICTURES: np.zeros((1, rows, columns, 3), np.uint8)})
        cells = sum(-(-rows // stride) * -(-columns // stride) for stride in STRIDES)
        good = isinstance(answer, np.ndarray) and answer.shape == (1, cells, CHANNELS)
        if not good or not np.isfinite(answer).all():
            raise ValueError("its answers are not those of a face detector")
