"""What a data set holds, as a table beside the published counts, and as a sheet of faces."""

from collections.abc import Iterator

import numpy as np
from rich.table import Table

from tracker.types import Image

from .contact_sheet import contact_sheet, face_tile
from .data_error import DataError
from .sample import DataSet, Sample

PUBLISHED = {
    "WFLW": {
        "train": 7500, "test": 2500, "pose": 326, "expression": 314, "illumination": 698,
        "makeup": 206, "occlusion": 736, "blur": 773,
    },
    "300W": {"train": 3148, "test": 689, "common": 554, "challenge": 135, "private": 600},
    "COFW": {"train": 1345, "test": 507},
    "COFW-68": {"test": 507},
}  # fmt: skip
"""Faces of each split as the papers count them."""

_TILE_PX, _COLUMNS = 200, 6


def counts_table(data: DataSet) -> Table:
    """Faces and pictures of every split; a count that is not the published one is marked."""
    published = PUBLISHED.get(data.name, {})
    title = f"{data.name}, {data.layout.count} landmarks"
    if data.lost_rows:
        title += ", first row of every list dropped"
    table = Table("split", title=title)
    for heading in ("faces", "pictures", "published", ""):
        table.add_column(heading, justify="right")
    for split in dict.fromkeys([*data.splits, *published]):
        faces = data.splits.get(split, [])
        pictures = len({sample.name for sample in faces})
        expected = published.get(split)
        marked = _difference(len(faces), expected)
        shown = "" if expected is None else str(expected)
        table.add_row(split, str(len(faces)), str(pictures), shown, marked)
    return table


def _difference(faces: int, expected: int | None) -> str:
    if expected is None or faces == expected:
        return ""
    return "not here" if faces == 0 else f"{faces - expected:+d}"


def all_faces(data: DataSet) -> list[Sample]:
    """Every face once, though a split may be part of another."""
    unique = {id(sample): sample for faces in data.splits.values() for sample in faces}
    return list(unique.values())


def spread(data: DataSet, count: int) -> list[tuple[str, Sample]]:
    """About `count` faces with the name of their split, evenly over the splits and in each."""
    chosen: list[tuple[str, Sample]] = []
    for done, (split, faces) in enumerate(data.splits.items()):
        share = min(round((count - len(chosen)) / (len(data.splits) - done)), len(faces))
        places = np.linspace(0, len(faces) - 1, share).round().astype(int)
        chosen += [(split, faces[place]) for place in places]
    return chosen


def faces_sheet(data: DataSet, count: int = 36) -> Image:
    """Some faces of every split with their annotation.

    Raises:
        DataError: If one of their pictures cannot be read.
    """
    tiles = [
        (face_tile(sample, data.layout, _TILE_PX), f"{split} {_short_name(sample)}")
        for split, sample in spread(data, count)
    ]
    return contact_sheet(tiles, _COLUMNS)


def _short_name(sample: Sample) -> str:
    return sample.image_path.stem if sample.number is None else f"{sample.number + 1}"


def unreadable(data: DataSet) -> Iterator[str]:
    """Decode every picture once; what is wrong with those that fail."""
    pictures = {sample.name: sample for sample in all_faces(data)}
    for sample in pictures.values():
        try:
            sample.read_image()
        except DataError as error:
            yield str(error)
