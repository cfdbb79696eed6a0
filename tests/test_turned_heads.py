"""Faces turned in 3-D, on a made-up head whose depth is known."""

import numpy as np
import pytest

from tracker.layouts import IBUG_68
from train.hard_faces import nose_offset
from train.synthetic.face import portrait_face
from train.turned_heads import HeadTurn, random_turn, turn_head

NOSE_TIP, CHIN = 30, 8


@pytest.fixture(scope="module")
def head() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The portrait's landmarks on half an ellipsoid: picture, landmarks, mesh."""
    rng = np.random.default_rng(0)
    points = portrait_face().points.astype(float) * 0.5
    center = (points.min(0) + points.max(0)) / 2
    radii = (points.max(0) - points.min(0)) / 2 * 1.02
    angle, radius = rng.uniform(0, 2 * np.pi, 468), np.sqrt(rng.uniform(0, 1, 468))
    radius[:60] = 1.0  # the outline
    flat = np.stack([np.cos(angle), np.sin(angle)], -1) * radius[:, None]
    depth = -radii[0] * np.sqrt(np.maximum(1 - np.square(flat).sum(-1), 0))
    mesh = np.column_stack([flat * radii + center, depth])
    rows, columns = np.mgrid[:240, :280]
    picture = np.stack([columns % 256, rows, np.full_like(rows, 90)], -1).astype(np.uint8)
    return picture, points, mesh


def test_a_head_that_is_not_turned_stays_as_it_is(
    head: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    picture, points, mesh = head
    rendered, landmarks = turn_head(picture, points, mesh, HeadTurn(0.0, 0.0))
    np.testing.assert_allclose(landmarks[9:], points[9:], atol=4)  # the jaw follows the outline
    np.testing.assert_allclose(landmarks[17:], points[17:], atol=1e-3)
    assert np.abs(rendered[2:-2, 2:-2].astype(int) - picture[2:-2, 2:-2])[..., 1].max() <= 2


@pytest.mark.parametrize("yaw_deg", [-40.0, 40.0])
def test_the_picture_turns_as_the_landmarks_do(
    head: tuple[np.ndarray, np.ndarray, np.ndarray], yaw_deg: float
) -> None:
    picture, points, mesh = head
    rendered, landmarks = turn_head(picture, points, mesh, HeadTurn(yaw_deg, 0.0))
    side = np.sign(yaw_deg)
    moved = landmarks - points
    assert side * (moved[NOSE_TIP] - moved[[36, 45]].mean(0))[0] > 5
    assert nose_offset(landmarks[None])[0] > nose_offset(points[None])[0]
    # Columns of the picture are its red values, rows its green ones.
    for index in (NOSE_TIP, 33, 51, 57):
        x, y = landmarks[index].round().astype(int)
        np.testing.assert_allclose(rendered[y, x, :2], points[index], atol=6)


def test_the_far_jaw_is_the_outline_of_the_turned_head(
    head: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    picture, points, mesh = head
    _, landmarks = turn_head(picture, points, mesh, HeadTurn(35.0, 0.0))
    for index in range(12, 16):
        same_height = np.abs(landmarks[17:, 1] - landmarks[index, 1]) < 8
        assert (landmarks[17:][same_height, 0] <= landmarks[index, 0] + 1).all()


def test_a_nod_moves_nose_and_chin_apart(
    head: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    picture, points, mesh = head
    down, up = (turn_head(picture, points, mesh, HeadTurn(0.0, pitch))[1] for pitch in (12, -12))
    lengths = [found[CHIN, 1] - found[NOSE_TIP, 1] for found in (down, up)]
    assert lengths[0] < lengths[1]


def test_a_head_turns_on_to_the_side_to_which_it_is_turned() -> None:
    points = portrait_face().points.astype(float)
    eyes = points[45] - points[36]
    for side in (-1, 1):
        turned = points.copy()
        turned[NOSE_TIP] = (points[36] + points[45]) / 2 + side * 0.15 * eyes
        turns = [random_turn(turned, np.random.default_rng(seed)) for seed in range(20)]
        assert {np.sign(turn.yaw_deg) for turn in turns} == {side}
    assert IBUG_68.count == len(points)
