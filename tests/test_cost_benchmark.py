"""The paired measurement's own arithmetic, with times that are known."""

import numpy as np
import pytest

from benchmarks.cost.__main__ import paired_cost
from tracker.errors import FaceTrackError


def spent(clock_ms: float, processor_ms: float, seconds: int, slow: float = 1.0) -> np.ndarray:
    """The first second is long; in the second one the machine is `slow` times as slow."""
    rows = np.tile([clock_ms, processor_ms, 1.0], (30 * seconds, 1))
    rows[:30, :2] *= 50
    rows[30:60, :2] *= slow
    return rows


def test_a_slow_second_of_the_machine_changes_no_ratio() -> None:
    cost = paired_cost(spent(12, 20, 6, slow=9.0), spent(10, 10, 6, slow=9.0))
    assert (cost.ratio, cost.processor_ratio) == (pytest.approx(1.2), pytest.approx(2))
    assert cost.ratio_90 == pytest.approx((1.2, 1.2))
    assert (cost.now_ms, cost.before_ms) == (pytest.approx(12), pytest.approx(10))
    assert cost.faces == (1, 1)


def test_a_clip_that_is_all_start_is_refused() -> None:
    with pytest.raises(FaceTrackError, match="less than two seconds"):
        paired_cost(spent(1, 1, 1), spent(1, 1, 1))
