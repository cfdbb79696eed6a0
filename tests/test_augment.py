from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import FIXTURES

from tracker.crop import crop_from_square, transform, warp_crop
from tracker.layouts import IBUG_68, Outline
from train.augment import (
    AugmentConfig,
    RandomCrop,
    close_eyes,
    exact_crop,
    geometry_matrix,
    random_texture,
)
from train.datasets import Sample
from train.synthetic.face import portrait_face

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
        view, moved, _ = crop_at_random(
            dotted(points, mark), face(points), 128, np.random.default_rng(seed)
        )
        candidates = moved[[mark, int(IBUG_68.mirror[mark])]]
        away = np.linalg.norm(candidates - center_of_mass(view), axis=-1)
        assert away.min() < 0.4


def test_a_mirrored_face_has_its_right_eye_on_the_other_side(rng: np.random.Generator) -> None:
    points = rng.uniform(100, 200, (68, 2)).astype(np.float32)
    points[36], points[45] = (110, 150), (190, 150)
    always = RandomCrop(IBUG_68, 1.5, AugmentConfig(mirror=1, angle_deg=0, scale=0, shift=0))
    _, moved, _ = always(np.zeros((300, 300, 3), np.uint8), face(points), 128, rng)
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
    square = (150.0, 150.0, 256.0)
    sample = Sample(Path("x.jpg"), points, named_square=square, first_pixel=first_pixel)
    turned = RandomCrop(IBUG_68, 1.0, still)
    view, moved, _ = turned(dotted(points, 30), sample, 256, rng)
    away = moved[int(IBUG_68.mirror[30])] - center_of_mass(view)
    np.testing.assert_allclose(away, [2 * first_pixel, 0], atol=0.1)


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
def test_eyes_close_onto_their_lower_lids_and_nothing_else_moves(amount: float) -> None:
    portrait = portrait_face()
    matrix = crop_from_square(268.0, 246.0, 260.0, 256)
    crop, points = warp_crop(portrait.image, matrix, 256), transform(matrix, portrait.points)
    closing = crop.copy()
    moved = close_eyes(closing, points, IBUG_68, amount)
    opening, before = (p[[41, 40, 47, 46], 1] - p[[37, 38, 43, 44], 1] for p in (moved, points))
    np.testing.assert_allclose(opening, (1 - amount) * before, atol=0.1)
    others = np.delete(np.arange(68), [37, 38, 43, 44])
    np.testing.assert_array_equal(moved[others], points[others])
    changed = (closing != crop).any(-1)
    assert changed.any() == (amount > 0)
    assert not changed[int(points[33, 1]) :].any()  # below the nose


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_an_eye_without_lids_stays_open(count: int, rng: np.random.Generator) -> None:
    eye = Outline("right eye", tuple(range(count)), closed=True)
    layout = replace(IBUG_68, name="few", outlines=(eye,))
    crop, points = np.zeros((64, 64, 3), np.uint8), rng.uniform(20, 40, (68, 2))
    np.testing.assert_array_equal(close_eyes(crop, points, layout, 1.0), points)


def test_an_eye_beyond_the_crop_stays_open(rng: np.random.Generator) -> None:
    portrait = portrait_face()
    matrix = crop_from_square(268.0, 340.0, 200.0, 128)  # the eyes are above it
    crop, points = warp_crop(portrait.image, matrix, 128), transform(matrix, portrait.points)
    kept = crop.copy()
    np.testing.assert_array_equal(close_eyes(crop, points, IBUG_68, 1.0), points)
    np.testing.assert_array_equal(crop, kept)


def test_a_mirrored_face_keeps_how_sure_each_landmark_is(rng: np.random.Generator) -> None:
    points, sure = rng.uniform(100, 200, (68, 2)), np.linspace(0, 1, 68)
    always = RandomCrop(IBUG_68, 1.5, replace(PLAIN, mirror=1))
    sample = replace(face(points), certainty=sure)
    _, _, certainty = always(np.zeros((300, 300, 3), np.uint8), sample, 64, rng)
    np.testing.assert_array_equal(certainty, sure[IBUG_68.mirror])


def test_texture_leaves_size_and_type_alone(rng: np.random.Generator) -> None:
    crop = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    everything = AugmentConfig(
        occlusion=1, blur=1, gamma=1, noise=1, grey=1, motion_blur=1, low_resolution=1
    )
    for seed in range(20):
        changed = random_texture(crop, everything, np.random.default_rng(seed))
        assert changed.shape == crop.shape
        assert changed.dtype == np.uint8
        assert (changed[..., 0] == changed[..., 2]).all()


def test_video_spoils_a_picture_as_it_says(rng: np.random.Generator) -> None:
    crop = np.full((64, 64, 3), 120, np.uint8)
    crop[:, 30:] = 200

    def spoilt(**only: float) -> np.ndarray:
        return random_texture(crop, replace(PLAIN, **only), rng)  # type: ignore[arg-type]

    assert spoilt(low_light=1).mean() < 0.7 * crop.mean()
    for effect in ("motion_blur", "low_resolution"):
        views = [spoilt(**{effect: 1}) for _ in range(8)]
        steepest = [np.abs(np.diff(view[32, :, 0].astype(int))).max() for view in views]
        assert min(steepest) < 80  # the edge is no longer a step
        assert all(abs(view.mean() - crop.mean()) < 2 for view in views)
    assert not np.array_equal(spoilt(compression=1), crop)
