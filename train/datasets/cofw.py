"""COFW: 29 points with occlusions, and the pictures themselves, in MATLAB 7.3 files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from tracker.layouts import COFW_29
from tracker.types import Image

from .assembly import assemble
from .cofw_folders import COFW_SOURCE, cofw_files
from .sample import DataError, DataSet, Sample
from .text import BEYOND_ALL_PICTURES

_VARIABLES = {"train": ("IsTr", "phisTr"), "test": ("IsT", "phisT")}


def read_cofw(folder: Path) -> DataSet:
    """COFW, those of its two parts that are there.

    Raises:
        DataError: If none is there or a file is damaged.
    """
    files = cofw_files(folder)
    if not files:
        raise DataError(
            f"{folder}: no COFW_train_color.mat or COFW_test_color.mat: see {COFW_SOURCE}"
        )
    splits = {split: _read_faces(path, _VARIABLES[split][1]) for split, path in files.items()}
    return assemble("COFW", COFW_29, splits)


def _read_faces(path: Path, variable: str) -> list[Sample]:
    with _told(path), h5py.File(path, "r") as file:
        annotations = np.asarray(file[variable], dtype=np.float64)
    if annotations.ndim != 2 or len(annotations) != 3 * COFW_29.count:
        raise DataError(
            f"{path}: expected {variable} of {3 * COFW_29.count} x faces, "
            f"found {annotations.shape}: fetch COFW anew ({COFW_SOURCE})"
        )
    faces = annotations.T.reshape(-1, 3, COFW_29.count)
    pictures = count_pictures(path)
    if pictures != len(faces):
        raise DataError(f"{path}: {pictures} pictures, but {len(faces)} rows in {variable}")
    return [_read_face(path, number, face) for number, face in enumerate(faces)]


def _read_face(path: Path, number: int, face: np.ndarray) -> Sample:
    if not (np.abs(face) < BEYOND_ALL_PICTURES).all():
        raise DataError(f"{path}, face {number + 1}: a coordinate is no finite number")
    x, y, occluded = face
    points = np.stack([x, y], -1).astype(np.float32) - 1  # MATLAB's pixels are 1-based
    return Sample(path, points, number=number, hidden=occluded > 0.5)


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
    with _told(path), h5py.File(path, "r") as file:
        return int(_references(path, file).size)


def read_mat_picture(path: Path, number: int) -> Image:
    """One picture of a file of COFW; grey ones get three equal channels.

    Raises:
        DataError: If the file or this picture of it is damaged.
    """
    with _told(path):
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
    for variable, _ in _VARIABLES.values():
        if variable in file:
            references = np.asarray(file[variable]).ravel()
            if references.dtype == h5py.ref_dtype:
                return references
    raise DataError(f"{path}: no pictures IsTr or IsT inside: is it COFW ({COFW_SOURCE})?")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What HDF5 raises on a damaged file, in our words."""
    try:
        yield
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(
            f"{path}: not a whole MATLAB 7.3 file of COFW ({reason}): fetch it anew ({COFW_SOURCE})"
        ) from error
