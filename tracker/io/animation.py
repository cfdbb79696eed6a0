"""Animated pictures, such as GIF, WebP, AVIF and PNG know them, as videos."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from PIL import Image as Pictures

from ..errors import SourceError
from ..types import Frame
from .picture_reader import UNREADABLE, opened_picture, upright_rgb
from .read_losses import Losses
from .reading import Reading

_NO_DURATION_S = 0.1
"""How long browsers show a picture whose duration is not stated."""


class Animation:
    """A picture that moves, from its first frame to its last, once.

    Raises:
        SourceError: If it cannot be read.
    """

    is_live = False
    holds_stills = False

    def __init__(self, path: Path, reading: Reading) -> None:
        self.name, self._path, self._how, self.losses = path.name, path, reading, Losses()
        with path.open("rb") as file, opened_picture(file, str(path), reading) as picture:
            self.frame_count: int | None = _count(picture)
            self.frame_rate = 1 / _duration_s(picture)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def __iter__(self) -> Iterator[Frame]:
        """From the first frame on, every time."""
        self.losses, time_s = Losses(), 0.0
        name = str(self._path)
        with self._path.open("rb") as file, opened_picture(file, name, self._how) as picture:
            for index in range(_count(picture)):
                try:
                    picture.seek(index)
                    image = upright_rgb(picture, name)
                except (SourceError, *UNREADABLE):
                    if index == 0:
                        raise
                    self.losses.announced = _count(picture)
                    return
                yield Frame(index, time_s, image)
                self.losses.frames += 1
                time_s += _duration_s(picture)


def _count(picture: Pictures.Image) -> int:
    return int(getattr(picture, "n_frames", 1))


def _duration_s(picture: Pictures.Image) -> float:
    """Of the frame at which it stands."""
    return float(picture.info.get("duration", 0)) / 1000 or _NO_DURATION_S
