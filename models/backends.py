"""Which back end runs a weight file: ONNX Runtime where it can, PyTorch everywhere else.

On a GPU PyTorch cuts the crops too, in half precision (`models.device_landmarker`).

Importing PyTorch takes longer than a run's first thousand milliseconds and most of its memory, so
nothing here does before it is known to be needed.
"""

import ctypes
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .description import CheckpointError

if TYPE_CHECKING:
    from .device_landmarker import DeviceLandmarker
    from .inference import HeatmapLandmarker
    from .onnx_landmarker import OnnxLandmarker

NAMED_WEIGHTS = {"lite": Path(__file__).parent / "weights" / "lite-300w.safetensors"}
"""What `models.export` wrote of a named file lies beside it and ends in `EXPORTED`."""
EXPORTED = ".onnx"
_LOG = logging.getLogger(__name__)


def load_landmarker(
    weights: str | Path = "lite", device: str = "auto", backend: str = "auto"
) -> "HeatmapLandmarker | DeviceLandmarker | OnnxLandmarker":
    """Load a landmarker for running.

    Args:
        weights: "lite", one of our `.safetensors`, what `models.export` made of it (`.onnx`), or a
            checkpoint in the authors' layout.
        device: "auto", "cpu" or "cuda".
        backend: "onnx" and "torch" insist; "auto" takes ONNX Runtime for named weights on the CPU
            and for `.onnx` files.

    Raises:
        CheckpointError: If the file is missing, damaged or another network's, or if what was asked
            for does not go together.
    """
    path = weight_file(weights)
    if choose_backend(path, device, backend) == "torch":
        return _load_with_torch(weights, device)
    from .onnx_landmarker import load_onnx_landmarker  # noqa: PLC0415 - may be missing

    if path.suffix == EXPORTED:
        return load_onnx_landmarker(path)
    return load_onnx_landmarker(path.with_suffix(EXPORTED), exported_from=path)


def _load_with_torch(weights: str | Path, device: str) -> "HeatmapLandmarker | DeviceLandmarker":
    if runs_on_cpu(device):
        from .inference import load_landmarker as load_on_cpu  # noqa: PLC0415 - takes seconds

        return load_on_cpu(weights, "cpu")
    from .device_landmarker import load_device_landmarker  # noqa: PLC0415 - takes seconds

    return load_device_landmarker(weights, device)


def weight_file(weights: str | Path) -> Path:
    """Where a name or path leads.

    Raises:
        CheckpointError: If nothing is there.
    """
    path = NAMED_WEIGHTS.get(str(weights), Path(weights))
    if not path.is_file():
        named = ", ".join(NAMED_WEIGHTS)
        raise CheckpointError(f"{weights}: no such weight file; weights with a name: {named}")
    return path


def choose_backend(path: Path, device: str, backend: str) -> Literal["onnx", "torch"]:
    """What runs this file on this device.

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
    if device == "cuda":
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
    if device != "auto" or not _gpu_driver_is_there():
        return device != "cuda"
    from .inference import choose_device  # noqa: PLC0415 - takes seconds

    return choose_device(device).type == "cpu"


def _gpu_driver_is_there() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
