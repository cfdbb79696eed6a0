"""Frames from a camera, a video file or stream, or pictures.

A source is an iterable of frames and a context manager; `frame_count` is None where it is not
known.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from ..errors import SourceError
from ..types import Frame
from .animation import Animation
from .camera import webcam
from .numbered_pictures import NumberedPictures, is_pattern
from .picture_reader import PICTURE_SUFFIXES, is_animated
from .pictures import listed_pictures, picture_folder, remote_picture
from .read_losses import Losses
from .reading import MEGAPIXELS, RECONNECT_S, Reading
from .remote import is_remote_store
from .video_opening import PIPE, open_pipe, open_stream, open_video_file

_LONGEST_CAMERA_INDEX = 4
_WANTED = "a source is a camera's index, a path or a URL"


class Source(Protocol):
    """Where frames come from."""

    name: str
    frame_count: int | None
    frame_rate: float
    """Frames per second, nominal."""
    is_live: bool
    holds_stills: bool
    """True where neighbouring frames show different scenes: nothing is tracked across them."""
    losses: Losses
    """What could not be read so far."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_source(
    address: int | str | Path,
    *,
    stream: int | None = None,
    fps: float | None = None,
    max_megapixels: float = MEGAPIXELS,
    reconnect_s: float = RECONNECT_S,
    recursive: bool = False,
) -> Source:
    """Open a camera, a video file or stream, a picture or a folder of pictures.

    Args:
        address: Index of a camera, as a number or as digits; a path, one with %d in its name for
            numbered pictures; the URL of a stream (http://, rtsp://, s3://, ...); or "-" for the
            standard input.
        stream: Which of several picture streams of a video, from 0.
        fps: Frames per second of numbered pictures; 25 unless stated.
        max_megapixels: Larger pictures are refused.
        reconnect_s: A camera or live stream that fails is looked for so long.
        recursive: Read the folders in a folder of pictures, too.

    Raises:
        ValueError: If it is none of these.
        SourceError: If it is not there or gives no frames.
    """
    return opened(
        address,
        Reading(
            stream=stream,
            fps=fps,
            max_megapixels=max_megapixels,
            reconnect_s=reconnect_s,
            recursive=recursive,
        ),
    )


def opened(address: int | str | Path, reading: Reading) -> Source:
    """The same, to be read in a stated way."""
    if isinstance(address, bool) or not isinstance(address, int | np.integer | str | Path):
        raise ValueError(f"{_WANTED}, got {type(address).__name__}: {address!r}")
    if isinstance(address, int | np.integer):
        return _camera(int(address), reading)
    if isinstance(address, str):
        if is_url(address):
            return _at_url(address, reading)
        if is_camera(address):
            return _camera(int(address), reading)
        if address == PIPE:
            return open_pipe(reading)
    return _files(address, reading)


def _camera(index: int, reading: Reading) -> Source:
    if index < 0:
        raise ValueError(f"a camera's index is at least 0, got {index}")
    return webcam(index, reading.reconnect_s)


def _at_url(url: str, reading: Reading) -> Source:
    if Path(url).suffix.lower() in PICTURE_SUFFIXES and is_remote_store(url.partition("://")[0]):
        return remote_picture(url, reading)
    return open_stream(url, reading)


def _files(address: str | Path, reading: Reading) -> Source:
    if not str(address):
        raise ValueError(f"{_WANTED}, got an empty text")
    path = Path(address)
    if path.is_dir():
        return picture_folder(path, reading)
    if not path.exists():
        if is_pattern(path):
            return NumberedPictures(path, reading)
        raise SourceError(f"{address}: no such file or folder: check the path")
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        return open_video_file(path, reading)
    return (
        Animation(path, reading) if is_animated(path, reading) else listed_pictures([path], reading)
    )


def is_camera(address: str) -> bool:
    """Whether this names a camera, not a path: digits without leading zeros."""
    is_number = address.isascii() and address.isdecimal() and len(address) < _LONGEST_CAMERA_INDEX
    return is_number and str(int(address)) == address


def is_url(address: str) -> bool:
    """Whether this names a stream, not a path."""
    scheme, separator, rest = address.partition("://")
    return bool(separator and rest) and len(scheme) > 1 and scheme.isalnum()
