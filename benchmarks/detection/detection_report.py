"""Shows every picture to every detector, and tables what came of it."""

import statistics
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.table import Table

from train.detector.face_labels import Labels, roll_of

from .compared_detectors import ComparedDetector, Find
from .detection_pictures import PHOTOGRAPHS, ShownPicture
from .detection_scores import DetectionTally, match

SIDE_BORDERS_PX = (14, 20, 30, 60, 100, 150, 321)
"""Of the rows by size."""
_COUNTS_ALARMS = ("without faces", "cases/small_faces.jpg")
"""Kinds of pictures all of whose faces are known."""
BY_SIZE = "composed, upright"
"""The kind of picture whose faces are grouped by size."""
_PHOTOGRAPHS_BORDERS_PX = (12, 20, 40, 60, 100, 1000)
"""The same of real pictures of crowds, in which there are fewer."""


@dataclass
class Result:
    """One detector's."""

    tallies: dict[str, DetectionTally] = field(default_factory=lambda: defaultdict(DetectionTally))
    """By row."""
    pictures: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Shown, by kind."""
    extra: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Finds that are no known face's, by kind."""
    milliseconds: list[float] = field(default_factory=list)


def show(
    pictures: Iterable[ShownPicture], detectors: list[ComparedDetector], results: dict[str, Result]
) -> None:
    """Let every detector see every picture, picture by picture, and add up."""
    for picture in pictures:
        rolls = np.array([roll_of(label) for label in picture.labels])
        for detector in detectors:
            result = results[detector.name]
            matched = match(picture.labels[:, :3], rolls, detector.find(picture.image))
            result.pictures[picture.kind] += 1
            result.extra[picture.kind] += matched.extra
            for row in (picture.kind, *picture.groups):
                result.tallies[row].add(matched.found, matched.roll_errors_deg)
            if picture.kind == BY_SIZE:
                for row, chosen in _by_size(picture.labels):
                    result.tallies[row].add(matched.found[chosen], np.zeros(0))
            if picture.kind == PHOTOGRAPHS:
                for size, chosen in _by_size(picture.labels, _PHOTOGRAPHS_BORDERS_PX):
                    row = f"photographs, {size}"
                    result.tallies[row].add(matched.found[chosen], np.zeros(0))


def _by_size(
    labels: Labels, borders: tuple[int, ...] = SIDE_BORDERS_PX
) -> list[tuple[str, np.ndarray]]:
    low, high = borders[:-1], borders[1:]
    return [
        (f"{a}-{b - 1 if b == 321 else b} px", (labels[:, 2] >= a) & (labels[:, 2] < b))
        for a, b in zip(low, high, strict=True)
    ]


def time_in_turns(
    pictures: list[ShownPicture], detectors: list[ComparedDetector], results: dict[str, Result]
) -> None:
    """Milliseconds a picture; the detectors take turns, so that a disturbance hits all alike."""
    for picture in pictures:
        for detector in detectors:
            results[detector.name].milliseconds.append(_timed(detector.find, picture))


def _timed(find: Find, picture: ShownPicture) -> float:
    began = time.perf_counter()
    find(picture.image)
    return 1e3 * (time.perf_counter() - began)


def summary(results: dict[str, Result]) -> list[dict[str, Any]]:
    """What JSON keeps, a dictionary a detector."""
    return [
        {
            "detector": name,
            "median_ms": _rounded(statistics.median(result.milliseconds or [float("nan")])),
            "fastest_tenth_ms": _rounded(float(np.percentile(result.milliseconds or [np.nan], 10))),
            "found": {
                row: {
                    "faces": tally.shown,
                    "recall": round(tally.recall, 4),
                    "median_roll_error_deg": _median(tally.roll_errors_deg),
                }
                for row, tally in result.tallies.items()
                if tally.shown
            },
            "false_alarms": {
                kind: {"pictures": count, "finds": result.extra[kind]}
                for kind, count in result.pictures.items()
            },
        }
        for name, result in results.items()
    ]


def _rounded(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None


def _median(values: list[float]) -> float | None:
    finite = [value for value in values if np.isfinite(value)]
    return round(statistics.median(finite), 1) if finite else None


def table(rows: list[dict[str, Any]]) -> Table:
    """A column a detector: recall in percent, false alarms, milliseconds."""
    head, *lines = _cells(rows)
    shown = Table(*head)
    for column in shown.columns[1:]:
        column.justify = "right"
    for line in lines:
        shown.add_row(*line)
    return shown


def markdown(rows: list[dict[str, Any]]) -> str:
    """The same for a page."""
    head, *lines = _cells(rows)
    ruled = [head, ["---", *["--:"] * (len(head) - 1)], *lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in ruled)


def _cells(rows: list[dict[str, Any]]) -> list[list[str]]:
    lines = [["share of faces found, %", "faces", *(row["detector"] for row in rows)]]
    for name, first in rows[0]["found"].items():
        cells = [f"{100 * row['found'][name]['recall']:.1f}" for row in rows]
        lines.append([name, str(first["faces"]), *cells])
    for name in rows[0]["false_alarms"]:
        if name in _COUNTS_ALARMS:
            count = rows[0]["false_alarms"][name]["pictures"]
            alarms = [str(row["false_alarms"][name]["finds"]) for row in rows]
            lines.append([f"false alarms in {count} pictures, {name}", "", *alarms])
    times = [f"{row['median_ms'] or 0:.1f}" for row in rows]
    lines.append(["median ms a picture 1,024 px wide", "", *times])
    return lines
