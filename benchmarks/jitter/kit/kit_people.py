"""Whose faces the kit shows: portraits that may be given away, with their landmarks."""

from collections.abc import Iterator
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
from train.synthetic.face import PhotographedFace, portrait_face

_LEAST_EYE_PX = 30.0
"""Smaller faces would be mostly blur."""
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")

Mesh = Float[np.ndarray, "vertices xyz=3"]


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


def people_in(folder: Path, count: int) -> list[KitPerson]:
    """So many people of a folder of portraits, evenly over its names; `base` finds landmarks.

    Raises:
        FaceTrackError: If there are not so many portraits with a face large enough.
    """
    if not folder.is_dir():
        raise FaceTrackError(f"{folder}: is no folder of portraits")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PICTURES)
    spread = sorted(range(len(paths)), key=_reversed_bits)
    people = list(islice(_found(paths[index] for index in spread), count))
    if len(people) < count:
        raise FaceTrackError(
            f"{folder}: has {len(people)} of {count} portraits with one face whose eyes are "
            f"{_LEAST_EYE_PX:.0f} px apart: add some, or ask for fewer by --people"
        )
    return people


def _reversed_bits(index: int) -> int:
    """Sorted by this, the first ones of a sequence lie evenly over it."""
    return int(f"{index:032b}"[::-1], 2)


def _found(paths: Iterator[Path]) -> Iterator[KitPerson]:
    tracker = FaceTracker(models.load_landmarker("base", "cpu"))
    for path in paths:
        image = read_picture(path)
        faces = tracker.detect(image)
        if len(faces) != 1:
            continue
        # A tenth of a pixel, so that a last digit that differs between machines does not matter.
        points = np.round(faces[0].landmarks.mean, 1)
        if IBUG_68.interocular(points) >= _LEAST_EYE_PX:
            face = PhotographedFace(image, points, IBUG_68)
            yield KitPerson(path.stem, face, f"{path.parent.name}/{path.name}")


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
