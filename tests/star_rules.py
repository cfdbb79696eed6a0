"""The rule that gives every tensor of the official network a reproducible value."""

import zlib

import numpy as np
import torch
from torch import Tensor

_GAIN = 0.6


def star_state(shapes: dict[str, tuple[int, ...]], fixed: dict[str, Tensor]) -> dict[str, Tensor]:
    """Values for all names; `fixed` are left as constructed."""
    return {
        name: fixed[name] if name in fixed else torch.from_numpy(_value(name, shape))
        for name, shape in shapes.items()
    }


def _value(name: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
        value = 0.5 + rng.random(shape)
    elif name.endswith(("running_mean", "bias")):
        value = 0.1 * rng.standard_normal(shape)
    else:
        value = rng.standard_normal(shape) * (_GAIN / np.sqrt(np.prod(shape[1:])))
    return value.astype(np.float32)


def star_input(seed: int = 2306, faces: int = 1) -> Tensor:
    """Blocky noise in [-1, 1], (faces, 3, 256, 256)."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(faces):
        blocks = rng.integers(0, 256, size=(3, 32, 32))
        grain = rng.integers(-40, 41, size=(3, 256, 256))
        pictures.append(np.clip(blocks.repeat(8, 1).repeat(8, 2) + grain, 0, 255))
    bytes_ = np.stack(pictures).astype(np.uint8).astype(np.float32)
    return torch.from_numpy(bytes_ / np.float32(255) * np.float32(2) - np.float32(1))


def flat_samples(name: str, tensor: Tensor, count: int = 32) -> np.ndarray:
    """The values that the fixtures keep of a module's output."""
    flat = tensor.detach().numpy().ravel()
    chosen = np.random.default_rng(zlib.crc32(name.encode())).integers(0, flat.size, count)
    return flat[chosen]
