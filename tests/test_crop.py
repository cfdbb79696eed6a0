import cv2
import numpy as np
import pytest
from fakes import FIXTURES

from tracker.crop import (
    crop_from_square,
    crop_pixels,
    inverse_affine,
    landmark_square,
    normalised_coordinates,
    transform,
    transform_covariance,
    warp_crop,
)
from tracker.detection.boxes import box_around


def test_crop_matrix_and_points_equal_the_authors_numbers() -> None:
    expected = np.load(FIXTURES / "crop.npz")
    points = crop_pixels(expected["norm_pts"], 256)
    np.testing.assert_allclose(points, expected["denorm"], atol=1e-4)
    np.testing.assert_allclose(
        normalised_coordinates(expected["denorm"], 256), expected["renorm"], atol=1e-6
    )
    for case, matrix, back in zip(
        expected["cases"], expected["matrix"], expected["points_in_image"], strict=True
    ):
        scale, x, y = (float(value) for value in case)
        found = crop_from_square(x, y, 200 * scale, 256)
        np.testing.assert_allclose(found, matrix, rtol=1e-6, atol=1e-4)
        np.testing.assert_allclose(transform(np.linalg.inv(found), points), back, atol=2e-3)


def test_warp_equals_the_authors_picture_to_a_grey_level() -> None:
    expected = np.load(FIXTURES / "crop.npz")
    scale, x, y = (float(value) for value in expected["warp_case"])
    found = warp_crop(expected["image"], crop_from_square(x, y, 200 * scale, 256), 256)
    difference = np.abs(found.astype(int) - expected["warped_opencv4"].astype(int))
    assert difference.max() <= 1


def test_square_follows_the_training_rule() -> None:
    points = np.array([[10.2, 20.7], [59.5, 90.1]], np.float32)
    assert landmark_square(points, 1.2) == (35.0, 55.5, (91 - 20) * 1.2)


def test_points_come_back_where_they_were(rng: np.random.Generator) -> None:
    matrix = crop_from_square(320.4, 200.7, 133.0, 128)
    points = rng.uniform(0, 640, (68, 2))
    np.testing.assert_allclose(
        transform(np.linalg.inv(matrix), transform(matrix, points)), points, atol=1e-3
    )


def test_covariance_scales_with_the_square_of_the_crop(rng: np.random.Generator) -> None:
    matrix = crop_from_square(0.0, 0.0, 64.0, 128)
    covariance = np.array([[3.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(transform_covariance(matrix, covariance), 4 * covariance)


def test_a_strong_reduction_keeps_a_disc_where_it_is() -> None:
    image = np.zeros((900, 900, 3), np.uint8)
    center, radius = (437.25, 512.5), 200
    cv2.circle(image, (round(center[0] * 16), round(center[1] * 16)), radius * 16, (255,) * 3, -1,
               cv2.LINE_AA, 4)  # fmt: skip
    matrix = crop_from_square(450.0, 500.0, 900.0, 128)
    crop = warp_crop(image, matrix, 128).astype(float)[..., 0]
    rows, columns = np.mgrid[:128, :128]
    found = np.array([(crop * columns).sum(), (crop * rows).sum()]) / crop.sum()
    np.testing.assert_allclose(found, transform(matrix, np.array(center)), atol=0.05)


def test_a_strong_reduction_averages_the_pixels_it_passes_over(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (1200, 1200, 3), dtype=np.uint8)
    crop = warp_crop(image, crop_from_square(600.0, 600.0, 1000.0, 100), 100)
    assert crop.std() < image.std() / 5


def test_a_crop_outside_the_frame_is_black() -> None:
    image = np.full((50, 50, 3), 200, np.uint8)
    assert warp_crop(image, crop_from_square(5000.0, 5000.0, 600.0, 64), 64).max() == 0


def test_published_crops_are_not_averaged(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (400, 400, 3), dtype=np.uint8)
    matrix = crop_from_square(200.0, 200.0, 400.0, 64)
    published = warp_crop(image, matrix, 64, antialiased=False)
    plain = cv2.warpAffine(image, matrix[:2].astype(float), (64, 64), flags=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(published, plain)
    assert warp_crop(image, matrix, 64).std() < published.std() / 2


def test_the_way_back_from_a_crop_is_exact(rng: np.random.Generator) -> None:
    matrix = crop_from_square(212.3, 87.9, 143.0, 128)
    matrix[:2, :2] = matrix[:2, :2] @ np.array([[0.8, -0.6], [0.6, 0.8]], dtype=np.float32)
    points = rng.uniform(0, 128, (20, 2))
    there = transform(matrix.astype(np.float64), points)
    np.testing.assert_allclose(transform(inverse_affine(matrix), there), points, atol=1e-9)


@pytest.mark.parametrize("roll_deg", [-150.0, -40.0, 0.0, 25.0, 90.0, 180.0])
def test_a_rolled_square_is_upright_in_its_crop(roll_deg: float) -> None:
    matrix = crop_from_square(100.0, 50.0, 40.0, 64, roll_deg)
    angle = np.radians(roll_deg)
    right = np.array([np.cos(angle), -np.sin(angle)])  # counter-clockwise as seen, y runs down
    down = np.array([np.sin(angle), np.cos(angle)])
    center = np.array([100.0, 50.0])
    found = transform(matrix, np.array([center, center + 20 * right, center + 20 * down]))
    np.testing.assert_allclose(found, [[31.5, 31.5], [63.5, 31.5], [31.5, 63.5]], atol=1e-4)


@pytest.mark.parametrize("roll_deg", [-100.0, 0.0, 30.0])
def test_a_box_with_roll_is_the_upright_one_rotated(
    roll_deg: float, rng: np.random.Generator
) -> None:
    points = rng.uniform(0, 100, (20, 2))
    angle = np.radians(roll_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    plain, rolled = box_around(points), box_around(points @ turn.T, roll_deg)
    assert rolled.side == pytest.approx(plain.side)
    center = turn @ np.array([plain.center_x, plain.center_y])
    np.testing.assert_allclose([rolled.center_x, rolled.center_y], center, atol=1e-9)
