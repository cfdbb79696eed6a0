from itertools import permutations

import numpy as np
import pytest

from tracker.identity.association import match


@pytest.mark.parametrize(("known", "found"), [(1, 4), (4, 1), (3, 4), (4, 3)])
def test_pairs_are_those_of_least_total_distance(
    known: int, found: int, rng: np.random.Generator
) -> None:
    here, there = (rng.uniform(0, 100, (count, 5, 2)) for count in (known, found))
    pairs = match(here, there, np.full(known, 1000.0))
    distance = np.linalg.norm(here[:, None] - there[None], axis=-1).mean(-1)
    few = distance if known <= found else distance.T
    orders = permutations(range(few.shape[1]), len(few))
    least = min(few[range(len(few)), order].sum() for order in orders)
    assert len(pairs) == len(few)
    assert sum(distance[pair] for pair in pairs) == pytest.approx(least)


@pytest.mark.parametrize("found", [1, 2])
def test_a_face_out_of_reach_is_another_one(found: int) -> None:
    here = np.zeros((2, 5, 2))
    there = here[:found] + np.array([30, 40])
    assert [known for known, _ in match(here, there, np.array([49.0, 51.0]))] == [1]


def test_nothing_is_paired_with_nobody() -> None:
    assert match(np.zeros((0, 5, 2)), np.zeros((3, 5, 2)), np.zeros(0)) == []
