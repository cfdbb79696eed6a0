"""Weight files: our safetensors with their metadata, and the authors' pickles read without code.

A safetensors file carries, under the metadata key `star-tracker`, everything that running the
network takes (`CheckpointInfo`) and the SHA-256 of its tensors.
"""

import hashlib
import json
import struct
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .description import (
    METADATA_KEY,
    TEST_PART,
    CheckpointError,
    CheckpointInfo,
    as_dictionary,
    from_dictionary,
)
from .landmark_net import LandmarkNet, LandmarkNetConfig, ResidualBlock

__all__ = [
    "TEST_PART", "UNREADABLE", "CheckpointError", "CheckpointInfo", "dead_shortcuts",
    "load_checkpoint", "load_official_checkpoint", "save_checkpoint",
]  # fmt: skip

UNREADABLE = (
    UnpicklingError, RuntimeError, OSError, EOFError, ValueError, LookupError, TypeError,
    AttributeError, AssertionError, struct.error,
)  # fmt: skip
"""What torch's unpickler raises on files that are no checkpoint."""
_OFFICIAL_LAYOUTS = {98: "WFLW-98", 68: "300W-68", 29: "COFW-29"}


def save_checkpoint(path: Path, state: dict[str, Tensor], info: CheckpointInfo) -> None:
    """Write half-precision weights and their metadata; a cut-off write leaves the old file."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in state.items()
    }
    described = as_dictionary(info)
    described["sha256"] = _digest(tensors, described)
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial, {METADATA_KEY: json.dumps(described)})
    partial.replace(path)


def load_checkpoint(path: Path) -> tuple[LandmarkNet, CheckpointInfo]:
    """Read one of our files into a float32 network in evaluation mode.

    Raises:
        CheckpointError: If the file is damaged, not ours or does not fit its own description.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            described = json.loads((stored.metadata() or {})[METADATA_KEY])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        digest = described.pop("sha256")
        if digest != _digest(tensors, described):
            raise CheckpointError(f"{path}: its SHA-256 does not match: damaged, fetch it anew")
        info = from_dictionary(described)
        network = LandmarkNet(info.architecture)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: not a weight file of this tracker or damaged ({error}): fetch it anew"
        ) from error
    _load_strictly(network, tensors, path, dropped=set())
    return network.eval(), info


def load_official_checkpoint(path: Path) -> tuple[LandmarkNet, CheckpointInfo]:
    """Read a checkpoint in the authors' layout into a float32 network in evaluation mode.

    Raises:
        CheckpointError: If it is damaged, holds code instead of tensors or is another network's.
    """
    state = _official_state(path)
    try:
        landmarks = len(state["out_heatmaps.0.conv.weight"])
        belongs = state["e2h_transform.weight"].flatten(1)
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: no STAR network under the key 'net' (missing {error})"
        ) from error
    if landmarks not in _OFFICIAL_LAYOUTS:
        known = ", ".join(map(str, _OFFICIAL_LAYOUTS))
        raise CheckpointError(f"{path}: predicts {landmarks} landmarks, known are {known}")
    edges = tuple(tuple(column.nonzero().flatten().tolist()) for column in belongs.T)
    architecture = LandmarkNetConfig(landmarks=landmarks, edges=edges)
    network = LandmarkNet(architecture)
    _load_strictly(network, state, path, dropped=dead_shortcuts(network))
    info = CheckpointInfo(
        architecture=architecture,
        layout=_OFFICIAL_LAYOUTS[landmarks],
        input_px=256,
        margin=1.0,
        colour="BGR",
        antialiased=False,
        selected_on=TEST_PART,
        trained_on="as published by the authors of STAR",
        licence="the authors' and the data set's: research",
    )
    return network.eval(), info


def _official_state(path: Path) -> dict[str, Tensor]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path}: damaged, or holds code instead of tensors: "
            f"use a file from the authors or one of ours ({reason[:120]})"
        ) from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get("net"), dict):
        raise CheckpointError(f"{path}: no dictionary with the key 'net', as the authors save it")
    state: dict[str, Tensor] = loaded["net"]
    if not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise CheckpointError(f"{path}: holds other things than tensors under the key 'net'")
    return state


def _load_strictly(
    network: LandmarkNet, state: dict[str, Tensor], path: Path, dropped: set[str]
) -> None:
    expected = network.state_dict()
    missing = sorted(expected.keys() - state.keys())
    unknown = sorted(state.keys() - expected.keys() - dropped)
    absent = sorted(dropped - state.keys())
    misshapen = sorted(
        name for name in expected.keys() & state.keys() if expected[name].shape != state[name].shape
    )
    problems = (
        ("misses", missing + absent),
        ("has unknown", unknown),
        ("has other shapes at", misshapen),
    )
    for problem, names in problems:
        if names:
            raise CheckpointError(f"{path}: {problem} {len(names)} tensors, first {names[0]}")
    network.load_state_dict({name: state[name] for name in expected})


def dead_shortcuts(network: LandmarkNet) -> set[str]:
    """Shortcut convolutions that the authors' files store and their network never runs."""
    return {
        f"{name}.skip_layer.conv.{kind}"
        for name, module in network.named_modules()
        if isinstance(module, ResidualBlock) and module.skip_layer is None
        for kind in ("weight", "bias")
    }


def _digest(tensors: dict[str, Tensor], described: dict[str, object]) -> str:
    """Over names, tensors and description, so that no changed figure goes unseen."""
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
