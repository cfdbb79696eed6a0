"""Weight files of the small networks beside the landmarks' one: faces, eyes.

Half-precision safetensors that describe themselves: under the metadata key `star-tracker` lies JSON
that says what kind of network it is, its shape, what it was trained on, and the SHA-256 of tensors
and description.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .description import METADATA_KEY, CheckpointError

_MOST_BYTES = 16_000_000


def save_tool(path: Path, kind: str, state: dict[str, Tensor], described: dict[str, Any]) -> None:
    """Write the file; a cut-off write leaves the old one."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in state.items()
    }
    noted: dict[str, Any] = json.loads(json.dumps({"kind": kind, **described}))
    noted["sha256"] = _digest(tensors, noted)
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial, {METADATA_KEY: json.dumps(noted)})
    partial.replace(path)


def load_tool(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and description.

    Raises:
        CheckpointError: If the file is missing, damaged or of another kind.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CheckpointError(f"{path}: too large for a {kind} of ours")
        with safe_open(path, framework="pt") as stored:
            described = json.loads((stored.metadata() or {})[METADATA_KEY])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        if described.pop("sha256") != _digest(tensors, described):
            raise CheckpointError(f"{path}: its SHA-256 does not match: damaged, fetch it anew")
        if described.pop("kind") != kind:
            raise CheckpointError(f"{path}: not a {kind} of ours, but another network")
    except (
        SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError,
    ) as error:  # fmt: skip
        raise unusable(path, kind, error) from error
    return tensors, described


def unusable(path: Path, kind: str, error: Exception) -> CheckpointError:
    """The one line that says that a file is none of its kind."""
    first = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
    return CheckpointError(f"{path}: not a {kind} of ours, or damaged ({first})")


def _digest(tensors: dict[str, Tensor], described: dict[str, Any]) -> str:
    """Over names, tensors and description."""
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
