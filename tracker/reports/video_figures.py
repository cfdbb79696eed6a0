"""What is known of one video in the end: a row of the table of all, and what its page shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFigures:
    """How one video went."""

    name: str
    page: str = ""
    """Name of its page's file; empty where there is none."""
    error: str = ""
    """Why it failed; empty where it did not."""
    seconds: float = 0.0
    """Of the video that were tracked."""
    frames: int = 0
    announced: int | None = None
    """Frames by the container; None where it does not say."""
    tracked: float | None = None
    """Share of the frames in which a face was measured and believed."""
    confidence: float | None = None
    """Mean over all faces of all frames."""
    jitter_percent: float | None = None
    """Of the eye distance, from frame to frame."""
    motion: float | None = None
    """Of heads in the picture, eye distances per second."""
    faces: int = 0
    """By id."""
    most_faces: int = 0
    """In one frame."""
    dropped: int = 0
    damaged: int = 0

    @property
    def badness(self) -> tuple[bool, float, float]:
        """Larger is worse: failed, then little tracked, then little confidence."""
        return bool(self.error), 1 - (self.tracked or 0.0), 1 - (self.confidence or 0.0)

    @staticmethod
    def of(stored: Mapping[str, Any]) -> "VideoFigures":
        """The inverse of `dataclasses.asdict`.

        Raises:
            TypeError: If there are other fields.
        """
        return VideoFigures(**stored)


@dataclass(slots=True)
class FaceLife:
    """When one face was seen."""

    first_s: float
    last_s: float
    frames: int = 1


_MOST_LIVES = 1000
_RECENT_S = 60.0
"""A face seen since then may still be followed."""


@dataclass(slots=True)
class FaceLives:
    """The longest of all faces, and how many others there were."""

    kept: dict[int, FaceLife] = field(default_factory=dict)
    """By id."""
    left_out: int = 0

    def see(self, face_id: int, time_s: float) -> None:
        """Note that a face is in the frame of this time."""
        life = self.kept.get(face_id)
        if life is not None:
            life.last_s, life.frames = time_s, life.frames + 1
            return
        if len(self.kept) >= 2 * _MOST_LIVES:
            self._leave_out(time_s)
        self.kept[face_id] = FaceLife(time_s, time_s)

    @property
    def count(self) -> int:
        """Of all faces."""
        return len(self.kept) + self.left_out

    def _leave_out(self, now_s: float) -> None:
        old = [i for i, life in self.kept.items() if now_s - life.last_s > _RECENT_S]
        shortest = sorted(old, key=lambda i: self.kept[i].frames)[:_MOST_LIVES]
        self.left_out += len(shortest)
        for face_id in shortest:
            del self.kept[face_id]
