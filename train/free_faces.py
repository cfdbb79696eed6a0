r"""Labels for portraits that anyone may use, by a teacher that anyone may use: no 300W in either.

    python -m train.free_faces --data data --mesh face_landmarker.task --output free_portraits.npz

MediaPipe's Face Landmarker finds the mesh both ways round; `free/mesh_to_68.csv`, fitted on
rendered heads, says which vertex is which of the 68 landmarks and how far beside it the landmark
lies. With the rendered heads of `free/heads`, whose truth is exact, these are the faces that
`lite-free` is trained on:

    python -m train.fit --data data/free/heads --pseudo-labels free_portraits.npz \
        --config lite-free --run-folder runs/lite-free

An `--output` that ends in .csv holds the same faces as annotations, for `train.calibrate`.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from rich.console import Console

from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68

from .datasets import DataError, Sample, write_pseudo_labels
from .datasets.own import write_own
from .mesh_teacher import FaceMesh, MeshPair, find_meshes

_EYE_CORNERS = [33, 263]
"""Vertices of the mesh: of the eye on the left of the picture, and of the other."""
_LAST_WITH_OFFSET = 26
"""Jaw and brows lie beside the mesh's vertices; eyes, nose and mouth on them."""
_DOUBTFUL = 0.05
"""Distance between both ways round, in eye distances, at which a landmark counts half."""
_WRONG = 0.12
"""Mean of these distances from which on a face is left out."""


@dataclass(frozen=True, slots=True)
class VertexMap:
    """Which vertex of the mesh is which landmark."""

    vertices: Int[np.ndarray, " landmarks"]
    offsets: Float[np.ndarray, "landmarks along_across=2"]
    """Units of the distance between the eyes' outer corners, along it and at a right angle."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises DataError if the file is missing or has other columns."""
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            vertices = np.array([int(row["mesh_vertex"]) for row in rows])
            offsets = np.array([[float(row[c]) for c in ("along_eyes", "across")] for row in rows])
        except (OSError, KeyError, ValueError) as error:
            raise DataError(f"{path}: does not map the mesh to 68 landmarks ({error})") from error
        if len(rows) != IBUG_68.count:
            raise DataError(f"{path}: has {len(rows)} landmarks, not {IBUG_68.count}")
        offsets[_LAST_WITH_OFFSET + 1 :] = 0
        return cls(vertices, offsets)

    def __call__(
        self, mesh: Float[np.ndarray, "points xyz=3"]
    ) -> Float[np.ndarray, "landmarks xy=2"]:
        """Landmarks in the picture, in the unit of the mesh."""
        one, other = mesh[_EYE_CORNERS]
        across_face = np.linalg.norm(other - one)
        along = (other - one)[:2] / np.linalg.norm((other - one)[:2])
        axes = across_face * np.stack([along, [-along[1], along[0]]])
        landmarks: np.ndarray = mesh[self.vertices, :2] + self.offsets @ axes
        return landmarks


def both_ways(
    vertex_map: VertexMap, pair: MeshPair
) -> tuple[Float[np.ndarray, "landmarks xy=2"], Float[np.ndarray, " landmarks"]]:
    """Landmarks in pixels, and how far both ways round lie apart, in eye distances."""
    as_seen = vertex_map(pair.mesh)
    mirror = np.array([-1.0, 1.0])
    back = (vertex_map(pair.in_mirror * np.append(mirror, 1.0)) * mirror)[IBUG_68.mirror]
    points = (as_seen + back) / 2
    eyes = IBUG_68.interocular(points[None])[0]
    return points, np.linalg.norm(as_seen - back, axis=-1) / eyes


def label(portraits: Path, vertex_map: VertexMap, mesh_of: FaceMesh) -> list[Sample]:
    """The faces of a folder on which the teacher agrees with itself in the mirror.

    Args:
        portraits: Folder of pictures, one face each.
        vertex_map: From the mesh to the landmarks.
        mesh_of: The teacher.

    Raises:
        DataError: If no picture is there, or one cannot be read.
    """
    pictures = sorted(portraits.glob("*.jpg"))
    if not pictures:
        raise DataError(f"{portraits}: no pictures there")
    unlabelled = [Sample(path, np.zeros((IBUG_68.count, 2))) for path in pictures]
    labelled = []
    for pair in find_meshes(mesh_of, unlabelled):
        points, apart = both_ways(vertex_map, pair)
        if apart.mean() < _WRONG:
            certainty = 1 / (1 + (apart / _DOUBTFUL) ** 2)
            labelled.append(Sample(pair.sample.image_path, points, certainty=certainty))
    return labelled


def main() -> None:
    """Parse flags and label."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with `free` in it")
    parser.add_argument("--mesh", type=Path, required=True, help="face_landmarker.task")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="labels to train on (.npz), or annotations to calibrate on (.csv)",
    )
    arguments = parser.parse_args()
    free = arguments.data / "free"
    try:
        vertex_map = VertexMap.read(free / "mesh_to_68.csv")
        labelled = label(free / "portraits", vertex_map, FaceMesh(arguments.mesh))
        if arguments.output.suffix == ".csv":
            write_own(arguments.output, labelled)
        else:
            write_pseudo_labels(arguments.output, labelled)
    except FaceTrackError as error:
        parser.exit(2, f"error: {error}\n")
    Console().print(f"{arguments.output}: {len(labelled)} faces", highlight=False)


if __name__ == "__main__":
    main()
