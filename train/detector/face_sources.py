"""The pictures that scenes are composed from, by the folders of the data.

`heads` and the annotated sources bring truth. What is unlabelled is labelled by YuNet where its
file is given, and counts as a face where our landmark network finds the same square; where the two
disagree, or YuNet doubts, the place is ignored in training: neither face nor background.
"""

import csv
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from train.datasets.data_error import DataError
from train.datasets.ibug import read_300w
from train.datasets.own import read_own

from .face_labels import Labels, Regions, label_of_landmarks, no_labels

UNLABELLED = ("unlabelled/utkface", "unlabelled/wild", "free/portraits", "helen29")
SCENES, EMPTY, HEADS = "scenes", "backgrounds", "free/heads"
SOURCES = ("300w", "ytf68", HEADS, *UNLABELLED, SCENES, EMPTY)
_HELD_OUT_ONE_IN, _EMPTY_HELD_OUT_ONE_IN = 10, 4


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture and what is known of its faces."""

    path: Path
    source: str
    group: str
    """Pictures of one photograph or person share it, over all sources."""
    labels: Labels = field(default_factory=no_labels)
    ignored: Regions = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    yaw_deg: float = float("nan")
    """Of a rendered head; positive: the face turns to the picture's right."""


def is_held_out(group: str) -> bool:
    """Whether training never sees it: one group in ten, by the name's checksum.

    Of the pictures without faces it is one in four, for there are few to count false alarms on.
    """
    one_in = _EMPTY_HELD_OUT_ONE_IN if group.startswith(EMPTY) else _HELD_OUT_ONE_IN
    return zlib.crc32(group.encode()) % one_in == 0


def entries(data: Path, source: str) -> list[Entry]:
    """The pictures of one source, with the labels that its own files give.

    Args:
        data: The folder that holds the sources.
        source: One of `SOURCES`.

    Raises:
        DataError: If it is not there, or damaged.
    """
    folder = data / source
    if not folder.is_dir():
        raise DataError(f"{folder}: not there")
    if source == "300w":
        return [
            Entry(s.image_path, source, f"photo/{Path(s.photograph).name}", _one(s.points))
            for s in read_300w(folder)
        ]
    if source in ("ytf68", HEADS):
        yaws = dict(_yaws(folder / "landmarks.csv")) if source == HEADS else {}
        return [
            Entry(
                s.image_path, source, _group(source, s.image_path), _one(s.points),
                yaw_deg=yaws.get(s.image_path.name, float("nan")),
            )
            for s in read_own(folder).splits["train"]
        ]  # fmt: skip
    paths = sorted(folder.glob("*.jpg"))
    return [Entry(path, source, _group(source, path)) for path in paths]


def _one(points: np.ndarray) -> Labels:
    return label_of_landmarks(points)[None]


def _yaws(path: Path) -> Iterator[tuple[str, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["picture"], float(row["yaw_deg"])


def _group(source: str, path: Path) -> str:
    stem = path.stem
    if source == "ytf68":
        return "person/" + re.sub(r"_\d+$", "", stem).removeprefix("t_")
    if source in ("unlabelled/wild", SCENES):
        return "event/" + re.sub(r"_f\d+$", "", stem)
    if source == "helen29":
        return "photo/" + re.sub(r"_[0-9]{1,2}$", "", stem)
    return f"{source}/{stem}"
