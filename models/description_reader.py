"""Reads what a weight file says about itself, and refuses what cannot be so.

Anybody can make a file's checksum, so types, ranges, indices and shapes are checked before anything
is allocated by them.
"""

import json
from dataclasses import fields
from itertools import pairwise
from typing import Any, get_args

from .architecture import FaceHeadsConfig, LandmarkNetConfig, NetworkBlock, NetworkHeatmap
from .covariance_law import PRESENCE_WEIGHTS, Calibration, SpreadLaw
from .description import CheckpointInfo

_MOST_CHARACTERS = 1_000_000
_MOST_TEXT = 20_000
_MOST_LANDMARKS = 1000
_MOST_OUTLINES = 200
_MOST_FIGURES = 1000
_INPUT_PX = (16, 1024)
_MARGIN = (0.5, 5.0)
_EXPONENT, _LOGARITHM = 20.0, 60.0
"""Largest absolute value of what a law multiplies logarithms by, and of a logarithm."""
_MOST_DEGREES = 1000.0
"""Of freedom: a Gaussian to every digit that matters."""
_LOGIT = 1e4
"""Largest absolute value of a weight in the log-odds of a face."""
_LARGEST = 1e300
_LAYOUT_KEYS = {"name", "count", "outlines", "mirror_pairs", "eye_corners", "has_eyes"}


