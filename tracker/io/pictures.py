"""Pictures that have nothing to do with each other: one, a folder, or a list of them."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np

from ..errors import SourceError
from ..types import Frame, Image
from .picture_reader import PICTURE_SUFFIXES, decoded_picture, read_picture
from .read_losses import Losses
from .reading import Reading
from .remote import read_remote

_LOGGER = logging.getLogger(__name__)


class PictureList:
    """Pictures in the order in which they are named.

    Args:
        name: Of all of them, for the user.
        pictures: What reads each, by its name in tables; raises SourceError.
    """

    is_live = False
    holds_stills = True
    frame_rate = 1.0

    def __init__(self, name: str, pictures: dict[str, Callable[[], Image]]) -> None:
        self.name, self._pictures = name, pictures
        self.frame_count: int | None = len(pictures)
        self.losses = Losses()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def __iter__(self) -> Iterator[Frame]:
        """Every picture; one that is damaged is black and has one pixel.

        Raises:
            SourceError: If all are damaged.
        """
        bad = 0
        for index, (name, read) in enumerate(self._pictures.items()):
            try:
                image = read()
            except SourceError as error:
                bad += 1
                if bad == len(self._pictures):
                    raise
                # One bad file must not end a long folder: it gets its row, without a face.
                _LOGGER.warning("%s", error)
                image = np.zeros((1, 1, 3), np.uint8)
            yield Frame(index, float(index), image, name)


def picture_folder(folder: Path, reading: Reading) -> PictureList:
    """Every picture of a folder by name.

    Raises:
        SourceError: If there is none.
    """
    files = files_in(folder, recursive=reading.recursive)
    pictures = [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]
    if not pictures:
        raise SourceError(
            f"{folder}: holds neither pictures ({', '.join(PICTURE_SUFFIXES)}) nor videos: "
            + ("name another folder" if reading.recursive else "folders in it need --recursive")
        )
    say_passed_over(folder, [path for path in files if path not in set(pictures)])
    named = {path.relative_to(folder).as_posix(): path for path in pictures}
    return PictureList(folder.name, _readers(named, reading))


def listed_pictures(paths: list[Path], reading: Reading) -> PictureList:
    """Pictures that are named one by one; tables name them as shortly as tells them apart."""
    is_clear = len({path.name for path in paths}) == len(set(paths))
    named = {path.name if is_clear else path.as_posix(): path for path in paths}
    name = paths[0].name if len(paths) == 1 else f"{len(named)} pictures"
    return PictureList(name, _readers(named, reading))


def remote_picture(url: str, reading: Reading) -> PictureList:
    """One picture in a remote store."""
    name = url.rsplit("/", 1)[-1]

    def read() -> Image:
        return decoded_picture(BytesIO(read_remote(url)), url, reading)

    return PictureList(name, {name: read})


def _readers(named: dict[str, Path], reading: Reading) -> dict[str, Callable[[], Image]]:
    return {name: partial(read_picture, path, reading) for name, path in named.items()}


def files_in(folder: Path, *, recursive: bool) -> list[Path]:
    """Files by name, hidden ones left out: other systems leave a "._clip.mp4" beside a clip."""
    found = folder.rglob("*") if recursive else folder.iterdir()
    return [path for path in sorted(found) if path.is_file() and not path.name.startswith(".")]


def say_passed_over(folder: Path, files: list[Path]) -> None:
    """Warn of files that are neither pictures nor videos."""
    if files:
        kinds = sorted({path.suffix.lower() or "no suffix" for path in files})
        _LOGGER.warning(
            "%s: %d files are passed over, being neither pictures nor videos (%s)",
            folder, len(files), ", ".join(kinds[:8]),
        )  # fmt: skip
