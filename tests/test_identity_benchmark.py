"""The benchmark's own logic, with answers whose scores are known by hand."""

import numpy as np
import pytest

from benchmarks.identity.identity_scores import SeenFrame, mixed_ids, scores_of

BOXES = np.array([[0.0, 0, 10, 10], [50, 0, 60, 10]])


def frames(ids: list[list[int]]) -> list[SeenFrame]:
    return [SeenFrame(of, BOXES[: len(of)]) for of in ids]


TRUTH = frames([[0, 1]] * 10)


@pytest.mark.filterwarnings("ignore")
def test_a_perfect_answer_scores_one() -> None:
    pytest.importorskip("trackeval")
    *_, total = scores_of([(TRUTH, frames([[7, 3]] * 10))])
    assert (total["HOTA"], total["IDF1"]) == (pytest.approx(1), pytest.approx(1))
    assert (total["switches"], total["fragmentations"], total["mixed ids"]) == (0, 0, 0)


@pytest.mark.filterwarnings("ignore")
def test_ids_that_swap_half_way_have_half_the_idf1() -> None:
    pytest.importorskip("trackeval")
    *_, total = scores_of([(TRUTH, frames([[7, 3]] * 5 + [[3, 7]] * 5))])
    assert total["IDF1"] == pytest.approx(0.5)
    assert (total["switches"], total["mixed ids"]) == (2, 2)


def test_an_id_is_mixed_once_it_stays_on_a_second_person() -> None:
    assert mixed_ids(TRUTH, frames([[7, 3]] * 8 + [[3, 7]] * 2)) == 0
    assert mixed_ids(TRUTH, frames([[7, 3]] * 7 + [[3, 7]] * 3)) == 2
