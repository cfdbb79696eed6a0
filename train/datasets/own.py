"""Annotations of one's own: pictures and one CSV file, a row per face.

The column `picture` (or `file`) names the picture; the landmarks are in `<point>_x`, `<point>_y`
where a `layout.toml` beside the file names the points, and in `x_0`, … and `y_0`, … as
`run_tracker.py --csv` writes them where it does not. Coordinates are 0-based pixel centres.
`split` may say train or test; without it all faces are for training. Rows without a face, as the
tracker writes them (`success` 0, or no coordinate at all), are passed over.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracker.layouts import LAYOUTS, Layout

from .assembly import assemble
from .data_error import DataError
from .layout_file import read_layout, read_point_names
from .pseudo import named_from
from .sample import DataSet, Sample
from .text import numbers, picture_name, read_lines

ANNOTATIONS, LAYOUT = "landmarks.csv", "layout.toml"
_PICTURE_COLUMNS = ("picture", "file")
_SPLITS = ("train", "test")


def read_own(place: Path, pictures: Path | None = None) -> DataSet:
    """The faces of `landmarks.csv` in a folder, or of the CSV file that is named.

    Args:
        place: The folder, or the file.
        pictures: What the names of pictures are relative to; else the file's folder.

    Raises:
        DataError: If file or layout are damaged, or no picture is there.
    """
    path = place if place.is_file() else place / ANNOTATIONS
    lines = read_lines(path)
    header, *rows = _read_rows(path, lines)
    columns = _find_columns(path, header.fields)
    splits: dict[str, list[Sample]] = {split: [] for split in _SPLITS}
    for row in rows:
        if len(row.fields) != len(header.fields):
            raise DataError(
                f"{row.where}: expected {len(header.fields)} columns, found {len(row.fields)}: "
                "is the file cut off?"
            )
        if _has_face(row, columns):
            splits[_split_of(row, columns)].append(
                _read_face(row, columns, pictures or path.parent)
            )
    name = (path.parent if path.name == ANNOTATIONS else path).absolute().stem
    return assemble(name, columns.layout, splits)


def write_own(path: Path, samples: Sequence[Sample]) -> None:
    """Write faces of a layout that has no names, in the form that `read_own` reads.

    Pictures below the folder of the file are named from there, others by their whole path.
    """
    header = [f"{axis}_{point}" for point in range(len(samples[0].points)) for axis in "xy"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["picture", *header])
        for sample in samples:
            picture = named_from(path.parent.resolve(), sample.image_path)
            table.writerow([picture, *sample.points.astype(float).round(3).ravel().tolist()])


@dataclass(frozen=True, slots=True)
class _Row:
    fields: list[str]
    where: str
    """File and line."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where in a row is what; None where a column is not there."""

    layout: Layout
    header: list[str]
    picture: int
    points: list[int]
    """x and y of each landmark in turn."""
    split: int | None
    success: int | None


def _read_rows(path: Path, lines: list[str]) -> Iterator[_Row]:
    reader = csv.reader(lines, strict=True)
    try:
        for fields in reader:
            yield _Row([field.strip() for field in fields], f"{path}, line {reader.line_num}")
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not CSV ({error})") from error


def _find_columns(path: Path, header: list[str]) -> _Columns:
    where = f"{path}, line 1"
    for column in header:
        if column and header.count(column) > 1:
            raise DataError(f"{where}: the column '{column}' is there twice")
    picture = next((name for name in _PICTURE_COLUMNS if name in header), None)
    if picture is None:
        raise DataError(f"{where}: no column 'picture', found {_some(header)}")
    layout, names = _find_points(path, header)
    for name in names:
        if name not in header:
            raise DataError(f"{where}: no column '{name}', found {_some(header)}")
    return _Columns(
        layout=layout,
        header=header,
        picture=header.index(picture),
        points=[header.index(name) for name in names],
        split=header.index("split") if "split" in header else None,
        success=header.index("success") if "success" in header else None,
    )


def _find_points(path: Path, header: list[str]) -> tuple[Layout, list[str]]:
    """The layout, and the columns of x and y of each of its landmarks in turn."""
    described = path.parent / LAYOUT
    if described.is_file():
        layout = read_layout(described)
        if "x_0" not in header:
            points = read_point_names(described)
            return layout, [f"{point}_{axis}" for point in points for axis in "xy"]
    else:
        layout = _known_layout(path, header)
    return layout, [f"{axis}_{i}" for i in range(layout.count) for axis in "xy"]


def _known_layout(path: Path, header: list[str]) -> Layout:
    count = sum(name.startswith("x_") and name[2:].isdecimal() for name in header)
    for layout in LAYOUTS.values():
        if layout.count == count:
            return layout
    known = ", ".join(str(layout.count) for layout in LAYOUTS.values())
    raise DataError(
        f"{path}, line 1: without a {LAYOUT} beside it, expected columns x_0, y_0, … of {known} "
        f"points, found {count} points in {_some(header)}"
    )


def _has_face(row: _Row, columns: _Columns) -> bool:
    if columns.success is not None and row.fields[columns.success] == "0":
        return False
    return any(row.fields[i] for i in columns.points)


def _split_of(row: _Row, columns: _Columns) -> str:
    if columns.split is None:
        return "train"
    split = row.fields[columns.split]
    if split not in _SPLITS:
        raise DataError(f"{row.where}, column split: expected train or test, found '{split}'")
    return split


def _read_face(row: _Row, columns: _Columns, root: Path) -> Sample:
    values = [
        numbers([row.fields[i]], f"{row.where}, column {columns.header[i]}")[0]
        for i in columns.points
    ]
    name = picture_name(
        row.fields[columns.picture], f"{row.where}, column {columns.header[columns.picture]}"
    )
    picture = root / name
    points = np.array(values, dtype=np.float32).reshape(-1, 2)
    return Sample(picture, points, photograph=str(picture))


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown}, … ({len(names)} columns)" if len(names) > 5 else shown
