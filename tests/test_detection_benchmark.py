"""When a face counts as found."""

import numpy as np
import pytest

from benchmarks.detection.compared_detectors import ComparedDetector, distinct, in_tiles
from benchmarks.detection.detection_pictures import PHOTOGRAPHS, ShownPicture
from benchmarks.detection.detection_report import (
    BY_SIZE,
    Result,
    _by_size,
    markdown,
    show,
    summary,
    time_in_turns,
)
from benchmarks.detection.detection_scores import DetectionTally, match

FACES = np.array([[100.0, 100, 40], [300, 100, 60]])
ROLLS = np.array([0.0, 170.0])


def found(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, float).reshape(-1, 4)


@pytest.mark.parametrize(
    ("square", "is_found"),
    [
        ((100, 100, 40, 0), True),
        ((113, 100, 40, 0), True),
        ((115, 100, 40, 0), False),
        ((100, 100, 19, 0), False),
        ((100, 100, 21, 0), True),
        ((100, 100, 79, 0), True),
        ((100, 100, 81, 0), False),
    ],
)
def test_near_and_of_a_like_size(square: tuple[float, ...], is_found: bool) -> None:
    matched = match(FACES, ROLLS, found(square))
    assert matched.found.tolist() == [is_found, False]
    assert matched.extra == (0 if is_found else 1)


def test_a_second_find_of_the_same_face_is_a_false_alarm() -> None:
    matched = match(FACES, ROLLS, found((101, 100, 40, 0), (100, 100, 41, 0)))
    assert matched.found.tolist() == [True, False]
    assert matched.extra == 1


def test_two_faces_close_together_get_the_nearest_find_each() -> None:
    faces = np.array([[100.0, 100, 40], [110, 100, 40]])
    matched = match(faces, np.zeros(2), found((109, 100, 40, 0), (99, 100, 40, 0)))
    assert matched.found.all()


def test_roll_errors_go_the_short_way_round() -> None:
    matched = match(FACES, ROLLS, found((100, 100, 40, -5), (300, 100, 60, -170)))
    assert sorted(matched.roll_errors_deg) == pytest.approx([5, 20])


def test_nothing_found_and_nothing_there() -> None:
    assert match(FACES, ROLLS, found()).found.tolist() == [False, False]
    assert match(np.zeros((0, 3)), np.zeros(0), found((1, 1, 9, 0))).extra == 1
    assert np.isnan(DetectionTally().recall)


def test_every_face_of_a_size_has_one_row() -> None:
    labels = np.zeros((7, 9), np.float32)
    labels[:, 2] = [14, 19.9, 30, 59, 60, 150, 320]
    rows = _by_size(labels)
    assert sum(int(chosen.sum()) for _, chosen in rows) == 7
    assert [name for name, chosen in rows if chosen[4]] == ["60-100 px"]


def test_tiles_find_what_only_they_can_and_count_it_once() -> None:
    def sees_only_small_pictures(image: np.ndarray) -> np.ndarray:
        ys, xs = np.nonzero(image[..., 0])
        if max(image.shape[:2]) > 60 or not len(xs):
            return found()
        return found((xs.mean(), ys.mean(), 10, np.nan))

    image = np.zeros((90, 120, 3), np.uint8)
    image[45, 60] = 255  # in four tiles of half the sides and in the middle one
    assert len(sees_only_small_pictures(image)) == 0
    (face,) = in_tiles(sees_only_small_pictures, 2)(image)
    np.testing.assert_allclose(face[:3], [60, 45, 10])


def test_distinct_keeps_the_first_and_neighbours() -> None:
    squares = found((100, 100, 40, 0), (104, 100, 40, 0), (140, 100, 40, 0))
    np.testing.assert_allclose(distinct(squares)[:, 0], [100, 140])


def test_the_table_counts_what_was_found_missed_and_made_up() -> None:
    labels = np.zeros((2, 9), np.float32)
    labels[:, :3] = [[100, 100, 16], [300, 100, 80]]
    labels[:, 7:] = [[100, 110], [300, 110]]  # mouths below the eyes, which are all at (0, 0)
    blank = np.zeros((8, 8, 3), np.uint8)
    pictures = [
        ShownPicture(blank, labels, BY_SIZE, ("dark",)),
        ShownPicture(blank, labels, PHOTOGRAPHS),
        ShownPicture(blank, labels[:0], "without faces"),
    ]
    large_only = ComparedDetector("large only", lambda _: found((300, 100, 80, 0)))
    blind = ComparedDetector("blind", lambda _: found())
    results = {"large only": Result(), "blind": Result()}
    show(pictures, [large_only, blind], results)
    time_in_turns(pictures, [large_only, blind], results)
    rows = summary(results)
    assert rows[0]["found"][BY_SIZE] == rows[0]["found"]["dark"]
    assert rows[0]["found"][BY_SIZE]["recall"] == 0.5
    assert rows[0]["found"]["60-100 px"]["recall"] == 1
    assert rows[0]["found"]["14-20 px"]["recall"] == 0
    assert rows[0]["found"]["photographs, 60-100 px"] == rows[0]["found"]["60-100 px"]
    assert rows[0]["found"]["photographs, 12-20 px"]["recall"] == 0
    assert rows[0]["false_alarms"]["without faces"] == {"pictures": 1, "finds": 1}
    assert rows[1]["false_alarms"]["without faces"]["finds"] == 0
    lines = markdown(rows).splitlines()
    assert f"| {BY_SIZE} | 2 | 50.0 | 0.0 |" in lines
    assert "| false alarms in 1 pictures, without faces |  | 1 | 0 |" in lines
