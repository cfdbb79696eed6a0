"""What places say, on a face whose motion is known."""

import numpy as np
import pytest
from fakes import blob_shape

from tracker.filter.config import MotionConfig
from tracker.filter.head_filter import HeadFilter
from tracker.filter.state import HeadState
from tracker.identity.place import Displacement, displacement, place_evidence
from tracker.layouts import IBUG_68

RATE, AREA = 25.0, 640.0 * 360
FILTER = HeadFilter(IBUG_68, MotionConfig())
FACE = 30 * blob_shape()
NOISE = np.tile(0.3 * np.eye(2), (68, 1, 1))
SPREAD = np.tile(4 * np.eye(2), (68, 1, 1))


def walked(step: tuple[float, float], frames: int = 25) -> HeadState:
    """A face that has moved by a step a frame and is at (0, 0) now."""
    state = FILTER.start(FACE[None] - frames * np.array(step), SPREAD[None])
    for index in range(1 - frames, 1):
        at = FACE[None] + index * np.array(step)
        state, _ = FILTER.update(state, at, NOISE[None], np.array([1 / RATE]))
    return state


def away(state: HeadState, found: np.ndarray, dt_s: float) -> Displacement:
    return displacement(state, found, SPREAD, dt_s, FILTER)


def test_who_walks_is_expected_where_the_walk_goes_on() -> None:
    state = walked((4.0, 0.0))
    ahead, behind = (
        place_evidence(away(state, FACE + np.array([dx, 0.0]), 0.24), AREA) for dx in (20, -150)
    )
    assert ahead > 0 > behind


def test_the_longer_a_face_is_gone_the_less_its_place_says() -> None:
    state = walked((0.0, 0.0))
    there = FACE + np.array([100.0, 0.0])
    far = [place_evidence(away(state, there, dt), AREA) for dt in (0.08, 0.4, 1.6)]
    here = [place_evidence(away(state, FACE, dt), AREA) for dt in (0.08, 1.6)]
    assert far[0] < 0 < far[1]
    assert here[0] >= here[1]


def test_motion_of_the_head_is_none_within_the_face() -> None:
    turn = np.deg2rad(5)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = away(walked((0.0, 0.0)), 1.1 * FACE @ rotation.T + [30.0, 10.0], 0.04)
    assert moved.shape < 0.01
    np.testing.assert_allclose(moved.motion[:2], [30, 10], atol=0.3)
    assert moved.motion[2] == pytest.approx(0.1 * moved.length, rel=0.1)


def test_another_shape_in_the_same_place_is_a_jump_by_its_own_measure() -> None:
    rng = np.random.default_rng(0)
    jump = rng.normal(0, 6.0, FACE.shape)
    moved = away(walked((0.0, 0.0)), FACE + jump, 0.04)
    assert moved.shape == pytest.approx(6.0**2 / 4, rel=0.25)  # mean of d squared over 2
