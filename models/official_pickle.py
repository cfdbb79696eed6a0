"""Reads the tensors of the authors' checkpoints without running code, in bounded memory."""

import struct
import zipfile
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from .description import CheckpointError

UNREADABLE = (
    UnpicklingError, RuntimeError, OSError, EOFError, ValueError, LookupError, TypeError,
    AttributeError, AssertionError, struct.error, RecursionError,
)  # fmt: skip
"""What torch's unpickler raises on files that are no checkpoint."""
_MOST_BYTES = 1_500_000_000
"""Of all entries unpacked; the authors' files have 180 million."""
_MOST_PICKLE_BYTES = 16_000_000
"""Of the pickle itself, whose tensors lie in other entries."""


def read_official_state(path: Path) -> dict[str, Tensor]:
    """The tensors under the key 'net', on the CPU.

    Raises:
        CheckpointError: If the file is damaged, holds code, or unpacks to more than it may.
    """
    stored_bytes = _check_archive(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _damaged(path, reason[:120]) from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get("net"), dict):
        raise CheckpointError(f"{path}: no dictionary with the key 'net', as the authors save it")
    state: dict[str, Tensor] = loaded["net"]
    if not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise CheckpointError(f"{path}: holds other things than tensors under the key 'net'")
    _check_storage(path, state, stored_bytes)
    return state


def _check_archive(path: Path) -> int:
    """Bytes of the tensors that the ZIP archive says it has."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _damaged(path, "not an archive of PyTorch 1.6 or later") from error
    packed = [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise CheckpointError(f"{path}: is compressed, as PyTorch never writes it")
    if sum(entry.file_size for entry in entries) > min(_MOST_BYTES, path.stat().st_size):
        raise CheckpointError(f"{path}: unpacks to more than it may: use the authors' file")
    if any(
        entry.filename.endswith(".pkl") and entry.file_size > _MOST_PICKLE_BYTES
        for entry in entries
    ):
        raise CheckpointError(f"{path}: has an index too large for a STAR network")
    return sum(entry.file_size for entry in entries)


def _check_storage(path: Path, state: dict[str, Tensor], stored_bytes: int) -> None:
    """Refuse tensors that are larger than what the file stores of them."""
    sizes: dict[int, int] = {}
    for name, tensor in state.items():
        if tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise CheckpointError(f"{path}: {name[:80]} is no dense tensor")
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        if tensor.numel() * tensor.element_size() > storage.nbytes():
            raise CheckpointError(f"{path}: {name[:80]} is larger than what is stored of it")
    if sum(sizes.values()) > stored_bytes:
        raise CheckpointError(f"{path}: its tensors are larger than the file")


def _damaged(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"{path}: damaged, or holds code instead of tensors: "
        f"use a file from the authors or one of ours ({reason})"
    )
