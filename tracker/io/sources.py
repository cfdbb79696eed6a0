"""Frames from a camera, a video file or stream, or a folder of pictures.

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
from .pictures import PICTURE_SUFFIXES, PictureFolder
from .video_reader import Camera, VideoFile, VideoStream

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

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_source(address: int | str | Path) -> Source:
    """Open a camera, a video file or stream, a picture or a folder of pictures.

    Args:
        address: Index of a camera, as a number or as digits; a path; or the URL of a stream
            (http://, rtsp://, ...).

    Raises:
        ValueError: If it is none of these.
        SourceError: If it is not there or gives no frames.
    """
    if isinstance(address, bool) or not isinstance(address, int | np.integer | str | Path):
        raise ValueError(f"{_WANTED}, got {type(address).__name__}: {address!r}")
    if isinstance(address, str) and is_url(address):
        return VideoStream(address)
    if isinstance(address, int | np.integer):
        return _camera(int(address))
    if isinstance(address, str) and is_camera(address):
        return _camera(int(address))
    return _files(address)


def _camera(index: int) -> Source:
    if index < 0:
        raise ValueError(f"a camera's index is at least 0, got {index}")
    return Camera(index)


def _files(address: str | Path) -> Source:
    if not str(address):
        raise ValueError(f"{_WANTED}, got an empty text")
    path = Path(address)
    if path.is_dir():
        return PictureFolder(path)
    if not path.exists():
        raise SourceError(f"{address}: no such file or folder: check the path")
    return PictureFolder(path) if path.suffix.lower() in PICTURE_SUFFIXES else VideoFile(path)


def is_camera(address: str) -> bool:
    """Whether this names a camera, not a path: digits without leading zeros."""
    is_number = address.isascii() and address.isdecimal() and len(address) < _LONGEST_CAMERA_INDEX
    return is_number and str(int(address)) == address


def is_url(address: str) -> bool:
    """Whether this names a stream, not a path."""
    scheme, separator, rest = address.partition("://")
    return bool(separator and rest) and len(scheme) > 1 and scheme.isalnum()
