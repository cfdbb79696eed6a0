"""COFW-68: the test part of COFW, annotated with 68 points by Ghiasi and Fowlkes."""

import zlib
from pathlib import Path

import h5py
import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from tracker.layouts import IBUG_68

from .assembly import assemble
from .cofw_folders import (
    ANNOTATIONS_68,
    COFW68_SOURCE,
    COFW_SOURCE,
    annotations_68,
    cofw_files,
)
from .data_error import DataError
from .mat_file import count_pictures
from .sample import DataSet, Sample
from .text import BEYOND_ALL_PICTURES

_DAMAGED = (
    OSError, KeyError, ValueError, TypeError, NotImplementedError, RuntimeError, EOFError,
    IndexError, zlib.error, MatReadError,
)  # fmt: skip
"""What the two readers of MATLAB files raise on files that are none or were cut off."""


def read_cofw68(place: Path, pictures: Path | None = None) -> DataSet:
    """The annotations in or below `place`, on the pictures of COFW's test part.

    Args:
        place: `test_annotations`, or a folder that has it.
        pictures: The folder of `COFW_test_color.mat`; else looked for in the folders up to three
            above the annotations, and in those beside them.

    Raises:
        DataError: If either is not there or is damaged.
    """
    folder = annotations_68(place)
    if folder is None:
        raise DataError(f"{place}: no {ANNOTATIONS_68} inside: see {COFW68_SOURCE}")
    mat = _test_pictures(folder, pictures)
    files = [path for path in folder.glob("*_points.mat") if _number(path).isdecimal()]
    if not files:
        raise DataError(f"{folder}: no 1_points.mat and so on inside: see {COFW68_SOURCE}")
    there = count_pictures(mat)
    faces = []
    for path in sorted(files, key=lambda path: int(_number(path))):
        if not 1 <= int(_number(path)) <= there:
            raise DataError(f"{path}: {mat} has {there} pictures: fetch it anew ({COFW_SOURCE})")
        faces.append(_read_face(path, mat))
    return assemble("COFW-68", IBUG_68, {"test": faces})


def _number(annotation: Path) -> str:
    """1-based, as MATLAB counts."""
    return annotation.stem.removesuffix("_points")


def _test_pictures(annotations: Path, pictures: Path | None) -> Path:
    above = [] if pictures else list(annotations.absolute().parents[:3])
    beside = [path for folder in above for path in sorted(folder.glob("[Cc][Oo][Ff][Ww]*"))]
    for folder in ([pictures] if pictures else []) + above + beside:
        if "test" in (files := cofw_files(folder)):
            return files["test"]
    raise DataError(
        f"{annotations}: COFW_test_color.mat is in none of the three folders above: fetch it "
        f"({COFW_SOURCE}), or name its folder (--pictures)"
    )


def _read_face(path: Path, mat: Path) -> Sample:
    try:
        points, occluded = _read_variables(path)
    except _DAMAGED as error:
        reason = " ".join(str(error).split())[:80]
        raise DataError(
            f"{path}: Points and Occ cannot be read ({reason}): fetch it anew ({COFW68_SOURCE})"
        ) from error
    if points.shape != (IBUG_68.count, 2) or occluded.size != IBUG_68.count:
        raise DataError(f"{path}: expected Points of 68 x 2, found {points.shape}")
    if not (np.abs(points) < BEYOND_ALL_PICTURES).all():
        raise DataError(f"{path}: a coordinate is no finite number")
    hidden = occluded.ravel() != 0
    # MATLAB's pixels are 1-based.
    shifted = points.astype(np.float32) - 1
    return Sample(mat, shifted, number=int(_number(path)) - 1, hidden=hidden)


def _read_variables(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        stored = loadmat(str(path), variable_names=["Points", "Occ"])
        points, occluded = stored["Points"], stored["Occ"]
    except NotImplementedError:  # MATLAB 7.3, whose axes HDF5 reverses
        with h5py.File(path, "r") as file:
            points, occluded = np.asarray(file["Points"]).T, np.asarray(file["Occ"]).T
    return points.astype(np.float64), occluded.astype(np.float64)
