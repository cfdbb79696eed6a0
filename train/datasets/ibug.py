"""300W: pictures with `.pts` annotations of 68 points, in the folders of its sources."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from tracker.layouts import IBUG_68, Layout

from .assembly import assemble
from .data_error import DataError
from .sample import DataSet, Sample
from .text import numbers, read_lines

TRAIN_FOLDERS_300W = ("afw", "helen/trainset", "lfpw/trainset")
COMMON_FOLDERS_300W = ("helen/testset", "lfpw/testset")
CHALLENGE_FOLDERS_300W = ("ibug",)
PRIVATE_FOLDERS_300W = ("01_Indoor", "02_Outdoor", "300W/01_Indoor", "300W/02_Outdoor")
FOLDERS_300W = (
    *TRAIN_FOLDERS_300W, *COMMON_FOLDERS_300W, *CHALLENGE_FOLDERS_300W, *PRIVATE_FOLDERS_300W,
)  # fmt: skip

_FIRST_PIXEL = 1.0
"""The annotations lie this much to the right of where a mirror image puts them, in small pictures
and in large ones; `python -m benchmarks.mirror_axis` finds 0.97 ± 0.02 px in pictures cut around
the face to at most 400 px. It may be those who cut, not who annotated: measure others again."""
_SUFFIXES = (".jpg", ".png", ".jpeg")


def read_ibug(folder: Path) -> DataSet:
    """300W, those of its parts that are there; "test" is what papers call the full set.

    Raises:
        DataError: If no part is there, an annotation is damaged or all pictures are missing.
    """
    train = _faces(folder, TRAIN_FOLDERS_300W)
    common = _faces(folder, COMMON_FOLDERS_300W)
    challenge = _faces(folder, CHALLENGE_FOLDERS_300W)
    private = _faces(folder, PRIVATE_FOLDERS_300W)
    splits = {"train": train, "test": common + challenge}
    splits |= {"common": common, "challenge": challenge, "private": private}
    if not any(splits.values()):
        raise DataError(
            f"{folder}: no .pts annotations in {', '.join(FOLDERS_300W[:-2])}: "
            "unpack 300W (ibug.doc.ic.ac.uk/resources/300-W) there"
        )
    return assemble("300W", IBUG_68, splits)


def read_300w(folder: Path) -> list[Sample]:
    """The training part of 300W, complete: `afw`, `helen/trainset`, `lfpw/trainset`.

    Raises:
        DataError: If none of the three is there, an annotation is damaged or a picture missing.
    """
    faces = _faces(folder, TRAIN_FOLDERS_300W)
    if not faces:
        raise DataError(
            f"{folder}: expected {', '.join(TRAIN_FOLDERS_300W)} inside, found none of them: "
            "unpack 300W (ibug.doc.ic.ac.uk/resources/300-W) there"
        )
    missing = assemble("300W", IBUG_68, {"train": faces}).missing
    if missing:
        raise DataError(
            f"{missing[0]}: not there, and {len(missing) - 1} more: unpack the pictures of 300W"
        )
    return faces


def subset_of(picture: Path) -> str:
    """Which part of 300W a picture is of, by its folder; empty where that says nothing."""
    place = f"/{picture.parent.as_posix()}/"
    for subset, folders in (
        ("common", COMMON_FOLDERS_300W),
        ("challenge", CHALLENGE_FOLDERS_300W),
    ):
        if any(f"/{folder}/" in place for folder in folders):
            return subset
    return ""


def photograph_of(picture: Path) -> str:
    """Folder and name without the number of the face; LFPW's four-digit names are whole."""
    return f"{picture.parent}/{re.sub(r'_[0-9]{1,2}$', '', picture.stem)}"


def _faces(folder: Path, parts: Iterable[str]) -> list[Sample]:
    annotations = sorted(path for part in parts for path in (folder / part).glob("*.pts"))
    # Some downloads carry mirrored copies, which are no faces of 300W.
    return [_read_face(path) for path in annotations if not path.stem.endswith("_mirror")]


def _read_face(annotation: Path) -> Sample:
    picture = picture_of(annotation)
    points = read_pts(annotation, IBUG_68)
    photograph = photograph_of(picture)
    return Sample(picture, points, first_pixel=_FIRST_PIXEL, photograph=photograph)


def picture_of(annotation: Path) -> Path:
    """The picture beside an annotation; where there is none, the name that it should have."""
    candidates = [annotation.with_suffix(suffix) for suffix in _SUFFIXES]
    return next((picture for picture in candidates if picture.exists()), candidates[0])


def read_pts(path: Path, layout: Layout) -> Float[np.ndarray, "landmarks xy=2"]:
    """Read one iBUG annotation; its 1-based pixels become 0-based.

    Raises:
        DataError: If the file does not hold the layout's number of points.
    """
    lines = [line.strip() for line in read_lines(path)]
    if "{" not in lines or "}" not in lines:
        raise DataError(f"{path}: not a whole .pts annotation, '{{' or '}}' is not there")
    first = lines.index("{") + 1
    inside = lines[first : lines.index("}")]
    points = [_point(line, f"{path}, line {n}") for n, line in enumerate(inside, first + 1)]
    if len(points) != layout.count:
        raise DataError(f"{path}: {layout.name} has {layout.count} points, found {len(points)}")
    return np.stack(points) - 1


def _point(line: str, where: str) -> Float[np.ndarray, " xy=2"]:
    fields = line.split()
    if len(fields) != 2:
        raise DataError(f"{where}: expected x and y, found '{line[:40]}'")
    return numbers(fields, where).astype(np.float32)
