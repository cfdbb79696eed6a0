"""The face detector's weight file: half-precision safetensors that describe themselves.

Under the metadata key `star-tracker` lies JSON: what the file is, the network's shape, the score
from which a face is reported, what it was trained on, and the SHA-256 of tensors and description.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .description import METADATA_KEY, CheckpointError
from .face_detector import FOUND_FROM
from .face_loading import KIND
from .face_net import FaceNet, FaceNetConfig

_MOST_BYTES = 16_000_000
_MOST_CHANNELS, _MOST_BLOCKS = 1024, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceWeightsInfo:
    """What the file says about itself."""

    architecture: FaceNetConfig
    found_from: float = FOUND_FROM
    """Score from which a face is reported."""
    trained_on: str = ""
    licence: str = ""
    figures: dict[str, float] = field(default_factory=dict)


def save_face_weights(path: Path, state: dict[str, Tensor], info: FaceWeightsInfo) -> None:
    """Write the file; a cut-off write leaves the old one."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in state.items()
    }
    described: dict[str, Any] = json.loads(json.dumps({"kind": KIND, **asdict(info)}))
    described["sha256"] = _digest(tensors, described)
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial, {METADATA_KEY: json.dumps(described)})
    partial.replace(path)


def load_face_weights(path: Path) -> tuple[FaceNet, FaceWeightsInfo]:
    """Read the file into a float32 network in evaluation mode.

    Raises:
        CheckpointError: If it is damaged, not ours, or does not fit its own description.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CheckpointError(f"{path}: too large for a face detector of ours")
        with safe_open(path, framework="pt") as stored:
            described = json.loads((stored.metadata() or {})[METADATA_KEY])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        if described.pop("sha256") != _digest(tensors, described):
            raise CheckpointError(f"{path}: its SHA-256 does not match: damaged, fetch it anew")
        info = _info(described)
        network = FaceNet(info.architecture)
        network.load_state_dict(tensors)
    except (
        SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RuntimeError,
    ) as error:  # fmt: skip
        first = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path}: not a face detector of ours, or damaged ({first})"
        ) from error
    return network.eval(), info


def _info(described: dict[str, Any]) -> FaceWeightsInfo:
    """The description, checked before anything is made of it."""
    fields = dict(described)
    if fields.pop("kind") != KIND:
        raise ValueError("it is something else")
    shape = fields.pop("architecture")
    architecture = FaceNetConfig(
        stem=_numbers(shape["stem"], 2, _MOST_CHANNELS),
        widths=_numbers(shape["widths"], 4, _MOST_CHANNELS),
        depths=_numbers(shape["depths"], 4, _MOST_BLOCKS),
        pyramid=_numbers([shape["pyramid"]], 1, _MOST_CHANNELS)[0],
    )
    info = FaceWeightsInfo(architecture=architecture, **fields)
    if not isinstance(info.found_from, float) or not 0 < info.found_from < 1:
        raise ValueError("its threshold is no share")
    return info


def _numbers(stored: object, count: int, most: int) -> Any:
    """A tuple of so many whole numbers from 1 to the most."""
    if not isinstance(stored, list) or len(stored) != count:
        raise ValueError("its architecture has another shape")
    if not all(type(number) is int and 1 <= number <= most for number in stored):
        raise ValueError("its architecture has impossible sizes")
    return tuple(stored)


def _digest(tensors: dict[str, Tensor], described: dict[str, Any]) -> str:
    """Over names, tensors and description."""
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
