"""Pictures inside the MATLAB 7.3 files of COFW, which are HDF5."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from tracker.types import Image

from .cofw_folders import COFW_SOURCE
from .data_error import DataError

_PICTURES = ("IsTr", "IsT")


@dataclass(frozen=True)
class _Pictures:
    """The open file; its references lead to a picture each."""

    file: h5py.File
    references: np.ndarray


def count_pictures(path: Path) -> int:
    """How many pictures a file of COFW has.

    Raises:
        DataError: If it is none.
    """
    with matlab_errors(path), h5py.File(path, "r") as file:
        return int(_references(path, file).size)


def read_mat_picture(path: Path, number: int) -> Image:
    """One picture of a file of COFW; grey ones get three equal channels.

    Raises:
        DataError: If the file or this picture of it is damaged.
    """
    with matlab_errors(path):
        # By process: what a worker inherits from its parent is not its own.
        opened = _opened(os.getpid(), path)
        stored = np.asarray(opened.file[opened.references[number]])
    if stored.dtype != np.uint8 or stored.ndim not in (2, 3) or stored.size == 0:
        raise DataError(f"{path}[{number}]: not a picture ({stored.dtype} {stored.shape})")
    image = stored.T  # (width, height) or (channels, width, height) -> (height, width, channels)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=-1)
    return np.ascontiguousarray(image)


@lru_cache(maxsize=4)
def _opened(process: int, path: Path) -> _Pictures:
    file = h5py.File(path, "r")
    return _Pictures(file, _references(path, file))


def _references(path: Path, file: h5py.File) -> np.ndarray:
    for variable in _PICTURES:
        if variable in file:
            references = np.asarray(file[variable]).ravel()
            if references.dtype == h5py.ref_dtype:
                return references
    raise DataError(f"{path}: no pictures IsTr or IsT inside: is it COFW ({COFW_SOURCE})?")


@contextmanager
def matlab_errors(path: Path) -> Iterator[None]:
    """Turn what HDF5 raises on a damaged file into a `DataError`.

    Raises:
        DataError: In place of what HDF5 raises.
    """
    try:
        yield
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(
            f"{path}: not a whole MATLAB 7.3 file of COFW ({reason}): fetch it anew ({COFW_SOURCE})"
        ) from error
