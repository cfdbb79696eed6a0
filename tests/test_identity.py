"""Who keeps an id: people are discs of two colours, told apart by a fake landmarker."""

import numpy as np
import pytest
from fakes import BlobDetector, BlobLandmarker, DescribingLandmarker, blob_frame

from tracker import FaceTracker
from tracker.track import dismissed
from tracker.types import Image

GREEN, BLUE = (255, 255, 0), (255, 0, 255)


def people(*discs: tuple[float, float, tuple[int, int, int]], wall: int = 20) -> Image:
    image = np.full((240, 320, 3), wall, np.uint8)
    for x, y, colour in discs:
        disc = blob_frame([(x, y)])[..., 0] > 128
        image[disc] = colour
    return image


def ids_of(frames: list[Image], landmarker: BlobLandmarker) -> list[list[int]]:
    tracker = FaceTracker(landmarker, BlobDetector())
    found = [tracker.update(frame, index / 25) for index, frame in enumerate(frames)]
    return [[face.track_id for face in faces if not face.is_predicted] for faces in found]


def test_who_takes_anothers_place_gets_a_new_id() -> None:
    before, after = people((160, 120, GREEN)), people((160, 120, BLUE))
    ids = ids_of([before] * 10 + [after] * 10, DescribingLandmarker())
    assert ids[9] == [0]
    assert all(frame in ([], [1]) for frame in ids[10:])
    assert ids[-1] == [1]


def test_who_comes_back_after_seconds_elsewhere_keeps_the_id() -> None:
    here, gone, there = people((70, 120, GREEN)), people(), people((250, 120, GREEN))
    ids = ids_of([here] * 10 + [gone] * 100 + [there] * 30, DescribingLandmarker())
    assert ids[-1] == [0]


def test_another_who_comes_where_one_left_gets_a_new_id() -> None:
    here, gone, other = people((160, 120, GREEN)), people(), people((160, 120, BLUE))
    assert ids_of([here] * 10 + [gone] * 10 + [other] * 5, DescribingLandmarker())[-1] == [1]


def test_without_descriptors_the_place_decides_for_two_seconds() -> None:
    here, gone = people((160, 120, GREEN)), people()
    soon = ids_of([here] * 10 + [gone] * 20 + [here] * 30, BlobLandmarker())
    late = ids_of([here] * 10 + [gone] * 80 + [here] * 30, BlobLandmarker())
    assert (soon[-1], late[-1]) == ([0], [1])


@pytest.mark.parametrize("landmarker", [DescribingLandmarker(), BlobLandmarker()])
def test_after_a_cut_only_the_known_keep_their_ids(landmarker: BlobLandmarker) -> None:
    tracker = FaceTracker(landmarker, BlobDetector())
    for index in range(10):
        tracker.update(people((160, 120, GREEN)), index / 25)
    known = [track for track in tracker._tracks if track.appearance.mean is not None]
    tracker._tracks = [dismissed(track) for track in known]
    (face,) = tracker.update(people((60, 120, GREEN)), 0.6)
    assert face.track_id == (0 if isinstance(landmarker, DescribingLandmarker) else 1)
