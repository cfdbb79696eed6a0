"""WFLW: 98 points in two lists, six attributes per face, several faces per picture."""

from pathlib import Path

from tracker.layouts import WFLW_98

from .assembly import assemble
from .data_error import DataError
from .sample import DataSet, Sample
from .text import numbers, picture_name, points_of, read_lines

ANNOTATIONS, PICTURES = "WFLW_annotations", "WFLW_images"
ATTRIBUTES = ("pose", "expression", "illumination", "makeup", "occlusion", "blur")
"""Subsets of the test part, in the order of the flags in a line."""

_LISTS = f"{ANNOTATIONS}/list_98pt_rect_attr_train_test"
_COORDINATES, _RECTANGLE = 2 * WFLW_98.count, 4
_FIELDS = _COORDINATES + _RECTANGLE + len(ATTRIBUTES) + 1


def read_wflw(folder: Path, pictures: Path | None = None) -> DataSet:
    """WFLW as its authors publish it; `pictures` where `WFLW_images` lies elsewhere.

    Raises:
        DataError: If no list is there, a line is damaged or no picture is there.
    """
    lists = {split: folder / _LISTS / f"list_98pt_rect_attr_{split}.txt" for split in _SPLITS}
    found = {split: path for split, path in lists.items() if path.is_file()}
    if not found:
        raise DataError(
            f"{folder / _LISTS}: expected {' or '.join(path.name for path in lists.values())}, "
            "found neither: unpack WFLW_annotations.tar.gz (wywu.github.io/projects/LAB/WFLW.html)"
        )
    root = pictures or folder / PICTURES
    splits: dict[str, list[Sample]] = {}
    for split, path in found.items():
        lines = enumerate(read_lines(path), 1)
        faces = [_read_face(line, root, f"{path}, line {n}") for n, line in lines]
        splits[split] = [sample for sample, _ in faces]
        if split == "test":
            splits |= by_attribute(faces)
    return assemble("WFLW", WFLW_98, splits)


_SPLITS = ("train", "test")


def by_attribute(faces: list[tuple[Sample, tuple[bool, ...]]]) -> dict[str, list[Sample]]:
    """The test faces that have each attribute."""
    return {
        name: [sample for sample, flags in faces if flags[i]] for i, name in enumerate(ATTRIBUTES)
    }


def attribute_flags(fields: list[str], where: str) -> tuple[bool, ...]:
    """Six flags, each 0 or 1.

    Raises:
        DataError: If one is neither.
    """
    values = numbers(fields, where)
    if any(value not in (0, 1) for value in values):
        raise DataError(f"{where}: expected attributes of 0 or 1, found {' '.join(fields)}")
    return tuple(bool(value) for value in values)


def _read_face(line: str, root: Path, where: str) -> tuple[Sample, tuple[bool, ...]]:
    fields = line.split()
    if len(fields) != _FIELDS:
        raise DataError(
            f"{where}: expected {_FIELDS} fields (98 points, box, 6 attributes, picture), "
            f"found {len(fields)}: fetch the annotations anew"
        )
    numbers(fields[_COORDINATES : _COORDINATES + _RECTANGLE], where)
    flags = attribute_flags(fields[_COORDINATES + _RECTANGLE : -1], where)
    picture = root / picture_name(fields[-1], where)
    points = points_of(fields[:_COORDINATES], where)
    return Sample(picture, points, photograph=str(picture)), flags
