from itertools import permutations

import numpy as np
import pytest

from tracker.identity.association import OTHER_BELOW, SAME_FROM, SAME_IN_SHOT_FROM, match

UNKNOWN = np.nan


@pytest.mark.parametrize(("known", "found"), [(1, 4), (4, 1), (3, 4), (4, 3)])
def test_pairs_are_those_of_least_total_distance(
    known: int, found: int, rng: np.random.Generator
) -> None:
    distance = rng.uniform(0, 1, (known, found))
    pairs = match(distance, np.full((known, found), UNKNOWN))
    few = distance if known <= found else distance.T
    orders = permutations(range(few.shape[1]), len(few))
    least = min(few[range(len(few)), order].sum() for order in orders)
    assert len(pairs) == len(few)
    assert sum(distance[pair] for pair in pairs) == pytest.approx(least)


@pytest.mark.parametrize("found", [1, 2])
def test_a_face_out_of_reach_is_another_one(found: int) -> None:
    distance = np.array([[1.02], [0.98]]).repeat(found, 1)
    assert [known for known, _ in match(distance, np.full((2, found), UNKNOWN))] == [1]


def test_a_face_that_looks_like_a_known_one_is_it_wherever_it_is() -> None:
    similarity = np.array([[SAME_FROM + 0.01, 0.0], [0.1, SAME_FROM - 0.01]])
    assert match(np.full((2, 2), np.inf), similarity) == [(0, 0)]


def test_within_a_shot_less_likeness_is_enough() -> None:
    similarity = np.array([[SAME_IN_SHOT_FROM + 0.01]])
    assert match(np.array([[2.0]]), similarity) == [(0, 0)]
    assert match(np.array([[np.inf]]), similarity) == []


def test_a_face_that_looks_like_another_is_none_even_in_its_place() -> None:
    near = np.zeros((1, 1))
    assert match(near, np.array([[OTHER_BELOW - 0.01]])) == []
    assert match(near, np.array([[OTHER_BELOW + 0.01]])) == [(0, 0)]


def test_looks_decide_between_two_who_have_changed_places() -> None:
    distance = np.array([[0.1, 0.9], [0.9, 0.1]])
    similarity = np.array([[0.25, 0.95], [0.95, 0.25]])
    assert sorted(match(distance, similarity)) == [(0, 1), (1, 0)]


def test_as_many_as_possible_are_paired() -> None:
    distance = np.array([[0.0, 0.9], [0.1, 5.0]])
    assert sorted(match(distance, np.full((2, 2), UNKNOWN))) == [(0, 1), (1, 0)]


def test_nothing_is_paired_with_nobody() -> None:
    assert match(np.zeros((0, 3)), np.zeros((0, 3))) == []
