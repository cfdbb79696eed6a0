"""How far eyes are shut, out of two networks: the surer one counts more, the closer one is fast."""

import numpy as np
import pytest

from tracker.analysis.blink_fusion import corrected_blinks, followed_blinks
from tracker.analysis.coefficient_names import BLINKS
from tracker.analysis.expression_reading import ExpressionRead
from tracker.face_analysis import Estimate


def said(right: float, left: float, deviation: float = 0.1) -> ExpressionRead:
    values, deviations = np.array([0.4, right, left]), np.full(3, deviation)
    usual = np.array([[0.1] * 3, [0.3] * 3])
    names = ("jawOpen", *BLINKS)
    return ExpressionRead(names, values, deviations, np.eye(3), np.ones(3), np.eye(3), usual)


def opened(right: float, left: float, deviation: float = 0.1) -> tuple[Estimate, Estimate]:
    return Estimate(right, deviation), Estimate(left, deviation)


@pytest.mark.parametrize(("deviation", "expected"), [(0.1, 0.55), (1e-4, 0.7), (1e3, 0.4)])
def test_each_counts_as_far_as_it_is_sure(deviation: float, expected: float) -> None:
    eyes = opened(0.6, 0.9)  # 0.4 and 0.1 shut
    right, left = corrected_blinks(
        eyes, followed_blinks(None, said(0.7, 0.1, deviation), eyes, 0.0)
    )
    assert right.value == pytest.approx(expected, abs=0.01)
    assert left.value == pytest.approx(0.1, abs=0.01)
    assert right.deviation <= 0.1


def test_without_the_network_eyes_are_as_shut_as_they_are_not_open() -> None:
    right, left = corrected_blinks(
        opened(0.2, 1.3), followed_blinks(None, None, opened(1.0, 1.0), 0.0)
    )
    assert (right.value, left.value) == (pytest.approx(0.8), 0.0)


def test_between_two_readings_the_eyes_own_motion_is_followed() -> None:
    is_open = opened(0.98, 0.98)
    difference = followed_blinks(None, said(0.06, 0.06), is_open, 0.0)
    shut = opened(0.02, 0.02)
    assert followed_blinks(difference, None, shut, 0.033) is difference
    for eye in corrected_blinks(shut, difference):
        assert 0.95 < eye.value <= 1


def test_a_network_without_blinks_corrects_none() -> None:
    read = said(0.9, 0.9)
    other = ExpressionRead(
        ("jawOpen",), read.values[:1], read.deviations[:1], np.eye(3), np.ones(3), np.eye(3),
        read.usual[:, :1],
    )  # fmt: skip
    assert followed_blinks(None, other, opened(1.0, 1.0), 0.0) is None
