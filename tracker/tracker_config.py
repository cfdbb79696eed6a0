"""What can be tuned while tracking, and what is counted."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .checks import checked_number, checked_region
from .filter.config import MotionConfig, smoothed

FACES = ("all", "largest", "centre")
_FOREVER_S = 1e9
_RANGES = {
    "max_faces": (1, 10_000),
    "replace_ratio": (1.01, 1e6),
    "detect_every_s": (0, _FOREVER_S),
    "enter_confidence": (0, 1),
    "keep_confidence": (0, 1),
    "remember_s": (0, _FOREVER_S),
    "upright_deg": (0, 180),
    "smoothing": (0, 1),
}
"""Least and most of each number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerConfig:
    """What can be tuned while tracking.

    Raises:
        ValueError: If a value lies outside its range.
    """

    max_faces: int = 8
    """Follow at most this many faces, the largest first."""
    replace_ratio: float = 1.5
    """Once `max_faces` are followed, a new face this many times as large as the smallest of them
    takes its place; above 1, so that two faces of one size do not take turns."""
    faces: Literal["all", "largest", "centre"] = "all"
    """Follow all faces, or only the largest, or only the one nearest to the picture's centre.
    Another takes over once it is `replace_ratio` times as large, or nearer to the centre by a
    quarter of the picture's shorter side."""
    region: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom edge in pixels of the picture: only faces whose centre lies in
    between are taken up; one that moves out by more than a quarter of its side is lost."""
    detect_every_s: float = 1.0
    """Run the detector for new faces this often; for a lost face, in every frame."""
    enter_confidence: float = 0.05
    """Least confidence of a new face, which the detector has found too; in a picture by itself more
    is asked where the detector is less sure."""
    keep_confidence: float = 0.05
    """Least confidence of a followed face."""
    remember_s: float = 20.0
    """A face that comes back within this time keeps its id: within two seconds where it left, later
    or elsewhere or after a film cut if it looks like the face it was."""
    detect_cuts: bool = True
    """At a film cut, let go of all faces and look for those of the new shot in its first frame;
    they get new ids, unless they look like faces that are remembered."""
    upright_deg: float = 25.0
    """Roll of a head up to which its crop stays upright; beyond it the crop is rotated by the rest.
    Networks are trained on rolls of up to 20 degrees, so 25 follows a head through a full turn; at
    180 no crop is ever rotated."""
    motion: MotionConfig = field(default_factory=MotionConfig)
    smoothing: float = 0.5
    """From 0, as measured, to 1, calmest in motion."""

    def __post_init__(self) -> None:
        if isinstance(self.max_faces, bool) or not isinstance(self.max_faces, int | np.integer):
            raise ValueError(f"max_faces must be a whole number, got {self.max_faces!r}")
        if self.faces not in FACES:
            raise ValueError(f"faces must be one of {', '.join(FACES)}, got {self.faces!r}")
        if self.region is not None:
            checked_region(self.region)
        if not isinstance(self.detect_cuts, bool):
            raise ValueError(f"detect_cuts must be True or False, got {self.detect_cuts!r}")
        for name, (least, most) in _RANGES.items():
            checked_number(name, getattr(self, name), least, most)
        if not isinstance(self.motion, MotionConfig):
            raise ValueError(f"motion must be a MotionConfig, got {type(self.motion).__name__}")
        smoothed(self.motion, self.smoothing)


@dataclass(slots=True)
class Tally:
    """Counts of what happened so far."""

    frames: int = 0
    faces: int = 0
    """Measured, summed over the frames."""
    ids: int = 0
    """Given out: different faces."""
    lost: int = 0
    reacquired: int = 0
    detections: int = 0
    """Runs of the detector."""
    left_out: int = 0
    """Faces beyond `max_faces` that the detector found in one frame, at most."""
    cuts: int = 0
    """Film cuts."""
