"""One picture, of any kind that Pillow knows, as upright RGB."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image as Pictures
from PIL import ImageOps

from ..errors import SourceError
from ..types import Image
from .reading import Reading, too_large

HEIC_SUFFIXES = (".heic", ".heif", ".hif")
PICTURE_SUFFIXES = (
    ".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".apng", ".bmp", ".webp", ".tif", ".tiff", ".gif",
    ".avif", ".jp2", ".j2k", ".jpx", ".jpf", ".ppm", ".pgm", ".pbm", ".pnm", *HEIC_SUFFIXES,
)  # fmt: skip
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError)
"""What Pillow raises on damaged files."""
_OPENING = threading.Lock()


def read_picture(path: Path, reading: Reading | None = None) -> Image:
    """Decode a picture of any depth and channel count as RGB, upright; transparency is dropped.

    Raises:
        SourceError: If it cannot be decoded, or is larger than allowed.
    """
    try:
        with path.open("rb") as file:
            return decoded_picture(file, str(path), reading)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror}): check the file") from error


def decoded_picture(file: BinaryIO, name: str, reading: Reading | None = None) -> Image:
    """The same of a file that is open, or of `io.BytesIO`.

    Args:
        file: Of the picture.
        name: For the user.
        reading: How large it may be.
    """
    with opened_picture(file, name, reading) as picture:
        return upright_rgb(picture, name)


@contextmanager
def opened_picture(
    file: BinaryIO, name: str, reading: Reading | None = None
) -> Iterator[Pictures.Image]:
    """A picture of which no more than the head is read.

    Raises:
        SourceError: If it is none, or is larger than allowed.
    """
    reading = reading or Reading()
    if name.lower().endswith(HEIC_SUFFIXES):
        _know_heic(name)
    try:
        picture = _opened(file)
    except UNREADABLE as error:
        raise SourceError(f"{name}: is not a readable picture: replace or remove it") from error
    with picture:
        width, height = picture.size
        if width * height > reading.most_pixels:
            raise SourceError(too_large(name, width, height, reading))
        yield picture


def upright_rgb(picture: Pictures.Image, name: str) -> Image:
    """Decode what is open, turned as its EXIF data say.

    Raises:
        SourceError: If it is damaged.
    """
    try:
        shown = ImageOps.exif_transpose(picture)
        return _rgb(shown)
    except UNREADABLE as error:
        raise SourceError(f"{name}: is not a readable picture: replace or remove it") from error


def _rgb(picture: Pictures.Image) -> Image:
    """Of 8 bits; deeper pictures are scaled."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float64)
        most = 255.0 if picture.mode == "F" and values.max(initial=0) > 1 else 1.0
        if picture.mode != "F":
            most = 65535.0 if values.max(initial=0) < 65536 else float(values.max())
        grey = np.clip(np.round(255 / most * values), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.mode in ("RGBA", "RGBX"):
        return np.ascontiguousarray(np.asarray(picture)[..., :3])
    return np.array(picture.convert("RGB"))


def _opened(file: BinaryIO) -> Pictures.Image:
    """By Pillow, whose own limit of size is lifted: ours comes next, before anything is decoded."""
    with _OPENING:
        limit, Pictures.MAX_IMAGE_PIXELS = Pictures.MAX_IMAGE_PIXELS, None
        try:
            return Pictures.open(file)
        finally:
            Pictures.MAX_IMAGE_PIXELS = limit


def _know_heic(name: str) -> None:
    with suppress(ImportError):
        import_module("pi_heif").register_heif_opener()
        return
    raise SourceError(f"{name}: HEIC needs the extra: pip install 'star-tracker[heic]'")


def is_animated(path: Path, reading: Reading) -> bool:
    """Whether a picture moves."""
    if path.suffix.lower() not in (".gif", ".webp", ".avif", ".png", ".apng"):
        return False
    try:
        with path.open("rb") as file, opened_picture(file, str(path), reading) as picture:
            return bool(getattr(picture, "is_animated", False))
    except (OSError, SourceError):
        return False
