"""People for virtual scenes: stills of one video of YouTube Faces, and clips of rendered heads."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tracker.errors import FaceTrackError
from tracker.types import Image, Points
from train.datasets.person import is_held_out, person_of

_LANDMARKS = 68


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture of a person."""

    image: Image
    points: Points
    """Its 68 landmarks, pixels of the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Several views of one person, in the order of the video they are from."""

    name: str
    views: list[View]


HALVES = ("report", "tune")
"""Figures are of the first; what the tracker believes may be set on the second."""


def held_out_people(data: Path, half: str, least_views: int = 6) -> list[Person]:
    """Half of the people of YouTube Faces whom no network of ours was trained on, by name.

    Args:
        data: The folder with `ytf68`.
        half: One of `HALVES`.
        least_views: Of every person.

    Raises:
        FaceTrackError: If the folder is not there.
    """
    folder = data / "ytf68"
    try:
        lines = (folder / "landmarks.csv").read_text(encoding="utf-8").splitlines()[1:]
    except OSError as error:
        raise FaceTrackError(f"{folder}: no stills of people here: name a folder") from error
    by_person: dict[str, list[list[str]]] = defaultdict(list)
    for row in csv.reader(sorted(lines)):
        person = person_of(Path(row[0]))
        if is_held_out(person):
            by_person[person].append(row)
    known = [name for name, rows in sorted(by_person.items()) if len(rows) >= least_views]
    chosen = known[1 - HALVES.index(half) :: 2]
    return [Person(name, [_view(folder, row) for row in by_person[name]]) for name in chosen]


def _view(folder: Path, row: list[str]) -> View:
    image = cv2.imread(str(folder / row[0]))
    if image is None:
        raise FaceTrackError(f"{folder / row[0]}: not a picture: fetch it anew")
    points = np.array(row[1 : 1 + 2 * _LANDMARKS], float).reshape(-1, 2)
    return View(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), points)


def rendered_person(clip: Path) -> Person:
    """A rendered head in motion: every frame of a clip and its true landmarks.

    Raises:
        FaceTrackError: If the clip or its table cannot be read.
    """
    try:
        with clip.with_suffix(".csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise FaceTrackError(f"{clip}: no clip with a table beside it here") from error
    film, views = cv2.VideoCapture(str(clip)), []
    for row in rows:
        is_there, image = film.read()
        if not is_there:
            break
        points = np.array([[float(row[f"{a}_{i}"]) for a in "xy"] for i in range(_LANDMARKS)])
        views.append(View(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), points))
    film.release()
    if not views:
        raise FaceTrackError(f"{clip}: holds no frames")
    return Person(clip.stem, views)
