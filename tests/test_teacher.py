import numpy as np
import pytest

from tracker.layouts import IBUG_68
from train.teacher import in_mirror, share_of_second


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_better_of_two_teachers_counts_more(share: float, rng: np.random.Generator) -> None:
    first, second = rng.uniform(0, 100, (2, 5, 68, 2))
    first[:, 36], first[:, 45] = (10, 30), (90, 30)
    truth = (1 - share) * first + share * second
    assert share_of_second(first, second, truth) == pytest.approx(share, abs=1e-6)


def test_teachers_who_agree_may_count_as_they_like(rng: np.random.Generator) -> None:
    points = rng.uniform(0, 100, (3, 68, 2))
    assert 0 <= share_of_second(points, points, points + 1) <= 1


def test_a_mirror_image_is_mirrored_back(rng: np.random.Generator) -> None:
    points = rng.uniform(0, 100, (68, 2))
    mirrored = in_mirror(points, 120)
    np.testing.assert_allclose(in_mirror(mirrored, 120), points, atol=1e-9)
    # The corner of one eye, seen from the other side, is that of the other.
    one, other = 36, int(IBUG_68.mirror[36])
    np.testing.assert_allclose(mirrored[other], [119 - points[one, 0], points[one, 1]])
