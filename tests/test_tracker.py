"""The tracker on discs with a known path: no network, no detector, no chance."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes import BlobAnswer, BlobDetector, BlobLandmarker, blob_frame
from followed_discs import RATE, center_of, follow

import models
from tracker.crop import transform
from tracker.errors import FaceTrackError
from tracker.face_tracker import FaceTracker
from tracker.io.simulated_camera import portrait
from tracker.layouts import IBUG_68
from tracker.tracker_config import TrackerConfig
from tracker.types import Box


@pytest.fixture
def tracker() -> FaceTracker:
    return FaceTracker(BlobLandmarker(), BlobDetector())


def test_a_still_face_is_found_at_once_and_keeps_one_id(tracker: FaceTracker) -> None:
    seen = follow(tracker, [[(160.0, 120.0)]] * 20)
    assert [len(faces) for faces in seen] == [1] * 20
    assert {face.track_id for faces in seen for face in faces} == {0}
    np.testing.assert_allclose(center_of(seen[-1][0]), [160, 120], atol=1)


def test_landmarks_come_back_in_frame_pixels(tracker: FaceTracker) -> None:
    seen = follow(tracker, [[(100.0 + 2 * i, 90.0 + i)] for i in range(40)])
    np.testing.assert_allclose(center_of(seen[-1][0]), [178, 129], atol=1.5)


def test_the_detector_rests_while_faces_are_followed() -> None:
    detector = BlobDetector()
    tracker = FaceTracker(BlobLandmarker(), detector, TrackerConfig(detect_every_s=1.0))
    follow(tracker, [[(160.0, 120.0)]] * 60)
    assert detector.calls <= 3


def test_two_faces_keep_their_ids_while_they_move(tracker: FaceTracker) -> None:
    seen = follow(tracker, [[(70.0 + i, 120.0), (250.0 - i, 110.0)] for i in range(50)])
    first = {face.track_id: center_of(face)[0] for face in seen[0]}
    last = {face.track_id: center_of(face)[0] for face in seen[-1]}
    assert first.keys() == last.keys()
    for track_id, x in first.items():
        assert (x < 160) == (last[track_id] < 160)


def test_equal_and_missing_time_stamps_are_survived(tracker: FaceTracker) -> None:
    image = blob_frame([(160.0, 120.0)])
    for time_s in [0.0, 0.0, 0.033, 0.033, 1.5, 1.533]:
        faces = tracker.update(image, time_s)
        assert np.isfinite(faces[0].landmarks.covariance).all()
        np.testing.assert_allclose(center_of(faces[0]), [160, 120], atol=1)


def test_faces_that_pass_each_other_keep_their_ids() -> None:
    tracker = FaceTracker(BlobLandmarker(), BlobDetector())
    seen = follow(tracker, [[(60.0 + 2 * i, 80.0), (260.0 - 2 * i, 165.0)] for i in range(100)])
    start = {face.track_id: center_of(face) for face in seen[0]}
    end = {face.track_id: center_of(face) for face in seen[-1]}
    assert start.keys() == end.keys()
    for track_id in start:
        assert abs(start[track_id][1] - end[track_id][1]) < 10
        assert abs(start[track_id][0] - end[track_id][0]) > 150


def test_landmarks_that_are_not_numbers_are_no_face() -> None:
    class Broken(BlobLandmarker):
        def __call__(self, crops: np.ndarray) -> BlobAnswer:
            answer = super().__call__(crops)
            return replace(answer, mean=np.full_like(answer.mean, np.nan))

    assert follow(FaceTracker(Broken(), BlobDetector()), [[(160.0, 120.0)]] * 5)[-1] == []


class OnlyUpright(BlobLandmarker):
    """Sees faces in upright crops alone, in which the bright bar lies across."""

    def __call__(self, crops: np.ndarray) -> BlobAnswer:
        answer = super().__call__(crops)
        bright = crops[..., 0] > 128
        across = bright.any(1).sum(1) > bright.any(2).sum(1)
        return replace(answer, confidence=np.where(across, 0.9, 0.0))


@pytest.mark.parametrize("roll_deg", [90.0, -90.0])
def test_a_face_whose_roll_the_detector_takes_wrongly_is_found_upright(roll_deg: float) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[110:130, 130:190] = 255
    tracker = FaceTracker(OnlyUpright(), lambda _: [Box(160.0, 120.0, 60.0, roll_deg)])
    (face,) = tracker.update(image, 0.0)
    assert face.confidence == 0.9
    assert abs(center_of(face)[0] - 160) < 2


def test_a_face_is_believed_again_once_it_has_been_sure_for_some_frames() -> None:
    class Doubtful(BlobLandmarker):
        """Sure, then in doubt, once sure in between, then sure again."""

        surely = iter([0.9] * 12 + [0.3] * 10 + [0.7] + [0.3] * 5 + [0.9] * 20)

        def __call__(self, crops: np.ndarray) -> BlobAnswer:
            return replace(super().__call__(crops), confidence=np.array([next(self.surely)]))

    tracker = FaceTracker(Doubtful(), BlobDetector())
    seen = [faces[0] for faces in follow(tracker, [[(160.0, 120.0)]] * 40)]
    believed = [face.is_believed for face in seen]
    doubt = believed.index(False)
    assert seen[doubt - 1].confidence == pytest.approx(0.9)
    assert not any(believed[doubt : doubt + 16])  # the one sure frame does not count
    assert all(believed[doubt + 24 :])


@pytest.mark.parametrize(("confidence", "crops"), [(1e-5, 1), (0.04, 3), (0.06, 3)])
def test_what_is_certainly_no_face_costs_one_crop(confidence: float, crops: int) -> None:
    class Unsure(BlobLandmarker):
        def __call__(self, crops: np.ndarray) -> BlobAnswer:
            return replace(super().__call__(crops), confidence=np.full(len(crops), confidence))

    landmarker = Unsure()
    faces = FaceTracker(landmarker, BlobDetector()).update(blob_frame([(160.0, 120.0)]), 0.0)
    assert landmarker.calls == crops
    assert len(faces) == (confidence > TrackerConfig().enter_confidence)


def test_a_layout_nobody_knows_is_refused_by_name() -> None:
    landmarker = BlobLandmarker()
    landmarker.layout_name = "MADEUP-5"
    with pytest.raises(FaceTrackError, match="MADEUP-5 of the weights is unknown"):
        FaceTracker(landmarker, BlobDetector())


def test_a_head_is_followed_through_a_full_turn() -> None:
    """The portrait, slowly turned; measured landmarks turn with it."""
    image, config = portrait(), TrackerConfig(upright_deg=25.0)
    points, errors = None, []
    with FaceTracker(models.load_landmarker(), config=config) as tracker:
        for index, angle in enumerate(range(0, 361, 5)):
            matrix = np.eye(3)
            matrix[:2] = cv2.getRotationMatrix2D((256, 235), angle, 1.0)
            matrix[:2, 2] += (64, 65)
            turned = cv2.warpAffine(image, matrix[:2], (640, 600), flags=cv2.INTER_CUBIC)
            (face,) = tracker.update(turned, index / RATE)
            assert face.measured is not None
            found = face.measured.mean
            if points is None:
                points = transform(np.linalg.inv(matrix), found)
            away = np.linalg.norm(found - transform(matrix, points), axis=-1).mean()
            errors.append(away / IBUG_68.interocular(found))
    assert max(errors) < 0.03
