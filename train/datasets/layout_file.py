"""A layout of one's own, written down in `layout.toml`.

    name = "cat-9"
    points = ["right eye", "left eye", "nose", ...]
    mirror = [["right eye", "left eye"], ...]    # what swaps in a mirror; [] where nothing does
    normaliser = ["right eye", "left eye"]       # errors are shares of their distance
    [[outlines]]                                 # drawn as a line; may be left out
    name = "mouth"
    points = ["right corner", "upper lip", "left corner", "lower lip"]
    closed = true

"Right" is the face's own, in `normaliser` it comes first.
"""

import tomllib
from pathlib import Path
from typing import Any

from tracker.layouts import LAYOUTS, Layout, Outline

from .data_error import DataError

_NEEDED = ("name", "points", "mirror", "normaliser")
_OUTLINE_NEEDED, _OUTLINE_KEYS = ("name", "points"), ("name", "points", "closed")

Names = dict[str, int]
"""The index of each point by its name."""


def read_layout(path: Path) -> Layout:
    """The layout that a file describes.

    Raises:
        DataError: If the file cannot be read or what it says is no layout.
    """
    table = _read_table(path)
    _check_keys(table, _NEEDED, (*_NEEDED, "outlines"), str(path))
    names = _point_names(table["points"], path)
    layout = Layout(
        name=_text(table["name"], f"{path}: name"),
        count=len(names),
        outlines=_outlines(table.get("outlines", []), names, path),
        mirror_pairs=_mirror_pairs(table["mirror"], names, path),
        eye_corners=_pair(table["normaliser"], names, f"{path}: normaliser"),
    )
    if layout.name in LAYOUTS:
        raise DataError(f"{path}: name: '{layout.name}' is a layout of ours: choose another name")
    return layout


def read_point_names(path: Path) -> list[str]:
    """The names of its points, in their order.

    Raises:
        DataError: If the file cannot be read or has none.
    """
    return list(_point_names(_read_table(path).get("points"), path))


def _read_table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text: save it as such") from error
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path}: not TOML: {error}") from error


def _check_keys(
    table: dict[str, Any], needed: tuple[str, ...], known: tuple[str, ...], where: str
) -> None:
    for key in needed:
        if key not in table:
            raise DataError(f"{where}: the key '{key}' is missing")
    for key in table:
        if key not in known:
            raise DataError(f"{where}: unknown key '{key}': known are {', '.join(known)}")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{where}: expected a name in quotes, found {value!r}")
    return value


def _list(value: object, where: str, at_least: int = 0) -> list[Any]:
    if not isinstance(value, list) or len(value) < at_least:
        raise DataError(f"{where}: expected a list of {at_least} or more, found {value!r}")
    return value


def _point_names(value: object, path: Path) -> Names:
    where = f"{path}: points"
    names = [_text(name, where) for name in _list(value, where, 2)]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise DataError(f"{where}: '{name}' is there twice")
    return {name: i for i, name in enumerate(names)}


def _indices(value: object, names: Names, where: str, at_least: int) -> tuple[int, ...]:
    members = _list(value, where, at_least)
    for name in members:
        if not isinstance(name, str) or name not in names:
            raise DataError(f"{where}: {name!r} is not among the points")
    return tuple(names[name] for name in members)


def _pair(value: object, names: Names, where: str) -> tuple[int, int]:
    indices = _indices(value, names, where, 2)
    if len(indices) != 2 or indices[0] == indices[1]:
        raise DataError(f"{where}: expected two different points, found {value!r}")
    return indices[0], indices[1]


def _mirror_pairs(value: object, names: Names, path: Path) -> tuple[tuple[int, int], ...]:
    where = f"{path}: mirror"
    pairs = tuple(_pair(pair, names, where) for pair in _list(value, where))
    members = [member for pair in pairs for member in pair]
    for name, index in names.items():
        if members.count(index) > 1:
            raise DataError(f"{where}: '{name}' is in more than one pair")
    return pairs


def _outlines(value: object, names: Names, path: Path) -> tuple[Outline, ...]:
    where = f"{path}: outlines"
    return tuple(_outline(table, names, where) for table in _list(value, where))


def _outline(table: object, names: Names, where: str) -> Outline:
    if not isinstance(table, dict):
        raise DataError(f"{where}: expected [[outlines]] tables, found {table!r}")
    _check_keys(table, _OUTLINE_NEEDED, _OUTLINE_KEYS, where)
    closed = table.get("closed", False)
    if not isinstance(closed, bool):
        raise DataError(f"{where}: closed: expected true or false, found {closed!r}")
    members = _indices(table["points"], names, f"{where}: points", 2)
    return Outline(_text(table["name"], f"{where}: name"), members, closed)
