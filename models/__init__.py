"""What a network sees: heat-map landmark networks of the STAR family, and a face detector."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .description import CheckpointError
from .loading import load_landmarker
from .weight_files import weight_file

if TYPE_CHECKING:
    from .expression_reader import load_expression_reader
    from .eye_reader import load_eye_reader
    from .face_loading import load_face_detector
    from .torch_landmarker import HeatmapLandmarker, load_official

__all__ = [
    "CheckpointError", "HeatmapLandmarker", "load_expression_reader", "load_eye_reader",
    "load_face_detector", "load_landmarker",
    "load_official", "weight_file",
]  # fmt: skip
_HOMES = {
    "load_expression_reader": "expression_reader",
    "load_eye_reader": "eye_reader",
    "load_face_detector": "face_loading",  # needs ONNX Runtime
    "HeatmapLandmarker": "torch_landmarker",  # needs PyTorch, which takes seconds
    "load_official": "torch_landmarker",
}


def __getattr__(name: str) -> Any:
    """The names that need a back end load it when they are first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
