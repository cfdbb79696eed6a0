"""Frames from a camera, a video file or a folder of pictures.

A source is an iterator of frames and a context manager; `frame_count` is None where it is not
known.
"""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np

from .errors import SourceError
from .quiet import native_stderr_silenced
from .types import Frame, Image

_LOGGER = logging.getLogger(__name__)

_LONGEST_CAMERA_INDEX = 4
_FASTEST = 240.0
"""Frames per second beyond which a container states its clock, not its rate."""
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class Source(Protocol):
    """Where frames come from."""

    name: str
    frame_count: int | None
    frame_rate: float
    """Frames per second, nominal."""
    is_live: bool
    holds_stills: bool
    """True where neighbouring frames show different scenes: nothing is tracked across them."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_source(address: str) -> Source:
    """Open what the user named: digits are a camera, else a folder or a video file.

    Raises:
        SourceError: If it is not there or gives no frames.
    """
    if is_camera(address):
        return Camera(int(address))
    path = Path(address)
    if path.is_dir():
        return PictureFolder(path)
    if not path.exists():
        raise SourceError(f"{address}: no such file or folder: check the path")
    return PictureFolder(path) if path.suffix.lower() in PICTURE_SUFFIXES else VideoFile(path)


def is_camera(address: str) -> bool:
    """Whether this names a camera, not a path."""
    return address.isdecimal() and len(address) < _LONGEST_CAMERA_INDEX


class _Capture:
    """What cameras and files share: an open OpenCV capture that is closed in the end."""

    frame_count: int | None = None
    holds_stills = False

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture, self._reading = capture, threading.Lock()
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.frame_rate = rate if 0 < rate <= _FASTEST else 30.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A camera that hangs in a read cannot be released: it goes with the process.
        if self._reading.acquire(blocking=False):
            self._capture.release()
            self._reading.release()

    def _read(self) -> Image | None:
        with self._reading:
            readable, image = self._capture.read()
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if readable else None


class Camera(_Capture):
    """A webcam by its index; frames carry their time of arrival."""

    is_live = True

    def __init__(self, index: int) -> None:
        with native_stderr_silenced():
            super().__init__(cv2.VideoCapture(index))
        if not self._capture.isOpened():
            raise SourceError(
                f"camera {index}: cannot be opened: check that it is plugged in and that no other "
                "program uses it, or name a video file"
            )
        # Motion JPEG gives full rate at full size; one buffered frame keeps what we see fresh.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self.name = f"camera {index}"

    def __iter__(self) -> Iterator[Frame]:
        started, index = time.monotonic(), 0
        while (image := self._read()) is not None:
            yield Frame(index, time.monotonic() - started, image)
            index += 1
        raise SourceError(f"{self.name}: stopped giving frames after {index}: is it still there?")


class VideoFile(_Capture):
    """A video; frames carry their presentation time, so a variable frame rate stays true."""

    is_live = False

    def __init__(self, path: Path) -> None:
        if path.stat().st_size == 0:
            raise SourceError(f"{path}: is empty: copy the video again")
        with native_stderr_silenced():
            super().__init__(cv2.VideoCapture(str(path), cv2.CAP_FFMPEG))
            self._first = self._read() if self._capture.isOpened() else None
        if self._first is None:
            raise SourceError(
                f"{path}: no frame can be decoded: it is damaged, cut off or not a video; "
                "try to play it, or convert it with ffmpeg"
            )
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count = count if count > 0 else None
        self.name = path.name

    def __iter__(self) -> Iterator[Frame]:
        image, index, time_s = self._first, 0, 0.0
        while image is not None:
            stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Some containers give no stamps, or repeat one: then count frames.
            nominal = time_s + 1 / self.frame_rate if index else 0.0
            time_s = stamp if index == 0 or stamp > time_s else nominal
            yield Frame(index, time_s, image)
            index += 1
            with native_stderr_silenced():
                image = self._read()


class PictureFolder:
    """Every picture of a folder by name; or a single picture."""

    is_live = False
    holds_stills = True
    frame_rate = 1.0

    def __init__(self, path: Path) -> None:
        listed = sorted(path.iterdir()) if path.is_dir() else [path]
        self._paths = [p for p in listed if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file()]
        if not self._paths:
            raise SourceError(
                f"{path}: holds neither pictures ({', '.join(PICTURE_SUFFIXES)}) nor videos: "
                "name another folder; folders in it are not searched"
            )
        self.name = path.name
        self.frame_count: int | None = len(self._paths)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def __iter__(self) -> Iterator[Frame]:
        bad = 0
        for index, path in enumerate(self._paths):
            try:
                image = read_picture(path)
            except SourceError as error:
                bad += 1
                if bad == len(self._paths):
                    raise
                # One bad file must not end a long folder: it gets its row, without a face.
                _LOGGER.warning("%s", error)
                image = np.zeros((1, 1, 3), np.uint8)
            yield Frame(index, float(index), image, path.name)


def read_picture(path: Path) -> Image:
    """Decode a picture of any depth and channel count as RGB; transparency is dropped.

    Raises:
        SourceError: If it cannot be decoded.
    """
    try:
        with native_stderr_silenced():
            stored = np.fromfile(path, np.uint8)
            image = cv2.imdecode(stored, cv2.IMREAD_COLOR) if len(stored) else None
    except (OSError, cv2.error) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"{path}: cannot be read ({reason}): check the file") from error
    if image is None:
        raise SourceError(f"{path}: is not a readable picture: replace or remove it")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
