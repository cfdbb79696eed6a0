"""Cameras, video files and streams by OpenCV."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import cv2

from ..errors import SourceError
from ..types import Frame, Image

_FASTEST = 240.0
"""Frames per second beyond which a container states its clock, not its rate."""
_LIVE_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "udp", "srt", "rtp")


class _Capture:
    """What cameras, files and streams share: an open OpenCV capture that is released in the end."""

    frame_count: int | None = None
    holds_stills = False

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture, self._reading = capture, threading.Lock()
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate = rate if 0 < rate <= _FASTEST else 30.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the device or file."""
        # A camera that hangs in a read cannot be released: it goes with the process.
        if self._reading.acquire(blocking=False):
            self._capture.release()
            self._reading.release()

    def _read(self) -> Image | None:
        with self._reading:
            readable, image = self._capture.read()
        if not readable or image is None or 0 in image.shape:
            return None
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


class Camera(_Capture):
    """A webcam by its index; frames carry their time of arrival.

    Raises:
        SourceError: If it cannot be opened.
    """

    is_live = True

    def __init__(self, index: int) -> None:
        super().__init__(cv2.VideoCapture(index))
        if not self._capture.isOpened():
            self.close()
            raise SourceError(
                f"camera {index}: cannot be opened: check that it is plugged in and that no other "
                "program uses it, or name a video file"
            )
        # Motion JPEG gives full rate at full size; one buffered frame keeps what we see fresh.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self.name = f"camera {index}"
        self._started_s, self._index = time.monotonic(), 0

    def __iter__(self) -> Iterator[Frame]:
        """Frames from now on; numbers and times go on where an earlier iteration ended."""
        while (image := self._read()) is not None:
            yield Frame(self._index, time.monotonic() - self._started_s, image)
            self._index += 1
        raise SourceError(
            f"{self.name}: stopped giving frames after {self._index}: is it still there?"
        )


class _Decoded(_Capture):
    """A video that FFmpeg decodes, by path or URL."""

    is_live = False

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__(cv2.VideoCapture(address, cv2.CAP_FFMPEG))
        self._first = self._read() if self._capture.isOpened() else None
        if self._first is None:
            self.close()
            raise SourceError(self._undecodable())
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count = count if count > 0 else None

    def _undecodable(self) -> str:
        return f"{self._address}: no frame can be decoded: check the address"

    def __iter__(self) -> Iterator[Frame]:
        """From the first frame on, every time."""
        image, self._first = self._first, None
        if image is None:  # iterated before
            self._capture.release()
            self._capture = cv2.VideoCapture(self._address, cv2.CAP_FFMPEG)
            image = self._read()
        index, time_s = 0, 0.0
        while image is not None:
            stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Some containers give no stamps, or repeat one: then count frames.
            nominal = time_s + 1 / self.frame_rate if index else 0.0
            time_s = stamp if index == 0 or stamp > time_s else nominal
            yield Frame(index, time_s, image)
            index += 1
            image = self._read()


class VideoFile(_Decoded):
    """A video; frames carry their presentation time, so a variable frame rate stays true.

    Raises:
        SourceError: If it is empty or no frame can be decoded.
    """

    def __init__(self, path: Path) -> None:
        if path.stat().st_size == 0:
            raise SourceError(f"{path}: is empty: copy the video again")
        super().__init__(str(path))
        self.name = path.name

    def _undecodable(self) -> str:
        return (
            f"{self._address}: no frame can be decoded: it is damaged, cut off or not a video; "
            "try to play it, or convert it with ffmpeg"
        )


class VideoStream(_Decoded):
    """A video by its URL; live where the protocol is, as rtsp:// is.

    Raises:
        SourceError: If no frame can be decoded.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.name = url.rsplit("@", 1)[-1]  # no password in tables
        self.is_live = url.partition("://")[0].lower() in _LIVE_SCHEMES
        if self.is_live:
            self.frame_count = None
