import numpy as np
import pytest

from train.teacher import share_of_second


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_better_of_two_teachers_counts_more(share: float, rng: np.random.Generator) -> None:
    first, second = rng.uniform(0, 100, (2, 5, 68, 2))
    first[:, 36], first[:, 45] = (10, 30), (90, 30)
    truth = (1 - share) * first + share * second
    assert share_of_second(first, second, truth) == pytest.approx(share, abs=1e-6)


def test_teachers_who_agree_may_count_as_they_like(rng: np.random.Generator) -> None:
    points = rng.uniform(0, 100, (3, 68, 2))
    assert 0 <= share_of_second(points, points, points + 1) <= 1
