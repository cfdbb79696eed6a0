"""What is looked at: everything, at every scale, at a cost that is bounded."""

import itertools

import pytest

from models.face_scan import (
    OVERLAP_PX,
    SEEN_PX,
    still_plan,
    thorough_plan,
    tiles,
    whole_picture,
    window_near,
)

SIZES = [(320, 240), (640, 480), (1024, 683), (1280, 720), (3840, 2160), (200, 5000), (641, 640)]


@pytest.mark.parametrize("size", SIZES)
def test_no_window_is_larger_than_the_network_sees_nor_leaves_the_picture(
    size: tuple[int, int],
) -> None:
    for window in thorough_plan(*size):
        assert max(window.width, window.height) * window.scale <= SEEN_PX + 0.5
        assert window.x >= 0
        assert window.y >= 0
        assert window.x + window.width <= size[0]
        assert window.y + window.height <= size[1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [12.0, 20.0, 40.0, 100.0, 150.0])
def test_every_face_is_whole_in_some_window_that_shows_it_large_enough(
    size: tuple[int, int], side: float
) -> None:
    width, height = size
    plan = thorough_plan(*size)
    for part_x, part_y in itertools.product((0.0, 0.13, 0.31, 0.5, 0.77, 1.0), repeat=2):
        x, y = part_x * (width - side), part_y * (height - side)
        assert any(
            window.x <= x
            and window.y <= y
            and x + side <= window.x + window.width
            and y + side <= window.y + window.height
            and side * window.scale >= 12 / 1.05
            for window in plan
        )


def test_tiles_overlap_by_more_than_the_faces_that_only_they_show() -> None:
    row = [window for window in tiles(3840, 2160, 1.0) if window.y == 0]
    for one, following in itertools.pairwise(row):
        assert one.x + one.width - following.x >= OVERLAP_PX


@pytest.mark.parametrize("size", SIZES)
def test_the_first_look_is_at_the_whole_picture(size: tuple[int, int]) -> None:
    assert thorough_plan(*size)[0] == whole_picture(*size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("side", [8.0, 40.0, 900.0])
def test_a_window_around_a_place_is_small_and_shows_the_face_and_its_surroundings(
    size: tuple[int, int], side: float
) -> None:
    width, height = size
    window = window_near((width - 30.0, 40.0), side, width, height)
    assert window is not None
    assert max(window.width, window.height) * window.scale <= 225
    assert window.x <= max(width - 30 - 1.5 * side, 0)
    assert window.y + window.height >= min(40 + 1.5 * side, height)
    assert window.x + window.width <= width
    assert window.y >= 0


def test_a_place_outside_the_picture_has_no_window() -> None:
    assert window_near((900.0, 40.0), 20.0, 640, 480) is None


def test_a_picture_no_larger_than_the_network_sees_is_seen_as_it_is_and_coarsely() -> None:
    whole, coarse = thorough_plan(640, 360)
    assert (whole.width, whole.height, whole.scale) == (640, 360, 1.0)
    assert (coarse.width, coarse.height, coarse.scale) == (640, 360, 0.5)


def test_a_small_picture_is_seen_once() -> None:
    assert len(thorough_plan(320, 240)) == 1


def test_a_small_picture_by_itself_is_seen_twice_as_large_and_a_large_one_is_not() -> None:
    assert [window.scale for window in still_plan(320, 240)] == [1.0, 2.0]
    assert still_plan(640, 480)[:2] == thorough_plan(640, 480)
    assert {window.scale for window in still_plan(640, 480)[2:]} == {2.0}
    assert still_plan(1920, 1080) == thorough_plan(1920, 1080)
