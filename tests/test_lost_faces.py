"""Faces that leave, hide and come back, and how many are followed: discs with a known path."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import BlobAnswer, BlobDetector, BlobLandmarker
from followed_discs import center_of, follow

from tracker.face_tracker import FaceTracker
from tracker.tracker_config import TrackerConfig


@pytest.fixture
def tracker() -> FaceTracker:
    return FaceTracker(BlobLandmarker(), BlobDetector())


def test_a_face_that_left_is_noticed_and_found_again_within_five_frames(
    tracker: FaceTracker,
) -> None:
    here, gone = [[(160.0, 120.0)]], [[]]
    seen = follow(tracker, here * 10 + gone * 20 + here * 10)  # type: ignore[arg-type]
    assert all(faces[0].is_predicted for faces in seen[10:15] if faces)
    assert seen[14] == []
    assert any(faces and not faces[0].is_predicted for faces in seen[30:35])
    assert {face.track_id for faces in seen for face in faces} == {0}
    assert (tracker.tally.lost, tracker.tally.reacquired) == (1, 1)


def test_a_face_that_comes_back_too_late_is_a_new_one(tracker: FaceTracker) -> None:
    seen = follow(tracker, [[(160.0, 120.0)]] * 5 + [[]] * 80 + [[(160.0, 120.0)]] * 5)
    assert seen[-1][0].track_id == 1


def test_a_film_cut_moves_the_face_at_once_without_drifting(tracker: FaceTracker) -> None:
    seen = follow(tracker, [[(60.0, 60.0)]] * 15 + [[(250.0, 170.0)]] * 5)
    measured = [face for face in seen[15] if not face.is_predicted]
    np.testing.assert_allclose(center_of(measured[0]), [250, 170], atol=2)


class BlinkingLandmarker(BlobLandmarker):
    """Sees no face in the frames given, as behind a hand."""

    def __init__(self, blind_calls: range) -> None:
        super().__init__()
        self._blind_calls = blind_calls

    def __call__(self, crops: np.ndarray) -> BlobAnswer:
        answer = super().__call__(crops)
        blind = self.calls in self._blind_calls
        return replace(answer, confidence=np.zeros(len(crops))) if blind else answer


def test_a_face_behind_a_hand_keeps_its_id_and_grows_unsure() -> None:
    # Three looks find the face, one a frame follows it; then two frames without a face, in which
    # the detector's find is looked at once as well.
    tracker = FaceTracker(BlinkingLandmarker(range(13, 17)), BlobDetector())
    faces = [frame[0] for frame in follow(tracker, [[(160.0, 120.0)]] * 20)]
    predicted = [face.is_predicted for face in faces]
    assert predicted == [False] * 10 + [True] * 2 + [False] * 8
    assert {face.track_id for face in faces} == {0}
    spread = [np.trace(face.landmarks.covariance, axis1=1, axis2=2).mean() for face in faces]
    assert spread[9] < spread[10] < spread[11]
    assert spread[-1] < spread[11]


def test_a_second_face_is_no_way_round_the_greatest_number() -> None:
    landmarker = BlinkingLandmarker(range(8, 9))
    tracker = FaceTracker(landmarker, BlobDetector(), TrackerConfig(max_faces=1))
    seen = follow(tracker, [[(80.0, 120.0)]] * 5 + [[(80.0, 120.0), (250.0, 120.0)]] * 20)
    assert max(len(faces) for faces in seen) == 1


def test_no_more_faces_are_followed_than_asked_for() -> None:
    tracker = FaceTracker(BlobLandmarker(), BlobDetector(), TrackerConfig(max_faces=1))
    seen = follow(tracker, [[(70.0, 120.0), (250.0, 110.0)]] * 5)
    assert [len(faces) for faces in seen] == [1] * 5


class UnsureLandmarker(BlobLandmarker):
    """Cannot tell a disc from a dark wall, as networks without a calibration cannot."""

    def __call__(self, crops: np.ndarray) -> BlobAnswer:
        return replace(super().__call__(crops), confidence=np.full(len(crops), np.nan))


def test_the_detector_confirms_where_the_network_cannot_tell() -> None:
    tracker = FaceTracker(UnsureLandmarker(), BlobDetector())
    seen = follow(tracker, [[(160.0, 120.0)]] * 10 + [[]] * 10)
    assert all(len(faces) == 1 and not faces[0].is_predicted for faces in seen[:10])
    assert seen[15] == []


def test_forgetting_starts_ids_anew(tracker: FaceTracker) -> None:
    follow(tracker, [[(160.0, 120.0)]])
    tracker.reset()
    assert follow(tracker, [[(60.0, 60.0)]])[0][0].track_id == 0
