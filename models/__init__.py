"""What a network sees: heat-map landmark networks of the STAR family."""

from .checkpoint import CheckpointError
from .inference import HeatmapLandmarker, load_landmarker, load_official

__all__ = ["CheckpointError", "HeatmapLandmarker", "load_landmarker", "load_official"]
