from itertools import permutations

import numpy as np
import pytest

from tracker.identity.association import looks_evidence, match


@pytest.mark.parametrize(("known", "found"), [(1, 4), (4, 1), (3, 4), (4, 3)])
def test_pairs_are_those_of_greatest_total_evidence(
    known: int, found: int, rng: np.random.Generator
) -> None:
    evidence = rng.uniform(0.1, 1, (known, found))
    pairs = match(evidence)
    few = evidence if known <= found else evidence.T
    orders = permutations(range(few.shape[1]), len(few))
    most = max(few[range(len(few)), order].sum() for order in orders)
    assert len(pairs) == len(few)
    assert sum(evidence[pair] for pair in pairs) == pytest.approx(most)


@pytest.mark.parametrize("found", [1, 2])
def test_what_speaks_against_a_pair_is_no_pair(found: int) -> None:
    evidence = np.array([[-0.1], [0.1]]).repeat(found, 1)
    assert [known for known, _ in match(evidence)] == [1]


def test_evidence_against_one_pair_does_not_forbid_the_others() -> None:
    assert sorted(match(np.array([[2.0, -9.0], [-9.0, -9.0]]))) == [(0, 0)]
    assert sorted(match(np.array([[5.0, 4.0], [4.0, -9.0]]))) == [(0, 1), (1, 0)]


def test_the_more_alike_the_more_evidence_and_unknown_looks_say_nothing() -> None:
    alike = [looks_evidence(similarity) for similarity in (-1.0, 0.0, 0.3, 0.5, 0.7, 1.0)]
    assert alike == sorted(alike)
    assert alike[0] < 0 < alike[-1]
    assert looks_evidence(np.nan) == 0


def test_nothing_is_paired_with_nobody() -> None:
    assert match(np.zeros((0, 3))) == []
    assert match(np.zeros((3, 0))) == []
