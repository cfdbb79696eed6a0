"""Labels without 300W."""

from pathlib import Path

import numpy as np
import pytest

from tracker.layouts import IBUG_68
from train.datasets import DataError, Sample
from train.free_faces import VertexMap, both_ways
from train.mesh_teacher import MeshPair

_ONE, _OTHER = 33, 263
"""Vertices of the eyes' outer corners."""


def _write(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(["landmark,mesh_vertex,along_eyes,across", *rows]) + "\n")
    return path


def _mesh(rng: np.random.Generator) -> np.ndarray:
    mesh = rng.uniform(40, 60, (478, 3))
    mesh[_ONE], mesh[_OTHER] = (40, 50, 0), (60, 50, 0)
    return mesh


def test_an_offset_is_along_and_across_the_eyes(tmp_path: Path, rng: np.random.Generator) -> None:
    rows = [f"{i},{i},0.1,0.5" for i in range(68)]
    vertex_map = VertexMap.read(_write(tmp_path / "map.csv", rows))
    mesh = _mesh(rng)
    points = vertex_map(mesh)
    np.testing.assert_allclose(points[:27], mesh[:27, :2] + [2, 10])  # of 20 px, x right, y down
    np.testing.assert_allclose(points[27:], mesh[27:68, :2])  # eyes, nose and mouth: the vertex
    turned = mesh.copy()
    turned[:, 0], turned[:, 1] = -mesh[:, 1], mesh[:, 0]  # a quarter turn, x to y
    np.testing.assert_allclose(vertex_map(turned)[:, 0], -points[:, 1])
    np.testing.assert_allclose(vertex_map(turned)[:, 1], points[:, 0])


def test_a_teacher_that_sees_the_same_in_the_mirror_agrees_with_itself(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    # Vertex 300 + i is landmark i, and in the mirror its partner; so are the eyes' corners.
    mesh = rng.uniform(0, 100, (478, 3))
    in_mirror = mesh.copy()
    in_mirror[300:368] = mesh[300:368][IBUG_68.mirror]
    in_mirror[[_ONE, _OTHER]] = mesh[[_OTHER, _ONE]]
    vertex_map = VertexMap.read(
        _write(tmp_path / "map.csv", [f"{i},{300 + i},0,0" for i in range(68)])
    )
    landmarks = mesh[300:368, :2]
    points, apart = both_ways(vertex_map, MeshPair(Sample(Path(), landmarks), mesh, in_mirror))
    np.testing.assert_allclose(points, landmarks)
    np.testing.assert_allclose(apart, 0, atol=1e-12)


@pytest.mark.parametrize("rows", [["0,1,0.1,0"], ["0,one,0,0"] * 68])
def test_a_map_of_something_else_is_refused(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(DataError, match="map"):
        VertexMap.read(_write(tmp_path / "map.csv", rows))
