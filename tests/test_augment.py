from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import FIXTURES

from tracker.crop import crop_from_square, transform
from tracker.layouts import IBUG_68
from train.augment import AugmentConfig, RandomCrop, exact_crop, geometry_matrix, random_texture
from train.datasets import Sample

PLAIN = AugmentConfig(occlusion=0, blur=0, gamma=0, noise=0, grey=0)


def dotted(points: np.ndarray, marked: int) -> np.ndarray:
    """A black picture with one white dot on one landmark."""
    image = np.zeros((300, 300, 3), np.uint8)
    x, y = (points[marked] * 16).round().astype(int).tolist()
    cv2.circle(image, (x, y), 5 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    return image


def face(points: np.ndarray, path: Path = Path("face.jpg")) -> Sample:
    return Sample(path, points)


def center_of_mass(crop: np.ndarray) -> np.ndarray:
    weight = crop[..., 0].astype(float)
    rows, columns = np.mgrid[: len(crop), : len(crop)]
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def test_geometry_equals_the_authors_numbers() -> None:
    expected = np.load(FIXTURES / "augment_geometry.npz")
    crop = np.load(FIXTURES / "crop.npz")
    scale, x, y = (float(value) for value in crop["cases"][0])
    for row, matrix, total, points in zip(
        expected["params_angle_scale_sx_sy"],
        expected["matrix"],
        expected["total_with_crop_case0"],
        expected["points_transformed"],
        strict=True,
    ):
        found = geometry_matrix(np.degrees(row[0]), row[1], row[2:], 256)
        np.testing.assert_allclose(found, matrix, atol=1e-3)
        whole = found @ crop_from_square(x, y, 200 * scale, 256)
        np.testing.assert_allclose(whole, total, atol=2e-3)
        np.testing.assert_allclose(transform(whole, expected["points"]), points, atol=2e-2)


def test_landmarks_go_along_with_the_picture(rng: np.random.Generator) -> None:
    points = rng.uniform(100, 200, (68, 2)).astype(np.float32)
    crop_at_random = RandomCrop(IBUG_68, 1.5, PLAIN)
    for seed in range(12):  # mirrored ones among them
        mark = int(rng.integers(68))
        view, moved = crop_at_random(
            dotted(points, mark), face(points), 128, np.random.default_rng(seed)
        )
        candidates = moved[[mark, int(IBUG_68.mirror[mark])]]
        away = np.linalg.norm(candidates - center_of_mass(view), axis=-1)
        assert away.min() < 0.4


def test_a_mirrored_face_has_its_right_eye_on_the_other_side(rng: np.random.Generator) -> None:
    points = rng.uniform(100, 200, (68, 2)).astype(np.float32)
    points[36], points[45] = (110, 150), (190, 150)
    always = RandomCrop(IBUG_68, 1.5, AugmentConfig(mirror=1, angle_deg=0, scale=0, shift=0))
    _, moved = always(np.zeros((300, 300, 3), np.uint8), face(points), 128, rng)
    assert moved[36, 0] < moved[45, 0]


def test_the_exact_crop_holds_all_landmarks(tmp_path: Path, rng: np.random.Generator) -> None:
    points = rng.uniform(100, 200, (68, 2)).astype(np.float32)
    cv2.imwrite(str(tmp_path / "face.png"), np.zeros((300, 300, 3), np.uint8))
    _, moved = exact_crop(face(points, tmp_path / "face.png"), 128, 1.2)
    assert moved.min() > 0
    assert moved.max() < 127


def test_a_crop_that_the_data_set_names_is_taken(tmp_path: Path, rng: np.random.Generator) -> None:
    points = rng.uniform(100, 200, (68, 2)).astype(np.float32)
    cv2.imwrite(str(tmp_path / "face.png"), np.zeros((300, 300, 3), np.uint8))
    named = Sample(tmp_path / "face.png", points, named_square=(150.0, 140.0, 256.0))
    _, moved = exact_crop(named, 256, 1.0)
    np.testing.assert_allclose(moved, points - [150 - 127.5, 140 - 127.5], atol=1e-4)


@pytest.mark.parametrize("first_pixel", [0.0, 0.5])
def test_a_data_set_may_mirror_about_another_pixel(
    first_pixel: float, rng: np.random.Generator
) -> None:
    points = rng.uniform(100, 200, (68, 2)).astype(np.float32)
    still = replace(PLAIN, mirror=1, angle_deg=0, scale=0, shift=0)
    sample = Sample(Path("x.jpg"), points, named_square=(150.0, 150.0, 256.0))
    turned = RandomCrop(IBUG_68, 1.0, still, first_pixel)
    view, moved = turned(dotted(points, 30), sample, 256, rng)
    away = moved[int(IBUG_68.mirror[30])] - center_of_mass(view)
    np.testing.assert_allclose(away, [2 * first_pixel, 0], atol=0.1)


def test_texture_leaves_size_and_type_alone(rng: np.random.Generator) -> None:
    crop = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    everything = AugmentConfig(occlusion=1, blur=1, gamma=1, noise=1, grey=1)
    for seed in range(20):
        changed = random_texture(crop, everything, np.random.default_rng(seed))
        assert changed.shape == crop.shape
        assert changed.dtype == np.uint8
        assert (changed[..., 0] == changed[..., 2]).all()
