import numpy as np
import pytest
import torch
from fakes import FIXTURES

from tracker.layouts import COFW_29, IBUG_68, WFLW_98
from train.label_maps import FULL_STROKE, edge_maps, point_maps

LAYOUTS = {"WFLW": WFLW_98, "300W": IBUG_68, "COFW": COFW_29}


@pytest.mark.parametrize("name", LAYOUTS)
def test_point_maps_equal_the_authors_drawing(name: str) -> None:
    expected = np.load(FIXTURES / "labels.npz")
    drawn = point_maps(torch.from_numpy(expected[f"{name}/points"])[None], 256)[0]
    np.testing.assert_allclose(drawn, expected[f"{name}/pointmap"], atol=1e-6)


@pytest.mark.parametrize("name", LAYOUTS)
def test_edge_maps_equal_the_authors_drawing(name: str) -> None:
    expected = np.load(FIXTURES / "labels.npz")
    drawn = edge_maps(expected[f"{name}/points"], LAYOUTS[name], 256) / FULL_STROKE
    np.testing.assert_allclose(drawn, expected[f"{name}/edgemap"], atol=1e-6)


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(np.full((68, 2), 30.0), id="all-in-one-place"),
        pytest.param(np.full((68, 2), -500.0), id="outside"),
        pytest.param(np.full((68, 2), 1e4), id="far-outside"),
        pytest.param(np.linspace(-50, 400, 136).reshape(68, 2), id="on-a-line-through"),
    ],
)
def test_unusual_faces_are_drawn_without_complaint(points: np.ndarray) -> None:
    strokes = edge_maps(points, IBUG_68, 128)
    assert strokes.shape == (9, 32, 32)
    assert strokes.max() <= FULL_STROKE
    dots = point_maps(torch.from_numpy(points)[None], 128)
    assert torch.isfinite(dots).all()


def test_a_stroke_passes_through_its_landmarks(rng: np.random.Generator) -> None:
    points = rng.uniform(20, 108, (68, 2))
    strokes = edge_maps(points, IBUG_68, 128)
    for stroke, outline in zip(strokes, IBUG_68.outlines, strict=True):
        for x, y in points[list(outline.members)]:
            column, row = int((x + 0.5) / 4), int((y + 0.5) / 4)
            around = stroke[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            assert around.max() > 0
