"""Frames through a real video encoder and back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from tracker.errors import FaceTrackError
from tracker.types import Image


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder as OpenCV names it."""

    name: str
    """As tables say it."""
    code: str


_CODECS = (Codec("H.264", "avc1"), Codec("MPEG-4 Part 2", "mp4v"))


@cache
def video_codec() -> Codec:
    """The best encoder that this OpenCV has: its wheels come without H.264 on most machines.

    Raises:
        FaceTrackError: If it has none.
    """
    with TemporaryDirectory() as folder:
        for codec in _CODECS:
            writer = _writer(Path(folder) / "probe.mp4", codec, 30.0, (64, 64))
            opened = writer.isOpened()
            writer.release()
            if opened:
                return codec
    raise FaceTrackError("this OpenCV encodes no video: install the opencv-python wheel")


def reencoded(images: Iterable[Image], fps: float, size: tuple[int, int]) -> Iterator[Image]:
    """The same frames after a round trip through `video_codec()`.

    Raises:
        FaceTrackError: If there is no encoder.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        writer = _writer(path, video_codec(), fps, size)
        for image in images:
            writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        writer.release()
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        while True:
            readable, image = capture.read()
            if not readable:
                break
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        capture.release()


def _writer(path: Path, codec: Codec, fps: float, size: tuple[int, int]) -> cv2.VideoWriter:
    return cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec.code), fps, size
    )
