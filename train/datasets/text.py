"""Annotations that are text, and errors that name the line."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from .data_error import DataError

_PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")

BEYOND_ALL_PICTURES = 1e9
"""No coordinate is so large; not a number is not smaller either."""


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, empty ones at its end left out.

    Raises:
        DataError: If it cannot be read, is not text or is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{path}, line {line}: not UTF-8 text: fetch the file anew") from error
    lines = text.rstrip().splitlines()
    if not lines:
        raise DataError(f"{path}: empty: fetch the file anew")
    return lines


def numbers(fields: Sequence[str], where: str) -> Float[np.ndarray, " fields"]:
    """Finite numbers.

    Raises:
        DataError: If one is none; `where` says of which file and line.
    """
    values = np.array([_number(field) for field in fields])
    sound = np.abs(values) < BEYOND_ALL_PICTURES
    if not sound.all():
        wrong = fields[int(sound.argmin())]
        raise DataError(f"{where}: expected a finite number, found '{wrong[:20]}'")
    return values


def _number(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return float("nan")


def points_of(fields: Sequence[str], where: str) -> Float[np.ndarray, "landmarks xy=2"]:
    """Landmarks written as x0 y0 x1 y1 …, as all readers give them: float32.

    Raises:
        DataError: If their number is odd or one is no finite number; `where` names file and line.
    """
    if len(fields) % 2:
        raise DataError(f"{where}: expected pairs x, y, found {len(fields)} numbers")
    return numbers(fields, where).astype(np.float32).reshape(-1, 2)


def picture_name(field: str, where: str) -> str:
    """The relative path of a picture, with slashes.

    Raises:
        DataError: If it is not the name of one, as in a line that was cut off.
    """
    name = field.strip().replace("\\", "/")
    if not name.lower().endswith(_PICTURE_SUFFIXES):
        raise DataError(
            f"{where}: expected the name of a picture, found '{name[-40:]}': is the file cut off?"
        )
    return name
