"""Opens the ONNX files that this project exports, after their content was checked."""

import hashlib
import os
from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from .checksum import is_whole
from .description import CheckpointError
from .onnx_graph import check_graph

SOURCE_KEY = "exported-from-sha256"
"""Metadata key of the SHA-256 of the weight file that an exported file was made from."""
UNUSABLE = (
    runtime_errors.Fail, runtime_errors.InvalidArgument, runtime_errors.InvalidGraph,
    runtime_errors.InvalidProtobuf, runtime_errors.NotImplemented, runtime_errors.EPFail,
    runtime_errors.RuntimeException, RuntimeError, ValueError,
)  # fmt: skip
"""What ONNX Runtime raises on a graph that it cannot build or run."""
_MOST_BYTES = 400_000_000
_MOST_THREADS = 4
"""A network this small has no work for more."""


def open_session(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """A session on the CPU.

    Args:
        path: An `.onnx` file.
        threads: Of one run; 0 takes a thread per core, up to four.

    Raises:
        CheckpointError: If the file is missing, too large or damaged, or holds a graph that none
            of our networks has.
    """
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise CheckpointError(f"{path}: {size} bytes are too large for a network of ours")
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    if not is_whole(content):
        raise CheckpointError(
            f"{path}: damaged, or not written by models.export: fetch it anew or export it again"
        )
    try:
        check_graph(content)
        return onnxruntime.InferenceSession(
            content, session_options(threads), providers=["CPUExecutionProvider"]
        )
    except UNUSABLE as error:
        raise CheckpointError(f"{path}: not a network of ours ({first_line(error)})") from error


def session_options(threads: int = 0) -> onnxruntime.SessionOptions:
    """Threads as in `open_session`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(_cores(), _MOST_THREADS)
    # Threads that wait busily take the core from those that read, filter and write.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def file_digest(path: Path) -> str:
    """SHA-256 of a whole file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def first_line(error: Exception) -> str:
    """Of an error's message, short enough for a message of one line."""
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__


def _cores() -> int:
    """Those this process may run on, where the system reports them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
