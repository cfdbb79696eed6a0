"""Crops that PyTorch cuts, held against those that OpenCV cuts."""

import numpy as np
import pytest
import torch

from models.device_crops import cut_crops
from tracker.crop import crop_from_square, reduced_from_crop, reduction, warp_crop
from tracker.io.simulated_camera import portrait
from tracker.types import Image

SIZE_PX = 96
SIDES = {"enlarged": 41.3, "as-it-is": 96.0, "a-bit-smaller": 170.7, "half": 192.0, "third": 300.9,
         "fifth": 511.2, "larger-than-the-frame": 1400.0}  # fmt: skip


def cut(image: Image, matrices: list[np.ndarray]) -> np.ndarray:
    factors = [reduction(matrix, image.shape[:2]) for matrix in matrices]
    from_crops = [reduced_from_crop(m, f) for m, f in zip(matrices, factors, strict=True)]
    frame, places = torch.from_numpy(image), torch.from_numpy(np.stack(from_crops))
    return cut_crops(frame, factors, places, SIZE_PX).numpy()


def noise(height: int = 600, width: int = 512) -> Image:
    """The hardest picture: neighbours differ by up to 255 grey levels."""
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("image", [noise(), portrait()], ids=["noise", "portrait"])
@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES.keys())
def test_crops_equal_those_of_opencv_to_a_grey_level(
    image: Image, side: float, rng: np.random.Generator
) -> None:
    centers = [*rng.uniform(0, 512, (6, 2)), (0.0, 300.5), (511.0, 599.0)]
    matrices = [crop_from_square(x, y, side, SIZE_PX) for x, y in centers]
    expected = np.stack([warp_crop(image, matrix, SIZE_PX) for matrix in matrices])
    difference = np.abs(cut(image, matrices).astype(int) - expected)
    assert difference.max() <= 1
    assert difference.mean() < 0.05


@pytest.mark.parametrize("side", [60.0, 180.0])
def test_a_crop_may_turn(side: float) -> None:
    matrix = crop_from_square(250.2, 301.9, side, SIZE_PX)
    matrix[:2, :2] = matrix[:2, :2] @ np.array([[0.8, -0.6], [0.6, 0.8]], dtype=np.float32)
    expected = warp_crop(noise(), matrix, SIZE_PX)
    assert np.abs(cut(noise(), [matrix])[0].astype(int) - expected).max() <= 1


def test_faces_near_and_far_keep_their_order() -> None:
    sides = [500.0, 60.0, 300.0, 90.0]
    matrices = [crop_from_square(256.0, 300.0, side, SIZE_PX) for side in sides]
    expected = np.stack([warp_crop(portrait(), matrix, SIZE_PX) for matrix in matrices])
    assert np.abs(cut(portrait(), matrices).astype(int) - expected).max() <= 1


def test_a_crop_outside_the_frame_is_black() -> None:
    matrices = [crop_from_square(5000.0, -900.0, side, SIZE_PX) for side in (60.0, 400.0)]
    assert cut(noise(), matrices).max() == 0


def test_a_frame_too_small_to_be_reduced_is_not() -> None:
    tiny = noise(3, 200)
    matrix = crop_from_square(100.0, 1.0, 500.0, SIZE_PX)
    np.testing.assert_array_equal(cut(tiny, [matrix])[0], warp_crop(tiny, matrix, SIZE_PX))
