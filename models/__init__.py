"""What a network sees: heat-map landmark networks of the STAR family."""

from typing import TYPE_CHECKING, Any

from .description import CheckpointError
from .loading import load_landmarker

if TYPE_CHECKING:
    from .torch_landmarker import HeatmapLandmarker, load_official

__all__ = ["CheckpointError", "HeatmapLandmarker", "load_landmarker", "load_official"]


def __getattr__(name: str) -> Any:
    """The names that need PyTorch, which the default weights run without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import torch_landmarker  # noqa: PLC0415 - takes seconds

    return getattr(torch_landmarker, name)
