"""Overlay videos, by OpenCV."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from ..errors import SinkError
from ..types import Face, Frame, Image

CONTAINERS = (".mp4", ".mov", ".mkv", ".avi")
_LONGEST_SIDE = 4096
_LONGEST_STILL_S = 10.0
"""A camera that paused for longer does not fill the disk with copies of one picture."""


class VideoSink:
    """A painted video (MPEG-4 part 2, no sound), as fast as the source was.

    Frames are repeated or left out where the source's own times ask for it.

    Args:
        path: With the suffix of a container: .mp4, .mov, .mkv or .avi.
        frame_rate: Frames per second.
        paint: Makes the picture of a frame and its faces.
        size: Width and height; None takes those of the first picture.
    """

    def __init__(
        self,
        path: Path,
        frame_rate: float,
        paint: Callable[[Frame, list[Face]], Image],
        size: tuple[int, int] | None = None,
    ) -> None:
        if path.suffix.lower() not in CONTAINERS:
            raise SinkError(f"{path}: is no video name: end it in {', '.join(CONTAINERS)}")
        self._path, self._paint = path, paint
        self._rate = round(frame_rate, 2)  # finer ones overflow the container's clock
        self._size = size
        self._writer: cv2.VideoWriter | None = None
        self._written = 0
        self._started_s = 0.0

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Draw and encode one frame."""
        if self._writer is None:
            self._size = self._size or _encodable(frame.image)
            self._writer = self._opened(self._size)
            self._started_s = frame.time_s
        assert self._size is not None
        due = round((frame.time_s - self._started_s) * self._rate) + 1
        copies = min(due - self._written, round(_LONGEST_STILL_S * self._rate))
        if copies <= 0:
            return
        painted = self._paint(frame, faces)
        encoded = cv2.cvtColor(_fitted(painted, self._size), cv2.COLOR_RGB2BGR)
        for _ in range(copies):
            self._writer.write(encoded)
        self._written = due

    def _opened(self, size: tuple[int, int]) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(self._path), codec, self._rate, size)
        if not writer.isOpened():
            raise SinkError(f"{self._path}: cannot be encoded at {size[0]}x{size[1]}")
        return writer

    def close(self) -> None:
        """Finish the file so that it plays."""
        if self._writer is not None:
            self._writer.release()


def _encodable(image: Image) -> tuple[int, int]:
    """The picture's own size within what MPEG-4 stores: even sides from 16 to 4096."""
    height, width = image.shape[:2]
    shrink = min(_LONGEST_SIDE / max(width, height), 1.0)
    return max(int(width * shrink) // 2 * 2, 16), max(int(height * shrink) // 2 * 2, 16)


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """Scaled into the size with its shape kept, black around it; untouched where it fits."""
    width, height = size
    if image.shape[0] - height in (0, 1) and image.shape[1] - width in (0, 1):
        return image[:height, :width]
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=cv2.INTER_AREA
    )
    return canvas
