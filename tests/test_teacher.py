from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from models.calibrated_landmarker import CropEstimates
from tracker.layouts import IBUG_68
from train.datasets import Sample
from train.mesh_teacher import MeshPair, MeshTeacher, find_meshes
from train.predict import MultiCrop
from train.teacher import NetworkTeacher, first_pixels, share_of_second


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_better_of_two_teachers_counts_more(share: float, rng: np.random.Generator) -> None:
    first, second = rng.uniform(0, 100, (2, 5, 68, 2))
    first[:, 36], first[:, 45] = (10, 30), (90, 30)
    truth = (1 - share) * first + share * second
    assert share_of_second(first, second, truth) == pytest.approx(share, abs=1e-6)


def test_teachers_who_agree_may_count_as_they_like(rng: np.random.Generator) -> None:
    points = rng.uniform(0, 100, (3, 68, 2))
    assert 0 <= share_of_second(points, points, points + 1) <= 1


def test_the_mesh_teacher_learns_where_annotators_put_what_both_meshes_show(
    rng: np.random.Generator,
) -> None:
    mapping, other = rng.normal(0, 1, (2, 2, 2))
    basis, shape = rng.normal(0, 10, (4, 68, 2)), rng.normal(0, 30, (68, 2))
    looked = []
    for _ in range(60):
        flat = shape + np.tensordot(rng.normal(0, 1, 4), basis, 1)
        meshes = [np.pad(flat @ seen + (100, 80), ((0, 0), (0, 1))) for seen in (mapping, other)]
        looked.append(MeshPair(Sample(Path("x.jpg"), flat * 1.5 + (101, 82)), *meshes))
    teacher = MeshTeacher.fitted(looked[:50])
    for look in looked[50:]:
        np.testing.assert_allclose(teacher(look).points, look.sample.points, atol=0.5)


def test_a_mesh_of_the_mirror_image_comes_back_to_the_picture(tmp_path: Path) -> None:
    image = np.zeros((50, 90, 3), np.uint8)
    image[20, 30] = 255
    cv2.imwrite(str(tmp_path / "x.png"), image)

    def brightest(shown: np.ndarray) -> np.ndarray:
        row, column = np.argwhere(shown[..., 0])[0]
        return np.array([[column, row, 0.0]])

    (look,) = find_meshes(brightest, [Sample(tmp_path / "x.png", np.empty((0, 2)))])  # type: ignore[arg-type]
    np.testing.assert_array_equal(look.mesh, [[30, 20, 0]])
    np.testing.assert_array_equal(look.in_mirror, look.mesh)


def test_pseudo_labels_lie_as_far_beside_the_middle_as_annotations_in_eye_distances(
    rng: np.random.Generator,
) -> None:
    shape = rng.uniform(0, 1, (68, 2))
    annotated = [
        Sample(Path("x.jpg"), shape * size, first_pixel=first_pixel)
        for size, first_pixel in ((100, 1.5), (300, 1.5))
    ]
    faces = np.stack([shape * 50 + 7, shape * 400])
    np.testing.assert_allclose(first_pixels(faces, annotated), [0.5, 4.0])


class Leaning:
    """Says for every crop the same shape, a little too far right."""

    layout_name = IBUG_68.name
    layout_table: ClassVar[dict[str, object]] = {}
    input_px, margin, antialiased, horizontal_bias = 64, 1.2, True, 0.0

    def __init__(self, shape: np.ndarray, lean_px: float) -> None:
        self._mean = shape + np.array([lean_px, 0])

    def stages(self, crops: np.ndarray, last: int) -> list[CropEstimates]:
        mean = np.broadcast_to(self._mean, (len(crops), 68, 2))
        covariance = np.broadcast_to(np.eye(2), (*mean.shape, 2))
        return [CropEstimates(mean, covariance, covariance, np.ones(len(crops)))] * last


def test_what_a_network_errs_on_average_is_taken_off(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.teacher._AUGMENTATION", MultiCrop())
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((200, 200, 3), np.uint8))
    points = rng.uniform(60, 140, (68, 2))
    face = Sample(tmp_path / "x.png", points)
    center_x, center_y, side = face.square(Leaning.margin)
    shape = (points - (center_x, center_y)) * Leaning.input_px / side + (Leaning.input_px - 1) / 2
    teacher = NetworkTeacher.fitted(Leaning(shape, 2.0), [face] * 3)
    assert np.abs(teacher.bias[:, 0]).min() > 0.01
    np.testing.assert_allclose(teacher([face]).mean[0], points, atol=0.1)
