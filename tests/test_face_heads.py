"""What the network says besides landmarks: whether they are right, and whom the face is like."""

import numpy as np
import pytest

import models
from models.calibrated_landmarker import CalibratedLandmarker, CropEstimates
from tracker.crop import crop_from_square, warp_crop
from tracker.io.simulated_camera import portrait
from tracker.types import Image
from train.discriminants import discriminants
from train.reliability import auroc, reliability_gap

X, Y, SIDE = 256.0, 235.0, 172.0
"""The square around the portrait's landmarks."""


@pytest.fixture(scope="module")
def lite() -> CalibratedLandmarker:
    return models.load_landmarker("lite")


def read(
    lite: CalibratedLandmarker, image: Image, x: float, y: float, side: float
) -> CropEstimates:
    crop = warp_crop(
        image, crop_from_square(x, y, side * lite.margin, lite.input_px), lite.input_px
    )
    return lite(crop[None])


@pytest.mark.parametrize(
    ("dx", "dy", "scale"), [(0, 0, 1), (8, -6, 1), (0, 5, 1.08), (-6, 0, 0.94)]
)
def test_landmarks_in_a_right_crop_are_believed(
    lite: CalibratedLandmarker, dx: float, dy: float, scale: float
) -> None:
    answer = read(lite, portrait(), X + dx, Y + dy, SIDE * scale)
    assert answer.confidence[0] > 0.9


@pytest.mark.parametrize(
    ("dx", "dy", "scale"), [(150, 0, 1), (0, 170, 1), (-130, -130, 1), (0, 0, 0.25), (90, 90, 0.3)]
)
def test_landmarks_in_a_crop_without_a_whole_face_are_not(
    lite: CalibratedLandmarker, dx: float, dy: float, scale: float
) -> None:
    answer = read(lite, portrait(), X + dx, Y + dy, SIDE * scale)
    assert answer.confidence[0] < 0.3


def test_nothing_is_seen_in_black_grey_or_noise(
    lite: CalibratedLandmarker, rng: np.random.Generator
) -> None:
    size = lite.input_px
    pictures = [np.zeros((size, size, 3)), np.full((size, size, 3), 128),
                rng.integers(0, 256, (size, size, 3))]  # fmt: skip
    answer = lite(np.stack(pictures).astype(np.uint8))
    assert (answer.confidence < 0.1).all()


def test_a_face_is_like_itself_in_other_light(lite: CalibratedLandmarker) -> None:
    image = portrait()
    darker = (image * 0.6).astype(np.uint8)
    one, other = (read(lite, seen, X, Y, SIDE).descriptor for seen in (image, darker))
    assert one is not None
    assert other is not None
    assert np.linalg.norm(one[0]) == pytest.approx(1, abs=1e-3)
    assert one[0] @ other[0] > 0.6


def test_ordering_and_keeping_ones_word_are_measured() -> None:
    truth = np.array([0, 0, 1, 1], bool)
    assert auroc(np.array([0.1, 0.2, 0.3, 0.4]), truth) == 1
    assert auroc(np.array([0.4, 0.3, 0.2, 0.1]), truth) == 0
    assert auroc(np.array([0.1, 0.3, 0.2, 0.4]), truth) == 0.75
    said = np.array([0.75] * 4)
    assert reliability_gap(said, np.array([1, 1, 1, 0], bool)) == pytest.approx(0)
    assert reliability_gap(said, np.array([0, 0, 1, 0], bool)) == pytest.approx(0.5)


def test_the_best_direction_is_that_in_which_people_differ(rng: np.random.Generator) -> None:
    """The second coordinate tells ten people apart; the first varies more, within each."""
    people = np.repeat(np.arange(10), 20)
    seen = rng.normal(0, 1, (200, 3)) * (3.0, 0.1, 1.0)
    seen[:, 1] += people
    (first,) = discriminants(seen.astype(np.float32), people, 1).T
    assert abs(first[1]) > 20 * abs(first[0])
    assert abs(first[1]) > 20 * abs(first[2])
