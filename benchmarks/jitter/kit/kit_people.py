"""Whose faces the kit shows: portraits that may be given away, with their landmarks."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float

import models
from tracker.errors import FaceTrackError
from tracker.face_tracker import FaceTracker
from tracker.io.picture_reader import read_picture
from tracker.layouts import IBUG_68
from tracker.types import Image
from train.synthetic.face import PhotographedFace, portrait_face

_LEAST_EYE_PX = 30.0
"""Smaller faces would be mostly blur."""
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")

Mesh = Float[np.ndarray, "vertices xyz=3"]
FindMesh = Callable[[Image], Mesh | None]
"""Of the face nearest to the middle of a picture, in its pixels, z away from the camera."""


@dataclass(frozen=True, slots=True, eq=False)
class KitPerson:
    """Somebody who is filmed."""

    name: str
    face: PhotographedFace
    source: str
    """Where the picture is from, and by whose leave it may be given away."""
    mesh: Mesh | None = None
    """MediaPipe's face mesh on the picture, pixels, z away from the camera; None: cannot turn."""


def free_people() -> list[KitPerson]:
    """Two people in the public domain, whose pictures come with packages.

    Raises:
        FaceTrackError: If scikit-image is not installed.
    """
    hopper = KitPerson(
        "hopper",
        portrait_face(),
        "Grace Hopper, by the US Navy, in the public domain; part of this project",
        _stored_mesh("hopper"),
    )
    collins = KitPerson(
        "collins",
        PhotographedFace(_astronaut(), np.array(_COLLINS, float).reshape(-1, 2), IBUG_68),
        "Eileen Collins, by NASA, in the public domain; shipped by scikit-image",
        _stored_mesh("collins"),
    )
    return [hopper, collins]


def _astronaut() -> np.ndarray:
    try:
        return read_picture(Path(str(resources.files("skimage") / "data" / "astronaut.png")))
    except ModuleNotFoundError as error:
        raise FaceTrackError(
            "one of the kit's portraits is shipped by scikit-image, which is not installed: "
            "pip install scikit-image, or name portraits of your own by --faces DIR"
        ) from error


def _stored_mesh(name: str) -> Mesh:
    return np.loadtxt(Path(__file__).parent / f"{name}_mesh.csv", delimiter=",", skiprows=1)


def people_in(
    folder: Path, count: int | None, chosen: Path | None = None, mesh_of: FindMesh | None = None
) -> list[KitPerson]:
    """So many people of a folder of portraits; `base` finds their landmarks.

    Args:
        folder: Of the portraits.
        count: How many; None: all that are chosen.
        chosen: A CSV with the columns `portrait` and `source` that says which; None: evenly over
            the folder's names.
        mesh_of: Gives them depth, without which they cannot turn.

    Raises:
        FaceTrackError: If there are not so many portraits with a face large enough.
    """
    if not folder.is_dir():
        raise FaceTrackError(f"{folder}: is no folder of portraits")
    portraits = _evenly(folder) if chosen is None else _chosen(folder, chosen)
    count = len(portraits) if count is None else count
    people = list(islice(_found(portraits, mesh_of), count))
    if len(people) < count:
        raise FaceTrackError(
            f"{chosen or folder}: has {len(people)} of {count} portraits with one face whose eyes "
            f"are {_LEAST_EYE_PX:.0f} px apart: add some, or ask for fewer by --people"
        )
    return people


def _evenly(folder: Path) -> list[tuple[Path, str]]:
    """All portraits with their sources; the first ones lie evenly over the names."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PICTURES)
    spread = [paths[index] for index in sorted(range(len(paths)), key=_reversed_bits)]
    return [(path, f"{folder.name}/{path.name}") for path in spread]


def _chosen(folder: Path, table: Path) -> list[tuple[Path, str]]:
    try:
        with table.open(encoding="utf-8", newline="") as lines:
            rows = [(folder / row["portrait"], row["source"]) for row in csv.DictReader(lines)]
    except (OSError, KeyError) as error:
        raise FaceTrackError(
            f"{table}: is no list of people ({error}): it needs the columns portrait,source"
        ) from error
    missing = [path.name for path, _ in rows if not path.is_file()]
    if missing:
        raise FaceTrackError(f"{folder}: has no {', '.join(missing)}, which {table.name} names")
    return rows


def _reversed_bits(index: int) -> int:
    """Sorted by this, the first ones of a sequence lie evenly over it."""
    return int(f"{index:032b}"[::-1], 2)


def _found(portraits: Iterable[tuple[Path, str]], mesh_of: FindMesh | None) -> Iterator[KitPerson]:
    tracker = FaceTracker(models.load_landmarker("base", "cpu"))
    for path, source in portraits:
        image = read_picture(path)
        faces = tracker.detect(image)
        if len(faces) != 1:
            continue
        # A tenth of a pixel, so that a last digit that differs between machines does not matter.
        points = np.round(faces[0].landmarks.mean, 1)
        if IBUG_68.interocular(points) >= _LEAST_EYE_PX:
            mesh = mesh_of(image) if mesh_of else None
            face = PhotographedFace(image, points, IBUG_68)
            yield KitPerson(path.stem, face, source, None if mesh is None else np.round(mesh, 1))


# Found by models/weights/lite-300w on the still picture.
# fmt: off
_COLLINS = (
    179.6, 101.5, 179.2, 113.7, 180.9, 125.5, 182.4, 136.9, 185.0, 148.8, 191.2, 159.7,
    199.7, 168.5, 209.9, 175.6, 221.7, 178.3, 233.6, 176.9, 244.7, 170.9, 254.8, 162.3,
    262.2, 152.3, 266.5, 141.3, 269.0, 129.9, 271.2, 118.4, 272.0, 106.0, 186.5, 92.3,
    193.0, 87.8, 201.2, 87.2, 209.2, 89.0, 217.0, 92.3, 235.5, 92.9, 243.3, 90.8,
    251.7, 90.3, 259.8, 92.0, 265.7, 97.1, 225.7, 102.1, 225.2, 110.5, 225.2, 118.8,
    225.3, 127.3, 214.6, 130.4, 219.3, 132.2, 224.4, 134.2, 229.5, 132.7, 234.2, 131.0,
    195.4, 101.0, 201.0, 97.9, 207.5, 98.4, 212.6, 103.5, 206.6, 104.6, 199.9, 104.0,
    238.0, 104.8, 243.5, 100.1, 250.3, 100.4, 255.5, 104.2, 250.5, 106.5, 243.8, 106.4,
    201.9, 139.5, 209.7, 139.0, 217.9, 139.4, 223.6, 140.8, 229.5, 139.8, 237.4, 139.8,
    245.2, 140.7, 237.9, 151.4, 229.4, 155.9, 223.0, 156.3, 216.7, 155.4, 208.2, 150.6,
    204.4, 140.6, 217.6, 142.5, 223.5, 143.5, 229.4, 142.9, 242.6, 141.6, 229.2, 149.8,
    223.2, 150.6, 217.1, 149.9,
)
# fmt: on
