"""The ONNX Runtime back end: a file that `models.export` wrote, on the CPU, without PyTorch."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import UInt8

from .calibrated_landmarker import CalibratedLandmarker, CropMoments
from .checksum import is_whole
from .description import METADATA_KEY, CheckpointError, CheckpointInfo, from_dictionary

INPUT = "crops"
SOURCE_KEY = "exported-from-sha256"
"""Under which the file keeps the SHA-256 of the weight file it was made from."""
_MOST_THREADS = 4
"""More find nothing to do in a network this small."""


class OnnxLandmarker(CalibratedLandmarker):
    """Runs an exported network on crops and calibrates what its heat maps say."""

    def __init__(self, session: onnxruntime.InferenceSession, info: CheckpointInfo) -> None:
        super().__init__(info)
        self._session = session

    def raw(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropMoments:
        """What the heat maps say, uncalibrated."""
        found = self._session.run(None, {INPUT: crops})
        return CropMoments(*(np.asarray(part, np.float64) for part in found))


def load_onnx_landmarker(
    path: Path, *, exported_from: Path | None = None, threads: int = 0
) -> OnnxLandmarker:
    """Load what `models.export` wrote.

    Args:
        path: An `.onnx` file.
        exported_from: Must be the weight file it was made from.
        threads: That share a crop; 0 takes a thread per core, up to four.

    Raises:
        CheckpointError: If the file is missing, damaged, not ours or not made from that file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    if not is_whole(content):
        raise CheckpointError(
            f"{path}: damaged, or not written by models.export: fetch it anew or export it again"
        )
    session = onnxruntime.InferenceSession(
        content, session_options(threads), providers=["CPUExecutionProvider"]
    )
    metadata = session.get_modelmeta().custom_metadata_map
    try:
        info = from_dictionary(json.loads(metadata[METADATA_KEY]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: described for another version of this tracker ({error}): export it again"
        ) from error
    if exported_from and metadata[SOURCE_KEY] != file_digest(exported_from):
        raise CheckpointError(
            f"{path}: exported from other weights than {exported_from.name}: "
            f"python -m models.export --weights {exported_from}"
        )
    return OnnxLandmarker(session, info)


def file_digest(path: Path) -> str:
    """SHA-256 of a whole file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def session_options(threads: int = 0) -> onnxruntime.SessionOptions:
    """Threads as in `load_onnx_landmarker`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(_cores(), _MOST_THREADS)
    # Threads that wait busily take the core from those that read, filter and write.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _cores() -> int:
    """Those this process may run on, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
