"""The ONNX Runtime back end: a file that `models.export` wrote, on the CPU, without PyTorch."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from .calibrated_landmarker import CalibratedLandmarker, CropMoments
from .description import METADATA_KEY, CheckpointError, CheckpointInfo
from .description_reader import from_dictionary, parse_description
from .onnx_session import (
    SOURCE_KEY,
    UNUSABLE,
    OwnSession,
    file_digest,
    first_line,
    open_session,
    session_options,
)

__all__ = [
    "INPUT", "OUTPUTS", "SOURCE_KEY", "OnnxLandmarker", "file_digest", "load_onnx_landmarker",
    "session_options",
]  # fmt: skip

INPUT = "crops"
OUTPUTS, HEADS = ("mean", "spread", "peak"), ("log_odds", "descriptor")
"""Fields of `CropMoments`; the last two where the network has such heads."""


class OnnxLandmarker(CalibratedLandmarker):
    """Runs an exported network on crops and calibrates the moments of its heat maps."""

    def __init__(self, session: OwnSession, info: CheckpointInfo) -> None:
        super().__init__(info)
        self._session = session

    def raw(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropMoments:
        """Uncalibrated moments of the heat maps, in crop pixels."""
        found = self._session.run(None, {INPUT: crops})
        return CropMoments(*(np.asarray(part, np.float64) for part in found))


def load_onnx_landmarker(
    path: Path, *, exported_from: Path | None = None, threads: int = 0
) -> OnnxLandmarker:
    """Load what `models.export` wrote.

    Args:
        path: An `.onnx` file.
        exported_from: Must be the weight file it was made from.
        threads: Of one run; 0 takes a thread per core, up to four.

    Raises:
        CheckpointError: If the file is missing, damaged, not ours or not made from that file.
    """
    session = open_session(path, threads)
    metadata = session.built.get_modelmeta().custom_metadata_map
    try:
        info = from_dictionary(parse_description(metadata.get(METADATA_KEY, "")))
    except ValueError as error:
        raise CheckpointError(
            f"{path}: not described as this version of the tracker does ({error}): export it again"
        ) from error
    if exported_from and metadata.get(SOURCE_KEY) != file_digest(exported_from):
        raise CheckpointError(
            f"{path}: exported from other weights than {exported_from.name}: "
            f"python -m models.export --weights {exported_from}"
        )
    try:
        return _checked(OnnxLandmarker(session, info), session)
    except UNUSABLE as error:
        raise CheckpointError(
            f"{path}: not a landmark network of ours ({first_line(error)})"
        ) from error


def _checked(landmarker: OnnxLandmarker, session: OwnSession) -> OnnxLandmarker:
    """The same, once the network takes, gives and answers what its description says.

    Raises:
        ValueError: If it does not.
    """
    size, landmarks = landmarker.input_px, landmarker.info.architecture.landmarks
    inputs = [(given.name, given.type, given.shape[1:]) for given in session.built.get_inputs()]
    if inputs != [(INPUT, "tensor(uint8)", [size, size, 3])]:
        raise ValueError(f"it takes other things than crops of {size} px")
    heads = landmarker.info.architecture.heads
    if [output.name for output in session.built.get_outputs()] != [
        *OUTPUTS,
        *(HEADS if heads else ()),
    ]:
        raise ValueError("it gives other things than moments of heat maps")
    pattern = np.arange(2 * size * size * 3).reshape(2, size, size, 3) % 251
    moments = landmarker.raw(pattern.astype(np.uint8))
    shapes = [(2, landmarks, 2), (2, landmarks, 2, 2), (2, landmarks)]
    shapes += [(2,), (2, heads.descriptor)] if heads else []
    parts = [part for part in moments if part is not None]
    if [part.shape for part in parts] != shapes:
        raise ValueError(f"it does not give {landmarks} landmarks")
    if not all(np.isfinite(part).all() for part in parts):
        raise ValueError("its answers are not finite")
    return landmarker
