"""COFW: 29 points with occlusions, and the pictures themselves, in MATLAB 7.3 files."""

from pathlib import Path

import h5py
import numpy as np

from tracker.layouts import COFW_29

from .assembly import assemble
from .cofw_folders import COFW_SOURCE, cofw_files
from .data_error import DataError
from .mat_file import count_pictures, matlab_errors
from .sample import DataSet, Sample
from .text import BEYOND_ALL_PICTURES

_ANNOTATIONS = {"train": "phisTr", "test": "phisT"}


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
    splits = {split: _read_faces(path, _ANNOTATIONS[split]) for split, path in files.items()}
    return assemble("COFW", COFW_29, splits)


def _read_faces(path: Path, variable: str) -> list[Sample]:
    with matlab_errors(path), h5py.File(path, "r") as file:
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
