"""Opens the ONNX files that this project exports, after their content was checked."""

import ctypes
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakSet

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


class OwnSession:
    """A session that works in forked and spawned processes, too: each builds one of its own.

    Args:
        content: Of a file that was checked.
        threads: As in `open_session`.
    """

    def __init__(self, content: bytes, threads: int) -> None:
        self._content, self._threads = content, threads
        self._built: onnxruntime.InferenceSession | None = None
        _SESSIONS.add(self)

    @property
    def built(self) -> onnxruntime.InferenceSession:
        """The session of this process."""
        if self._built is None:
            self._built = onnxruntime.InferenceSession(
                self._content, session_options(self._threads), providers=["CPUExecutionProvider"]
            )
        return self._built

    def run(self, names: list[str] | None, inputs: Mapping[str, Any]) -> list[Any]:
        """The outputs of these names, or all."""
        return list(self.built.run(names, inputs))

    def leave_to_parent(self) -> None:
        """In a forked process: the parent's threads are not here, and would be waited for."""
        if self._built is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._built))  # never destroyed
            self._built = None

    def __reduce__(self) -> tuple[type["OwnSession"], tuple[bytes, int]]:
        return OwnSession, (self._content, self._threads)


_SESSIONS: WeakSet[OwnSession] = WeakSet()


def _leave_all_to_parent() -> None:
    for session in list(_SESSIONS):
        session.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)


def open_session(path: Path, threads: int = 0, most_bytes: int = _MOST_BYTES) -> OwnSession:
    """A session on the CPU.

    Args:
        path: An `.onnx` file.
        threads: Of one run; 0 takes a thread per core, up to four.
        most_bytes: Of the file.

    Raises:
        CheckpointError: If the file is missing, too large or damaged, or holds a graph that none
            of our networks has.
    """
    try:
        size = path.stat().st_size
        if size > most_bytes:
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
        session = OwnSession(content, threads)
        session.built.get_inputs()
    except UNUSABLE as error:
        raise CheckpointError(f"{path}: not a network of ours ({first_line(error)})") from error
    return session


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
