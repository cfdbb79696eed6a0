"""Videos by OpenCV, for codecs that the FFmpeg of PyAV lacks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import cv2

from ..errors import SourceError
from ..types import Frame
from .read_losses import Losses
from .reading import Reading, too_large
from .stream_times import FrameTimes

_FASTEST = 240.0


class OpenCvVideo:
    """A video file that OpenCV decodes, upright.

    Raises:
        SourceError: If it cannot.
    """

    is_live = False
    holds_stills = False

    def __init__(self, path: Path, reading: Reading) -> None:
        self.name, self._path, self.losses = path.name, path, Losses()
        self._capture = cv2.VideoCapture(str(path))
        rate, count = (self._capture.get(p) for p in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT))
        self.frame_rate = rate if 0 < rate <= _FASTEST else 30.0
        self.frame_count = int(count) if 0 < count < 2**31 else None
        width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if not self._capture.isOpened() or width * height > reading.most_pixels:
            self.close()
            raise SourceError(
                too_large(path.name, width, height, reading)
                if width * height
                else f"{path}: no frame can be decoded: convert it with ffmpeg"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """From the first frame on, every time."""
        self._capture.release()
        self._capture = cv2.VideoCapture(str(self._path))
        self.losses, times = Losses(), FrameTimes(1 / self.frame_rate)
        while True:
            is_there, image = self._capture.read()
            if not is_there:
                return
            stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            index, self.losses.frames = self.losses.frames, self.losses.frames + 1
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            yield Frame(index, times.time_of(stamp if index == 0 or stamp > 0 else None), rgb)
