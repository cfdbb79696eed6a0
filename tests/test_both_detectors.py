"""Ours and MediaPipe's detector as one."""

from collections.abc import Iterator

import numpy as np
import pytest

import models
from tracker import BothDetectors
from tracker.io.simulated_camera import portrait

pytestmark = pytest.mark.mediapipe


@pytest.fixture(scope="module")
def detector() -> Iterator[BothDetectors]:
    with BothDetectors(models.load_face_detector()) as both:
        yield both


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_face_that_both_could_find_is_one_box_with_its_roll(
    detector: BothDetectors, turns: int
) -> None:
    image = np.ascontiguousarray(np.rot90(portrait(), turns))  # counter-clockwise
    for boxes in (detector(image), detector.search(image)):
        box, *others = boxes
        assert all(other.side < 30 for other in others)  # small ones are for the network to reject
        assert abs((box.roll_deg - 90 * turns + 180) % 360 - 180) < 15
        assert 140 < box.side < 210


def test_boxes_come_largest_first(detector: BothDetectors) -> None:
    image = np.full((512, 1200, 3), 90, np.uint8)
    image[:, 600:1112] = portrait()[:512]
    image[100:356, 50:306] = portrait()[:512:2, ::2]
    sides = [box.side for box in detector.search(image)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] > 1.5 * sides[1] > 100


def test_a_closed_one_says_so() -> None:
    detector = BothDetectors(models.load_face_detector())
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector(portrait())
