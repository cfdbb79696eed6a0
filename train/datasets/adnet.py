"""The lists that ADNet and STAR train and measure with: tab-separated values without a header.

Columns: picture, five points (not used), landmarks, scale, centre x, centre y, and for some
attributes of the face. Coordinates stay as they are, for the published networks learnt them so.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tracker.layouts import COFW_29, IBUG_68, WFLW_98, Layout

from .assembly import assemble
from .data_error import DataError
from .ibug import photograph_of, subset_of
from .sample import DataSet, Sample
from .text import numbers, picture_name, points_of, read_lines
from .wflw import ATTRIBUTES, attribute_flags, by_attribute

_NAMES = {WFLW_98.count: "WFLW", IBUG_68.count: "300W", COFW_29.count: "COFW"}
_LAYOUTS = {layout.count: layout for layout in (WFLW_98, IBUG_68, COFW_29)}
_FILE_STEMS = {"train": "train", "test": "test"} | {
    f"test_{name.replace('pose', 'largepose')}": name for name in ATTRIBUTES
}
"""Split by the stem of its list, which may end in `_metadata`."""

_FIRST_PIXEL_COFW = 0.5
"""STAR mirrors a picture of width w by x -> w - x here, by x -> w - 1 - x elsewhere."""

_ROOT_ROWS = 20
"""The pictures' folder is where one of so many first pictures of each list is."""


class _Face(NamedTuple):
    sample: Sample
    """Its path still relative."""
    flags: tuple[bool, ...]
    """Of WFLW's attributes; empty where the list has none."""


def lists_in(place: Path) -> dict[str, Path]:
    """The lists by split: those of a folder, or the one file; any other name is a test list."""
    if place.is_file():
        stem = place.stem.removesuffix("_metadata")
        guess = "train" if "train" in stem else "test"
        return {_FILE_STEMS.get(stem, guess): place}
    found: dict[str, Path] = {}
    for stem, split in _FILE_STEMS.items():
        for name in (f"{stem}.tsv", f"{stem}_metadata.tsv"):
            if (place / name).is_file():
                found.setdefault(split, place / name)
    return found


def read_adnet(
    place: Path, pictures: Path | None = None, *, lose_first_row: bool = False
) -> DataSet:
    """The data set of one list, or of the lists in a folder.

    Args:
        place: A `.tsv` file, or the folder of `train.tsv`, `test.tsv`, `test_*_metadata.tsv`.
        pictures: Their root; else looked for beside and above the lists.
        lose_first_row: Drop the first row of every list, as the authors' reader does.

    Raises:
        DataError: If a row is damaged or no picture is there.
    """
    lists = {split: _read_list(path) for split, path in lists_in(place).items()}
    if not lists:
        raise DataError(f"{place}: no train.tsv or test.tsv inside")
    counts = {len(face.sample.points) for faces in lists.values() for face in faces}
    if len(counts) > 1:
        raise DataError(f"{place}: lists of different landmarks ({sorted(counts)}): name one list")
    layout = _LAYOUTS[counts.pop()]
    if lose_first_row:
        lists = {split: faces[1:] for split, faces in lists.items()}
    name = _NAMES[layout.count]
    root = _picture_root(place, pictures, name, lists)
    placed = {split: [_placed(face, root) for face in faces] for split, faces in lists.items()}
    data = assemble(name, layout, _with_subsets(placed, layout))
    return replace(data, lost_rows=lose_first_row)


def _with_subsets(lists: dict[str, list[_Face]], layout: Layout) -> dict[str, list[Sample]]:
    """A subset that has a list of its own stays as that list is."""
    splits = {split: [face.sample for face in faces] for split, faces in lists.items()}
    test = lists.get("test", [])
    if layout is IBUG_68:
        places = [(subset_of(face.sample.image_path), face.sample) for face in test]
        for subset in ("common", "challenge"):
            splits[subset] = [sample for place, sample in places if place == subset]
    flagged = [(face.sample, face.flags) for face in test if face.flags]
    return splits | {k: v for k, v in by_attribute(flagged).items() if k not in splits}


