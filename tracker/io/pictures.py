"""Pictures, one or a folder of them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from ..errors import SourceError
from ..types import Frame, Image

_LOGGER = logging.getLogger(__name__)

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class PictureFolder:
    """Every picture of a folder by name; or a single picture.

    Raises:
        SourceError: If there is none.
    """

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
        stored = np.fromfile(path, np.uint8)
        image = cv2.imdecode(stored, cv2.IMREAD_COLOR) if len(stored) else None
    except (OSError, cv2.error) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"{path}: cannot be read ({reason}): check the file") from error
    if image is None:
        raise SourceError(f"{path}: is not a readable picture: replace or remove it")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
