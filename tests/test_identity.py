"""Who keeps an id: people are discs of two colours, told apart by a fake landmarker."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import BlobDetector, BlobLandmarker, DescribingLandmarker, blob_frame

from tracker import FaceTracker
from tracker.identity.appearance import Appearance
from tracker.identity.recognition import recognised
from tracker.track import Track, dismissed
from tracker.types import Image, LandmarkEstimate, Measurement

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


def test_who_slides_into_anothers_place_without_a_jump_is_found_out_within_a_second() -> None:
    before, after = people((160, 120, GREEN)), people((160, 120, BLUE))
    ids = ids_of([before] * 10 + [after] * 25, DescribingLandmarker(blue_height=1.0))
    assert ids[10] == [0]
    assert ids[-1] == [1]


def seen(likeness: float, confidence: float = 0.9) -> Measurement:
    """Of a face that is so like the one of likeness 1."""
    nothing = np.zeros((1, 2)), np.zeros((1, 2, 2))
    descriptor = np.array([likeness, np.sqrt(1 - likeness**2)])
    return Measurement(LandmarkEstimate(*nothing), nothing[1], confidence, descriptor)


def test_a_face_that_keeps_its_shape_may_look_strange_for_some_frames() -> None:
    known = Appearance().seeing(seen(1.0))
    for _ in range(5):
        known = known.seeing(seen(0.2), jump=0.2)
        assert not known.is_anothers
    assert known.similarity(seen(1.0)) == pytest.approx(1.0)  # nothing strange is learned


def test_looks_decide_in_one_frame_after_a_jump() -> None:
    known = Appearance().seeing(seen(1.0))
    assert known.seeing(seen(0.1), jump=8.0).is_anothers
    assert not known.seeing(seen(0.8), jump=8.0).is_anothers


def test_a_jump_behind_a_hand_counts_once_the_face_is_seen_again() -> None:
    known = Appearance().seeing(seen(1.0)).seeing(seen(0.1, confidence=0.3), jump=8.0)
    assert not known.is_anothers
    assert known.seeing(seen(0.1)).is_anothers
    assert not known.seeing(seen(0.9)).seeing(seen(0.2)).is_anothers


def test_a_new_face_that_turns_out_to_be_a_lost_one_goes_on_with_its_id() -> None:
    """Half behind another it looked like nobody, and got an id of its own."""
    tracker = FaceTracker(DescribingLandmarker(), BlobDetector())
    there, gone = people((70, 120, GREEN)), people()
    for index, frame in enumerate([there] * 10 + [gone] * 5 + [people((250, 120, BLUE))] * 5):
        tracker.update(frame, index / 25)
    lost, new = tracker._tracks
    assert (lost.track_id, new.track_id) == (0, 1)
    assert _ids(recognised([lost, new], 0.8)) == [0, 1]
    known = replace(new, appearance=replace(new.appearance, mean=lost.appearance.mean))
    (back,) = recognised([lost, known], 0.8)
    assert (back.track_id, back.begun_s, back.state) == (0, lost.begun_s, new.state)
    assert _ids(recognised([lost, known], 9.0)) == [0, 1]  # too late to take an id away
    overlapping = replace(lost, measured_s=new.begun_s)
    assert _ids(recognised([overlapping, known], 0.8)) == [0, 1]  # both were seen at once


def _ids(tracks: list[Track]) -> list[int]:
    return [track.track_id for track in tracks]


def test_a_followed_face_remembers_when_it_was_first_seen() -> None:
    faces = FaceTracker(BlobLandmarker(), BlobDetector())
    for index in range(60):
        faces.update(blob_frame([(160.0 + index, 120.0)]), 5.0 + index / 30)
    assert [track.begun_s for track in faces._tracks] == [5.0]


def test_the_detector_rests_again_once_a_face_is_gone_for_long() -> None:
    both, one = people((70, 120, GREEN), (250, 120, BLUE)), people((70, 120, GREEN))
    detector = BlobDetector()
    tracker = FaceTracker(DescribingLandmarker(), detector)
    for index, frame in enumerate([both] * 10 + [one] * 75):
        tracker.update(frame, index / 25)
    before = detector.calls
    for index in range(85, 135):
        tracker.update(one, index / 25)
    assert detector.calls - before <= 3


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
