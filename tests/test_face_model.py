"""Learning the linear face: heads are made from a known one and found again."""

import csv
from pathlib import Path

import numpy as np
import pytest

from train.datasets import DataError
from train.rendered_heads import other_side, read_rendered_heads
from train.shape_factors import SeenHeads, fit_shape_factors

HEADS, POINTS = 250, 12


def test_mean_and_expression_are_found_again_whoever_is_seen() -> None:
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 4, (POINTS, 3))
    expression = rng.normal(0, 1, (POINTS, 3, 2))
    identity = rng.normal(0, 0.3, (POINTS, 3, 1))
    coefficients = rng.uniform(0, 1, (HEADS, 2))
    people = rng.normal(size=(HEADS, 1))
    rotation = np.array([_turn(*rng.uniform(-0.7, 0.7, 3)) for _ in range(HEADS)])
    shape = mean + np.einsum("pxe,he->hpx", expression, coefficients)
    shape += np.einsum("pxi,hi->hpx", identity, people)
    distance, focal_px = rng.uniform(60, 120, HEADS), rng.uniform(300, 800, HEADS)
    seen = shape @ rotation.swapaxes(1, 2) + np.stack([0 * distance] * 2 + [distance], 1)[:, None]
    pixels = focal_px[:, None, None] * seen[..., :2] / seen[..., 2:]
    heads = SeenHeads(
        pixels + rng.normal(0, 0.1, pixels.shape), rotation, distance, focal_px, coefficients
    )
    found = fit_shape_factors(heads, 1)
    # pictures do not say where the origin lies, nor whether a person is one more or one less
    assert _likeness(found.mean, mean) > 0.99
    assert _likeness(found.expression, expression) > 0.96
    assert abs(_likeness(found.identity, identity)) > 0.95
    assert np.sqrt(found.variance).max() < 0.06


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of shapes, wherever they lie."""
    sides = [(shape - shape.mean(0)).ravel() for shape in (one, other)]
    return float(np.corrcoef(*sides)[0, 1])


def _turn(x: float, y: float, z: float) -> np.ndarray:
    def about(angle: float, one: int, other: int) -> np.ndarray:
        turned = np.eye(3)
        turned[one, one] = turned[other, other] = np.cos(angle)
        turned[one, other], turned[other, one] = -np.sin(angle), np.sin(angle)
        return turned

    return np.asarray(about(z, 0, 1) @ about(x, 1, 2) @ about(y, 2, 0))


def test_a_mirrored_head_is_the_head_of_the_other_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    columns = [f"{axis}_{i}" for i in range(68) for axis in "xy"]
    columns += [f"pupil_{axis}_{eye}" for eye in (0, 1) for axis in "xy"]
    columns += ["yaw_deg", "pitch_deg", "roll_deg", "distance", "focal_px"]
    columns += ["jawOpen", "mouthSmile_L", "mouthSmile_R"]
    values = rng.uniform(1, 200, len(columns)).round(2)
    table = tmp_path / "landmarks.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["picture", *columns])
        writer.writerow(["a.jpg", *values])
    heads = read_rendered_heads(table)
    assert heads.names == ("jawOpen", "mouthSmileLeft", "mouthSmileRight")
    both = heads.with_mirrored()
    np.testing.assert_allclose(both.points[1, 36], (207, 0) + both.points[0, 45] * (-1, 1))
    np.testing.assert_allclose(both.coefficients[1], both.coefficients[0, [0, 2, 1]])
    np.testing.assert_allclose(both.angles_deg[1], both.angles_deg[0] * (-1, 1, -1))
    # pupil 0 is the eye on the right of the picture, which is the left one
    np.testing.assert_allclose(both.points[0, 69], values[136:138])


def test_names_change_their_side_in_the_mirror() -> None:
    assert other_side("jawLeft") == "jawRight"
    assert other_side("mouthSmileRight") == "mouthSmileLeft"
    assert other_side("jawOpen") == "jawOpen"


def test_a_table_without_heads_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no table of rendered heads"):
        read_rendered_heads(tmp_path / "landmarks.csv")
