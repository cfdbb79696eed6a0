import os

import numpy as np
import pytest

from tracker.detection.boxes import non_maximum_suppression, overlap
from tracker.detection.mediapipe_detector import MediaPipeDetector
from tracker.io.simulated_camera import portrait
from tracker.types import Box


def test_overlap_of_squares_is_known_by_hand() -> None:
    box = Box(0.0, 0.0, 2.0)
    assert overlap(box, box) == 1
    assert overlap(box, Box(1.0, 0.0, 2.0)) == pytest.approx(1 / 2)
    assert overlap(box, Box(0.2, 0.1, 1.0)) == pytest.approx(1)
    assert overlap(box, Box(1.0, 1.0, 1.0)) == pytest.approx(1 / 4)
    assert overlap(box, Box(5.0, 0.0, 2.0)) == 0


def test_a_face_that_is_followed_is_not_found_again() -> None:
    known = [Box(0.0, 0.0, 10.0)]
    found = [Box(1.0, 0.0, 10.0), Box(30.0, 0.0, 8.0), Box(30.5, 0.0, 8.0)]
    assert non_maximum_suppression(found, known) == [found[1]]


@pytest.mark.mediapipe
@pytest.mark.parametrize("enlarged", [1, 4])
def test_the_portraits_face_is_found_where_it_is(enlarged: int) -> None:
    image = portrait().repeat(enlarged, 0).repeat(enlarged, 1)
    with MediaPipeDetector() as detector:
        (box,) = detector(image)
    assert abs(box.center_x / enlarged - 256) < 15
    assert abs(box.center_y / enlarged - 235) < 30
    assert 140 < box.side / enlarged < 210


@pytest.mark.mediapipe
def test_a_picture_without_a_face_gives_none() -> None:
    with MediaPipeDetector() as detector:
        for shape in ((1, 1, 3), (3000, 1, 3), (1, 3000, 3)):
            assert detector(np.full(shape, 80, np.uint8)) == []
        assert len(detector(portrait())) == 1  # it goes on


@pytest.mark.mediapipe
def test_a_closed_detector_says_so_and_frees_its_threads() -> None:
    before = len(os.listdir("/proc/self/task"))
    for _ in range(3):
        with MediaPipeDetector() as detector:
            pass
    assert len(os.listdir("/proc/self/task")) <= before + 1
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector(portrait())
