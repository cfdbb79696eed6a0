"""Which back end runs a weight file: ONNX Runtime where it can, PyTorch everywhere else.

On a GPU PyTorch cuts the crops too, in half precision (`models.device_landmarker`).

Importing PyTorch takes seconds and hundreds of megabytes, so it is imported only when it is needed.
"""

import ctypes
import logging
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .description import CheckpointError
from .weight_files import EXPORTED, NAMED_WEIGHTS, weight_file

if TYPE_CHECKING:
    from .device_landmarker import DeviceLandmarker
    from .onnx_landmarker import OnnxLandmarker
    from .torch_landmarker import HeatmapLandmarker

_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
_BACKENDS = ("auto", "onnx", "torch")
_LOG = logging.getLogger(__name__)


def load_landmarker(
    weights: str | Path = "lite", device: str = "auto", backend: str = "auto"
) -> "HeatmapLandmarker | DeviceLandmarker | OnnxLandmarker":
    """Load a landmarker for running.

    Args:
        weights: "lite", one of our `.safetensors`, what `models.export` made of it (`.onnx`), or a
            checkpoint in the authors' layout.
        device: "cpu", "cuda", "cuda:1", ..., "mps", or "auto": a CUDA GPU where PyTorch has one,
            else the CPU.
        backend: "onnx" or "torch"; "auto" takes ONNX Runtime for named weights on the CPU
            and for `.onnx` files.

    Returns:
        A `tracker.landmarker.Landmarker`: RGB uint8 crops in, Gaussians in crop pixels out.

    Raises:
        ValueError: If an argument is none of these.
        CheckpointError: If the file is missing, damaged or another network's, if the device is not
            there, if a package is missing, or if what was asked for does not go together.
    """
    if not isinstance(device, str) or not _DEVICE.fullmatch(device):
        raise ValueError(f'device must be "auto", "cpu", "cuda", "cuda:N" or "mps", got {device!r}')
    if backend not in _BACKENDS:
        raise ValueError(f'backend must be "auto", "onnx" or "torch", got {backend!r}')
    path = weight_file(weights)
    if choose_backend(path, device, backend) == "torch":
        return _load_with_torch(weights, device)
    from .onnx_landmarker import load_onnx_landmarker  # noqa: PLC0415 - may be missing

    if path.suffix == EXPORTED:
        return load_onnx_landmarker(path)
    return load_onnx_landmarker(path.with_suffix(EXPORTED), exported_from=path)


def _load_with_torch(weights: str | Path, device: str) -> "HeatmapLandmarker | DeviceLandmarker":
    for package in ("torch", "safetensors"):
        if find_spec(package) is None:
            raise CheckpointError(
                f"{weights} on {device}: needs {package}, which is not installed: "
                'pip install "star-tracker[torch]"'
            )
    from .torch_landmarker import choose_device, load_torch_landmarker  # noqa: PLC0415 - slow

    if choose_device(device).type == "cuda":
        from .device_landmarker import load_device_landmarker  # noqa: PLC0415 - takes seconds

        return load_device_landmarker(weights, device)
    return load_torch_landmarker(weights, device)


def choose_backend(path: Path, device: str, backend: str) -> Literal["onnx", "torch"]:
    """The back end that runs this file on this device.

    Raises:
        CheckpointError: If what was asked for does not go together.
    """
    if path.suffix == EXPORTED or backend == "onnx":
        _check_onnx(path, device, backend)
        return "onnx"
    if backend == "torch" or path not in NAMED_WEIGHTS.values():
        return "torch"
    if not path.with_suffix(EXPORTED).is_file() or not runs_on_cpu(device):
        return "torch"
    if not runtime_is_there():
        _LOG.warning("ONNX Runtime is not installed: PyTorch runs the network, at half the speed")
        return "torch"
    return "onnx"


def _check_onnx(path: Path, device: str, backend: str) -> None:
    if backend == "torch":
        raise CheckpointError(f"{path}: PyTorch cannot run it: give the file it was exported from")
    if device not in ("auto", "cpu"):
        raise CheckpointError(f"{path}: ONNX Runtime runs on the CPU here: use --device cpu")
    if not path.with_suffix(EXPORTED).is_file():
        raise CheckpointError(
            f"{path.with_suffix(EXPORTED)}: not there: python -m models.export --weights {path}"
        )
    if not runtime_is_there():
        raise CheckpointError(f"{path}: ONNX Runtime is not installed: pip install onnxruntime")


def runtime_is_there() -> bool:
    """Whether ONNX Runtime is installed and loads."""
    try:
        import onnxruntime  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


def runs_on_cpu(device: str) -> bool:
    """Whether this device is the CPU; PyTorch is asked only where there is a driver of a GPU."""
    if device != "auto":
        return device == "cpu"
    if not _gpu_driver_is_there() or find_spec("torch") is None:
        return True
    from .torch_landmarker import choose_device  # noqa: PLC0415 - takes seconds

    return choose_device(device).type == "cpu"


def _gpu_driver_is_there() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
