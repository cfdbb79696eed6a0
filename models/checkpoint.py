"""Weight files: our safetensors with their metadata, and the authors' pickles read without code.

A safetensors file carries, under the metadata key `star-tracker`, everything that running the
network takes (`CheckpointInfo`) and the SHA-256 of its tensors.
"""

import hashlib
import json
import struct
from pathlib import Path

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
)
from .description_reader import from_dictionary, parse_description
from .landmark_net import LandmarkNet, LandmarkNetConfig, ResidualBlock
from .official_pickle import UNREADABLE, read_official_state

__all__ = [
    "TEST_PART", "UNREADABLE", "CheckpointError", "CheckpointInfo", "dead_shortcuts",
    "load_checkpoint", "load_official_checkpoint", "save_checkpoint",
]  # fmt: skip

_MOST_BYTES, _MOST_HEADER_BYTES = 400_000_000, 4_000_000
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
        _check_size(path)
        with safe_open(path, framework="pt") as stored:
            described = parse_description((stored.metadata() or {})[METADATA_KEY])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        if described.pop("sha256") != _digest(tensors, described):
            raise CheckpointError(f"{path}: its SHA-256 does not match: damaged, fetch it anew")
        info = from_dictionary(described)
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError, struct.error) as error:
        raise CheckpointError(
            f"{path}: not a weight file of this tracker or damaged ({error}): fetch it anew"
        ) from error
    return _network(info.architecture, tensors, path), info


def load_official_checkpoint(path: Path) -> tuple[LandmarkNet, CheckpointInfo]:
    """Read a checkpoint in the authors' layout into a float32 network in evaluation mode.

    Raises:
        CheckpointError: If it is damaged, holds code instead of tensors or is another network's.
    """
    state = read_official_state(path)
    try:
        landmarks = len(state["out_heatmaps.0.conv.weight"])
        belongs = state["e2h_transform.weight"].flatten(1)
    except (KeyError, TypeError, RuntimeError, IndexError) as error:
        raise CheckpointError(
            f"{path}: no STAR network under the key 'net' (missing {error})"
        ) from error
    if landmarks not in _OFFICIAL_LAYOUTS:
        known = ", ".join(map(str, _OFFICIAL_LAYOUTS))
        raise CheckpointError(f"{path}: predicts {landmarks} landmarks, known are {known}")
    edges = tuple(tuple(column.nonzero().flatten().tolist()) for column in belongs.T)
    architecture = LandmarkNetConfig(landmarks=landmarks, edges=edges)
    network = _network(architecture, state, path, official=True)
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
    return network, info


def _check_size(path: Path) -> None:
    """Of the file, and of its header as its first eight bytes state it.

    Raises:
        ValueError: If one is too large.
    """
    with path.open("rb") as file:
        (header,) = struct.unpack("<Q", file.read(8))
    if path.stat().st_size > _MOST_BYTES or header > _MOST_HEADER_BYTES:
        raise ValueError("too large for a landmark network")


def _network(
    architecture: LandmarkNetConfig, state: dict[str, Tensor], path: Path, *, official: bool = False
) -> LandmarkNet:
    """The network with these weights, in evaluation mode; allocated only if they fit.

    Raises:
        CheckpointError: If they are those of another network, or not finite.
    """
    with torch.device("meta"):
        shape = LandmarkNet(architecture)
    _check_fit(shape.state_dict(), state, path, dead_shortcuts(shape) if official else set())
    network = LandmarkNet(architecture)
    network.load_state_dict({name: state[name] for name in network.state_dict()})
    return network.eval()


def _check_fit(
    expected: dict[str, Tensor], state: dict[str, Tensor], path: Path, dropped: set[str]
) -> None:
    both = expected.keys() & state.keys()
    problems = (
        ("misses", sorted(expected.keys() - state.keys()) + sorted(dropped - state.keys())),
        ("has unknown", sorted(state.keys() - expected.keys() - dropped)),
        ("has other shapes at", [n for n in both if expected[n].shape != state[n].shape]),
        ("has other types at", [n for n in both if not _is_alike(expected[n], state[n])]),
        ("has values that are not finite in", [n for n in both if not state[n].isfinite().all()]),
    )
    for problem, names in problems:
        if names:
            raise CheckpointError(
                f"{path}: {problem} {len(names)} tensors, first {min(names)[:80]}"
            )


def _is_alike(expected: Tensor, stored: Tensor) -> bool:
    return expected.is_floating_point() == stored.is_floating_point() and not stored.is_complex()


def dead_shortcuts(network: LandmarkNet) -> set[str]:
    """Names of shortcut convolutions that the authors' files store and their network never runs."""
    return {
        f"{name}.skip_layer.conv.{kind}"
        for name, module in network.named_modules()
        if isinstance(module, ResidualBlock) and module.skip_layer is None
        for kind in ("weight", "bias")
    }


def _digest(tensors: dict[str, Tensor], described: dict[str, object]) -> str:
    """SHA-256 over names, tensors and description, in hexadecimal."""
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
