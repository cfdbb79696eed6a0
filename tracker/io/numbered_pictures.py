"""Pictures whose names are numbered, as a video: frames/%04d.png."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from ..errors import SourceError
from ..types import Frame
from .picture_reader import read_picture
from .read_losses import Losses
from .reading import SEQUENCE_RATE, Reading

_NUMBER = re.compile(r"%0?(\d*)d")


class NumberedPictures:
    """Every picture that a pattern names, by its number; what is missing leaves a gap in time.

    Args:
        pattern: A path whose name holds one %d, or %04d for numbers of four digits.
        reading: How many frames a second has.

    Raises:
        SourceError: If there is none.
    """

    is_live = False
    holds_stills = False

    def __init__(self, pattern: Path, reading: Reading) -> None:
        self.name, self._how, self.losses = pattern.name, reading, Losses()
        self.frame_rate = reading.fps or SEQUENCE_RATE
        self._paths = _numbered(pattern)
        if not self._paths:
            raise SourceError(f"{pattern}: no file is named so: check the folder and the digits")
        self.frame_count: int | None = len(self._paths)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def __iter__(self) -> Iterator[Frame]:
        """From the lowest number on, every time; damaged pictures are passed over.

        Raises:
            SourceError: If all are damaged.
        """
        self.losses = Losses()
        first = min(self._paths)
        for number in sorted(self._paths):
            try:
                image = read_picture(self._paths[number], self._how)
            except SourceError:
                self.losses.passed_over += 1
                if self.losses.passed_over == len(self._paths):
                    raise
                continue
            yield Frame(self.losses.frames, (number - first) / self.frame_rate, image)
            self.losses.frames += 1


def is_pattern(path: Path) -> bool:
    """Whether this names numbered pictures."""
    return len(_NUMBER.findall(path.name)) == 1


def _numbered(pattern: Path) -> dict[int, Path]:
    """The files of a pattern by their numbers."""
    if not pattern.parent.is_dir():
        return {}
    found = _NUMBER.search(pattern.name)
    assert found is not None
    digits = rf"(\d{{{int(found[1])},}})" if found[1] else r"(\d+)"
    name = re.compile(
        re.escape(pattern.name[: found.start()]) + digits + re.escape(pattern.name[found.end() :])
    )
    matches = [(name.fullmatch(path.name), path) for path in pattern.parent.iterdir()]
    return {int(match[1]): path for match, path in matches if match}