def _placed(face: _Face, root: Path) -> _Face:
    picture = root / face.sample.image_path
    return face._replace(
        sample=replace(face.sample, image_path=picture, photograph=_photograph(face, picture))
    )


def _photograph(face: _Face, picture: Path) -> str:
    return photograph_of(picture) if len(face.sample.points) == IBUG_68.count else str(picture)


def _picture_root(
    place: Path, pictures: Path | None, name: str, lists: dict[str, list[_Face]]
) -> Path:
    folder = place.parent if place.is_file() else place
    near = [folder, folder / "rawImages", folder.parent, folder.parent / "rawImages"]
    roots = [*([] if pictures is None else [pictures]), *near]
    # STAR keeps lists and pictures in two folders that have one sub-folder per data set.
    below = ("", "images", name, f"images/{name}", "WFLW_images", f"images/{name}/WFLW_images")
    candidates = [root / part for part in below for root in roots]
    faces = [face for rows in lists.values() for face in rows[:_ROOT_ROWS]]
    first = [face.sample.image_path for face in faces]
    for candidate in candidates:
        if any((candidate / path).is_file() for path in first):
            return candidate
    raise DataError(
        f"{place}: its pictures, {first[0] if first else 'none'} for one, are not in "
        f"{', '.join(map(str, roots))}: name their folder (--pictures)"
    )


def _read_list(path: Path) -> list[_Face]:
    lines = enumerate(read_lines(path), 1)
    faces = [_read_face(line, f"{path}, line {n}") for n, line in lines]
    count = len(faces[0].sample.points)
    for n, face in enumerate(faces, 1):
        if len(face.sample.points) != count:
            raise DataError(
                f"{path}, line {n}: {len(face.sample.points)} points, line 1 has {count}"
            )
    return faces


def _read_face(line: str, where: str) -> _Face:
    fields = line.split("\t")
    if len(fields) not in (6, 7):
        raise DataError(
            f"{where}: expected 6 or 7 columns with tabs between, found {len(fields)}: "
            "fetch the list anew (github.com/huangyangyu/ADNet)"
        )
    points = points_of(fields[2].split(","), f"{where}, column 3")
    if len(points) not in _LAYOUTS:
        known = ", ".join(map(str, _LAYOUTS))
        raise DataError(f"{where}, column 3: expected {known} points, found {len(points)}")
    scale, center_x, center_y = numbers(fields[3:6], f"{where}, columns 4 to 6").tolist()
    if scale <= 0:
        raise DataError(f"{where}, column 4: expected a scale above 0, found {scale}")
    tags = fields[6].split(",") if len(fields) == 7 and fields[6].strip() else []
    hidden, flags = _read_tags(tags, len(points), f"{where}, column 7")
    square = (center_x, center_y, scale * 200)
    picture = Path(_cleaned(picture_name(fields[0], f"{where}, column 1")))
    first_pixel = _FIRST_PIXEL_COFW if len(points) == COFW_29.count else 0.0
    face = Sample(picture, points, named_square=square, hidden=hidden, first_pixel=first_pixel)
    return _Face(face, flags)


def _read_tags(
    tags: list[str], landmarks: int, where: str
) -> tuple[np.ndarray | None, tuple[bool, ...]]:
    """Which landmarks are hidden, and the attributes, where the tags are one or the other."""
    if tags and len(tags) == landmarks:
        return numbers(tags, where) > 0.5, ()
    if landmarks == WFLW_98.count and len(tags) == len(ATTRIBUTES):
        return None, attribute_flags(tags, where)
    if tags:
        raise DataError(
            f"{where}: expected {landmarks} occlusions or, for WFLW, {len(ATTRIBUTES)} attributes, "
            f"found {len(tags)} values"
        )
    return None, ()


def _cleaned(name: str) -> str:
    """Without the folders of the computer that the list was made on."""
    return name.rpartition("wflw/rawImages/")[2].removeprefix("./").removeprefix("rawImages/")
