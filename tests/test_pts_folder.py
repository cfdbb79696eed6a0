"""Pictures with `.pts` annotations beside them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.layouts import COFW_29
from train.datasets import DataError, open_data_set


def _write(folder: Path, name: str, points: np.ndarray) -> None:
    rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points + 1)
    text = f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n"
    (folder / f"{name}.pts").write_text(text)
    cv2.imwrite(str(folder / f"{name}.jpg"), np.zeros((80, 80, 3), np.uint8))


def test_the_number_of_points_names_the_layout(tmp_path: Path, rng: np.random.Generator) -> None:
    points = rng.uniform(10, 70, (29, 2))
    for name in ("a_1", "a_2", "b"):
        _write(tmp_path, name, points)
    data = open_data_set(tmp_path)
    assert data.layout == COFW_29
    faces = data.split("train")
    assert [face.image_path.name for face in faces] == ["a_1.jpg", "a_2.jpg", "b.jpg"]
    np.testing.assert_allclose(faces[0].points, points, atol=1e-3)
    # Two faces of one photograph stay on one side of a split.
    assert faces[0].photograph == faces[1].photograph != faces[2].photograph


def test_faces_of_another_layout_are_refused_by_name(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    _write(tmp_path, "a", rng.uniform(10, 70, (29, 2)))
    _write(tmp_path, "b", rng.uniform(10, 70, (68, 2)))
    with pytest.raises(DataError, match=r"b\.pts: COFW-29 has 29 points, found 68"):
        open_data_set(tmp_path)


def test_a_number_of_points_without_a_layout_is_refused(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    _write(tmp_path, "a", rng.uniform(10, 70, (5, 2)))
    with pytest.raises(DataError, match=r"n_points.*98, 68, 29"):
        open_data_set(tmp_path)