def parse_description(text: str) -> dict[str, Any]:
    """The JSON dictionary of a weight file.

    Raises:
        ValueError: If it is none, too long or too deep.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"its description has {len(text)} characters, at most {_MOST_CHARACTERS}")
    try:
        described = json.loads(text)
    except RecursionError as error:
        raise ValueError("its description is nested too deeply") from error
    if not isinstance(described, dict):
        raise ValueError("its description is no dictionary")
    return described


def from_dictionary(described: object) -> CheckpointInfo:
    """The inverse of `description.as_dictionary`.

    Raises:
        ValueError: If it is no such dictionary, or says what cannot be so.
    """
    stored = _fields(described, "description", {field.name for field in fields(CheckpointInfo)})
    network = _architecture(stored["architecture"])
    input_px = _whole(stored["input_px"], "input_px", *_INPUT_PX)
    if input_px // network.stride < 2**network.depth:
        raise ValueError(f"input_px {input_px} is too small for {network.depth} halvings (depth)")
    figures = stored["figures"]
    if not isinstance(figures, dict) or len(figures) > _MOST_FIGURES:
        raise ValueError("figures is no dictionary, or has too many entries")
    margin = _real(stored["margin"], "margin", _MARGIN[1])
    if margin < _MARGIN[0]:
        raise ValueError(f"margin must be from {_MARGIN[0]} to {_MARGIN[1]}, got {margin}")
    return CheckpointInfo(
        architecture=network,
        layout=_text(stored["layout"], "layout"),
        input_px=input_px,
        margin=margin,
        colour=_one_of(stored["colour"], "colour", ("RGB", "BGR")),
        antialiased=_one_of(stored["antialiased"], "antialiased", (True, False)),
        trained_on=_text(stored["trained_on"], "trained_on"),
        licence=_text(stored["licence"], "licence"),
        figures={name: _figure(value, f"figures: {name[:40]}") for name, value in figures.items()},
        selected_on=_text(stored["selected_on"], "selected_on"),
        layout_table=_layout_table(stored["layout_table"], network.landmarks),
        horizontal_bias=_real(stored["horizontal_bias"], "horizontal_bias", 0.5),
        calibration=_calibration(stored["calibration"], network.landmarks),
    )


def _architecture(described: object) -> LandmarkNetConfig:
    names = {field.name for field in fields(LandmarkNetConfig)}
    if isinstance(described, dict):
        described = {"heads": None, **described}  # files of before lack it
    stored = _fields(described, "architecture", names)
    landmarks = _whole(stored["landmarks"], "landmarks", 1, _MOST_LANDMARKS)
    edges = _items(stored["edges"], "edges", 0, _MOST_OUTLINES)
    pools = _items(stored["stem_pools"], "stem_pools", 0, 3)
    stem_pools = tuple(_whole(layer, "stem_pools", 0, 2) for layer in pools)
    if any(after <= before for before, after in pairwise(stem_pools)):
        raise ValueError(f"stem_pools must rise, got {stem_pools}")
    return LandmarkNetConfig(
        landmarks=landmarks,
        edges=tuple(_indices(edge, "edges", landmarks) for edge in edges),
        stacks=_whole(stored["stacks"], "stacks", 1, 16),
        width=_whole(stored["width"], "width", 2, 1024),
        stem_width=_whole(stored["stem_width"], "stem_width", 1, 512),
        depth=_whole(stored["depth"], "depth", 1, 8),
        attention=_one_of(stored["attention"], "attention", (True, False)),
        heatmap=_one_of(stored["heatmap"], "heatmap", get_args(NetworkHeatmap)),
        block=_one_of(stored["block"], "block", get_args(NetworkBlock)),
        stem_pools=stem_pools,
        heads=_heads(stored["heads"], landmarks),
    )


def _heads(described: object, landmarks: int) -> FaceHeadsConfig | None:
    if described is None:
        return None
    stored = _fields(described, "heads", {field.name for field in fields(FaceHeadsConfig)})
    parts = _items(stored["parts"], "heads: parts", 1, _MOST_OUTLINES)
    return FaceHeadsConfig(
        parts=tuple(_indices(part, "heads: parts", landmarks) for part in parts),
        hidden=_whole(stored["hidden"], "heads: hidden", 1, 1024),
        descriptor=_whole(stored["descriptor"], "heads: descriptor", 1, 1024),
    )


def _calibration(described: object, landmarks: int) -> Calibration | None:
    if described is None:
        return None
    names = {field.name for field in fields(Calibration)}
    if isinstance(described, dict):
        described = {"error_degrees_of_freedom": None, **described}  # files of before lack it
    stored = _fields(described, "calibration", names)
    presence = _items(stored["presence"], "presence", PRESENCE_WEIGHTS, PRESENCE_WEIGHTS)
    return Calibration(
        eye_corners=_pair(stored["eye_corners"], "eye_corners", landmarks),
        absolute=_law(stored["absolute"], "absolute", landmarks),
        measurement_noise=_law(stored["measurement_noise"], "measurement_noise", landmarks),
        error_degrees_of_freedom=_degrees_of_freedom(stored["error_degrees_of_freedom"]),
        presence=tuple(_real(weight, "presence", _LOGIT) for weight in presence),
    )


def _degrees_of_freedom(stored: object) -> float | None:
    if stored is None:
        return None
    degrees = _real(stored, "error_degrees_of_freedom", _MOST_DEGREES)
    if degrees <= 2:
        raise ValueError(f"error_degrees_of_freedom must be over 2, got {degrees}")
    return degrees


def _law(described: object, what: str, landmarks: int) -> SpreadLaw:
    if isinstance(described, dict):
        described = {"confidence": 0.0, "usual_log_odds": 0.0, **described}  # files of before
    stored = _fields(described, what, {field.name for field in fields(SpreadLaw)})
    rows = _items(stored["usual"], f"{what}: usual", landmarks, landmarks)
    parts = tuple(
        _indices(part, f"{what}: parts", landmarks)
        for part in _items(stored["parts"], f"{what}: parts", 1, _MOST_LANDMARKS)
    )
    if len({landmark for part in parts for landmark in part}) != landmarks:
        raise ValueError(f"{what}: parts must hold every landmark")
    exponents = {
        name: _real(stored[name], f"{what}: {name}", _EXPONENT)
        for name in ("own", "part", "face", "shape", "confidence")
    }
    return SpreadLaw(
        **exponents,
        usual_level=_real(stored["usual_level"], f"{what}: usual_level", _LOGARITHM),
        usual_log_odds=_real(stored["usual_log_odds"], f"{what}: usual_log_odds", _LOGARITHM),
        usual=tuple(_law_row(row, f"{what}: usual") for row in rows),
        parts=parts,
    )


def _law_row(row: object, what: str) -> tuple[float, float, float]:
    level, half, xy = (_real(value, what, _LOGARITHM) for value in _items(row, what, 3, 3))
    return level, half, xy


def _layout_table(stored: object, landmarks: int) -> dict[str, Any]:
    """As `tracker.layouts.layout_table` writes it; empty where the layout is a published one."""
    if stored == {}:
        return {}
    table = _fields(stored, "layout_table", _LAYOUT_KEYS)
    _text(table["name"], "layout_table: name")
    _one_of(table["has_eyes"], "layout_table: has_eyes", (True, False))
    if _whole(table["count"], "layout_table: count", 1, _MOST_LANDMARKS) != landmarks:
        raise ValueError(f"layout_table: count must be {landmarks}, got {table['count']}")
    for outline in _items(table["outlines"], "layout_table: outlines", 0, _MOST_OUTLINES):
        one = _fields(outline, "layout_table: outlines", {"name", "members", "closed"})
        _text(one["name"], "layout_table: outlines: name")
        _one_of(one["closed"], "layout_table: outlines: closed", (True, False))
        _indices(one["members"], "layout_table: outlines: members", landmarks)
    for pair in _items(table["mirror_pairs"], "layout_table: mirror_pairs", 0, landmarks):
        _pair(pair, "layout_table: mirror_pairs", landmarks)
    _pair(table["eye_corners"], "layout_table: eye_corners", landmarks)
    return table


def _fields(stored: object, what: str, names: set[str]) -> dict[str, Any]:
    """A dictionary with exactly these keys."""
    if not isinstance(stored, dict):
        raise ValueError(f"{what} must be a dictionary, got {_shown(stored)}")
    if stored.keys() != names:
        wrong = ", ".join(sorted(stored.keys() ^ names)[:3])
        raise ValueError(f"{what} lacks keys, or has others: {wrong[:80]}")
    return stored


def _items(stored: object, what: str, least: int, most: int) -> list[Any]:
    if not isinstance(stored, list) or not least <= len(stored) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        raise ValueError(f"{what} must be a list of {count}, got {_shown(stored)}")
    return stored


def _indices(stored: object, what: str, landmarks: int) -> tuple[int, ...]:
    """Landmarks, one at least."""
    return tuple(
        _whole(index, what, 0, landmarks - 1) for index in _items(stored, what, 1, _MOST_LANDMARKS)
    )


def _pair(stored: object, what: str, landmarks: int) -> tuple[int, int]:
    one, other = _indices(_items(stored, what, 2, 2), what, landmarks)
    return one, other


def _whole(value: object, what: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(
            f"{what} must be a whole number from {least} to {most}, got {_shown(value)}"
        )
    return value


def _real(value: object, what: str, most: float) -> float:
    if not abs(number := _figure(value, what)) <= most:
        raise ValueError(f"{what} must be from {-most:g} to {most:g}, got {_shown(value)}")
    return number


def _figure(value: object, what: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= _LARGEST:
        raise ValueError(f"{what} must be a finite number, got {_shown(value)}")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise ValueError(f"{what} must be a text of at most {_MOST_TEXT} characters")
    return value


def _one_of(value: Any, what: str, choices: tuple[Any, ...]) -> Any:
    if type(value) is not type(choices[0]) or value not in choices:
        named = ", ".join(map(str, choices))
        raise ValueError(f"{what} must be one of {named}, got {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """Short enough for a message of one line."""
    if isinstance(value, list | dict):
        return f"a {type(value).__name__} of {len(value)}"
    return repr(value)[:40]
