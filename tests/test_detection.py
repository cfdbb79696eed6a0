import numpy as np
import pytest

from tracker.detection import MediaPipeDetector, overlap, unseen
from tracker.types import Square
from tracker.virtual_camera import portrait


def test_overlap_of_squares_is_known_by_hand() -> None:
    square = Square(0.0, 0.0, 2.0)
    assert overlap(square, square) == 1
    assert overlap(square, Square(1.0, 0.0, 2.0)) == pytest.approx(1 / 2)
    assert overlap(square, Square(0.2, 0.1, 1.0)) == pytest.approx(1)
    assert overlap(square, Square(1.0, 1.0, 1.0)) == pytest.approx(1 / 4)
    assert overlap(square, Square(5.0, 0.0, 2.0)) == 0


def test_a_face_that_is_followed_is_not_found_again() -> None:
    known = [Square(0.0, 0.0, 10.0)]
    found = [Square(1.0, 0.0, 10.0), Square(30.0, 0.0, 8.0), Square(30.5, 0.0, 8.0)]
    assert unseen(found, known) == [found[1]]


@pytest.mark.parametrize("enlarged", [1, 4])
def test_the_portraits_face_is_found_where_it_is(enlarged: int) -> None:
    image = portrait().repeat(enlarged, 0).repeat(enlarged, 1)
    (square,) = MediaPipeDetector()(image)
    assert abs(square.center_x / enlarged - 256) < 15
    assert abs(square.center_y / enlarged - 235) < 30
    assert 140 < square.side / enlarged < 210


def test_a_picture_without_a_face_gives_none() -> None:
    for shape in ((1, 1, 3), (3000, 1, 3), (1, 3000, 3)):
        assert MediaPipeDetector()(np.full(shape, 80, np.uint8)) == []
