"""When the detector looks, and where: everything within a second, little in any one frame."""

import numpy as np
import pytest
from fakes import BlobDetector, BlobLandmarker, blob_frame

from tracker import Box, FaceTracker, TrackerConfig
from tracker.detection.face_search import FaceSearch, searching

FRAME = np.zeros((48, 64, 3), np.uint8)
PLACE = Box(20.0, 20.0, 10.0)


class Parts:
    """Finds nothing, in so many parts, and notes where it looked."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[object] = []

    def __call__(self, image: np.ndarray) -> list[Box]:
        return []

    def search(self, image: np.ndarray) -> list[Box]:
        return []

    def parts(self, image: np.ndarray) -> int:
        return self.count

    def look(self, image: np.ndarray, part: int, known: list[Box]) -> list[Box]:
        self.asked.append(part)
        return []

    def look_near(self, image: np.ndarray, places: list[Box]) -> list[Box]:
        self.asked.append(places)
        return []


def looks(
    parts: int, frames: int, *, followed: int = 0, missed: tuple[Box, ...] = (), fps: float = 25.0
) -> list[list[object]]:
    """Where the detector looks in each frame."""
    search, seen = FaceSearch(every_s=1.0), []
    for frame in range(frames):
        detector = Parts(parts)
        faces = [PLACE] * followed
        search = search.look(FRAME, detector, frame / fps, faces, list(missed)).after
        seen.append(detector.asked)
    return seen


@pytest.mark.parametrize("parts", [1, 3, 7, 19])
def test_while_faces_are_followed_all_parts_have_their_turn_within_a_second(parts: int) -> None:
    seen = looks(parts, 200, followed=1)
    assert all(len(asked) <= 1 for asked in seen)
    for start in range(0, 150, 5):
        shown = {part for asked in seen[start : start + 26 + parts] for part in asked}
        assert shown == set(range(parts))


def test_the_detector_rests_between_the_looks() -> None:
    assert sum(bool(asked) for asked in looks(1, 100, followed=2)) == 4
    assert sum(bool(asked) for asked in looks(3, 100, followed=2)) <= 12


def test_without_a_face_every_other_look_is_at_the_whole_frame_beginning_with_the_first() -> None:
    seen = [part for asked in looks(4, 12) for part in asked]
    assert seen == [0, 1, 0, 2, 0, 3, 0, 1, 0, 2, 0, 3]
    assert looks(1, 3) == [[0], [0], [0]]


def test_where_a_face_is_missed_its_place_is_looked_at_in_every_frame() -> None:
    seen = looks(1, 20, followed=1, missed=(PLACE,))
    assert all(asked in ([0], [[PLACE]]) for asked in seen)
    assert seen.count([0]) == 4  # every fifth of a second


def test_of_many_missed_faces_the_largest_places_are_looked_at() -> None:
    many = tuple(Box(20.0, 20.0, float(side)) for side in range(5, 15))
    (places,) = looks(3, 2, missed=many)[1]
    assert [box.side for box in places] == [14, 13, 12, 11]  # type: ignore[attr-defined]


def test_a_detector_that_knows_no_parts_looks_at_the_whole_frame() -> None:
    detector = BlobDetector()
    plain = searching(detector)
    frame = blob_frame([(160.0, 120.0)])
    expected = detector(frame)
    assert len(expected) == 1
    assert plain.look(frame, 0, []) == plain.look_near(frame, [PLACE]) == plain.search(frame)
    assert plain.look(frame, 0, []) == expected


def test_the_tracker_begins_with_the_whole_frame_after_a_reset() -> None:
    detector = Parts(3)
    tracker = FaceTracker(BlobLandmarker(), detector, TrackerConfig(detect_cuts=False))
    for frame in range(4):
        tracker.update(FRAME, frame / 25)
    tracker.reset()
    tracker.update(FRAME, 0.0)
    assert detector.asked == [0, 1, 0, 2, 0]


def test_what_was_refused_is_not_measured_again_for_a_moment() -> None:
    poster = Box(50.0, 50.0, 30.0)
    image = np.zeros((100, 100, 3), np.uint8)

    def seen(search: FaceSearch, time_s: float, missed: list[Box]) -> list[Box]:
        return search.look(image, searching(lambda _: [poster]), time_s, [PLACE], missed).boxes

    search = FaceSearch(1.0)
    assert seen(search, 0.0, []) == [poster]
    refused = search.refusing([poster], [], 0.0)
    assert seen(refused, 1.0, []) == []
    assert seen(refused, 2.5, []) == [poster]
    assert seen(refused, 1.0, [Box(55.0, 50.0, 30.0)]) == [poster]  # who was there may be back
    assert seen(search.refusing([poster], [poster], 0.0), 1.0, []) == [poster]  # it is a face
