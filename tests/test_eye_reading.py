"""Eyes are cut upright, the left one in a mirror, and what is read goes back to the frame."""

import numpy as np
import pytest

from tracker.analysis.eye_crop import EYE_PX, SIZE_PX, eye_crops_from_frame
from tracker.analysis.eye_reading import eye_corners, read_between_corners
from tracker.crop import transform
from tracker.layouts import COFW_29, IBUG_68, WFLW_98, plain_layout

MIDDLE = (SIZE_PX - 1) / 2
FRONTAL = np.array([[[40.0, 60], [60, 60]], [[110.0, 60], [90, 60]]])
"""Eyes 20 px wide of a face that looks into the camera: outer corner, inner corner."""


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    """About (75, 75), clockwise as seen."""
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points - 75) @ rotation.T + 75


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, -75])
def test_corners_lie_level_in_the_crop_with_the_outer_one_on_the_left(degrees: float) -> None:
    corners = turned(FRONTAL, degrees)
    for matrix, eye in zip(eye_crops_from_frame(corners), corners, strict=True):
        outer, inner = transform(matrix, eye)
        np.testing.assert_allclose(outer, [MIDDLE - EYE_PX / 2, MIDDLE], atol=1e-9)
        np.testing.assert_allclose(inner, [MIDDLE + EYE_PX / 2, MIDDLE], atol=1e-9)


@pytest.mark.parametrize("degrees", [0, 90, 200])
def test_brows_are_above_both_eyes_in_the_crop(degrees: float) -> None:
    corners = turned(FRONTAL, degrees)
    brows = turned(np.array([[50.0, 50], [100, 50]]), degrees)  # 10 px above the eyes
    for matrix, brow in zip(eye_crops_from_frame(corners), brows, strict=True):
        np.testing.assert_allclose(transform(matrix, brow), [MIDDLE, MIDDLE - 11], atol=1e-9)


def test_an_eye_that_turns_away_is_not_blown_up() -> None:
    corners = FRONTAL.copy()
    corners[1, 1] = [106, 60]  # 4 px wide, the other 20
    scale = np.linalg.norm(eye_crops_from_frame(corners)[1][0, :2])
    assert scale == pytest.approx(EYE_PX / 14)


def test_an_eye_of_no_width_gives_finite_numbers() -> None:
    assert np.isfinite(eye_crops_from_frame(np.full((2, 2, 2), 7.0))).all()


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (IBUG_68, [[36, 39], [45, 42]]),
        (WFLW_98, [[60, 64], [72, 68]]),
        (COFW_29, [[8, 10], [9, 11]]),
    ],
)
def test_corners_are_those_of_the_published_annotations(
    layout: object, expected: list[list[int]]
) -> None:
    points = np.arange(200.0).reshape(100, 2)[: layout.count]  # type: ignore[attr-defined]
    corners = eye_corners(points, layout)  # type: ignore[arg-type]
    np.testing.assert_array_equal(corners, points[np.array(expected)])


def test_a_layout_without_eyes_has_no_corners() -> None:
    assert eye_corners(np.zeros((30, 2)), plain_layout(30)) is None


def test_what_is_read_in_the_crop_comes_back_in_frame_pixels() -> None:
    """Of two faces at once: the pupil 5 crop px inwards and 2 down, spread along the eye."""
    answer = np.array([MIDDLE + 5, MIDDLE + 2, 4.0, 1.0, 1.0, 0.25, 0.1])
    other = FRONTAL * 2
    seen: list[np.ndarray] = []

    def reader(crops: np.ndarray) -> np.ndarray:
        seen.append(crops)
        return np.tile(answer, (len(crops), 1))

    first, second = read_between_corners(
        np.zeros((300, 300, 3), np.uint8), [FRONTAL, other], reader
    )
    assert seen[0].shape == (4, SIZE_PX, SIZE_PX, 3)
    px = 20 / EYE_PX
    np.testing.assert_allclose(
        first.pupil, [[50 + 5 * px, 60 + 2 * px], [100 - 5 * px, 60 + 2 * px]]
    )
    np.testing.assert_allclose(second.pupil, 2 * first.pupil)
    right, left = first.pupil_covariance
    np.testing.assert_allclose(right, np.array([[4.0, 1], [1, 1]]) * px**2)
    np.testing.assert_allclose(left, np.array([[4.0, -1], [-1, 1]]) * px**2)
    np.testing.assert_array_equal(first.shut, [0.25, 0.25])
    np.testing.assert_array_equal(second.shut_deviation, [0.1, 0.1])


def test_no_face_asks_the_network_nothing() -> None:
    def reader(_crops: np.ndarray) -> np.ndarray:
        raise AssertionError

    assert read_between_corners(np.zeros((9, 9, 3), np.uint8), [], reader) == []
