"""What a stream is given for each frame, and what a stream is."""

from dataclasses import dataclass
from typing import Protocol

from ..types import Face, Frame


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """One frame and its faces on their way to a receiver."""

    sequence: int
    """Counts the frames of the run from 0: a gap is a frame that was dropped."""
    captured_s: float
    """When the frame arrived, in seconds since 1970."""
    frame: Frame
    faces: list[Face]


class Stream(Protocol):
    """Sends updates to a receiver; used by one thread."""

    def send(self, update: Update) -> None:
        """Send one update.

        Raises:
            OSError: If it could not be delivered; the next may be.
        """

    def close(self) -> None:
        """Let go of the receiver."""
