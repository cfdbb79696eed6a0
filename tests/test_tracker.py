"""The tracker on discs with a known path: no network, no detector, no chance."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fakes import (
    BlobAnswer,
    BlobDetector,
    BlobLandmarker,
    TwoSidedLandmarker,
    blob_frame,
    blob_shape,
)

import models
from tracker.crop import transform
from tracker.errors import FaceTrackError
from tracker.face_tracker import FaceTracker
from tracker.filter.config import MotionConfig
from tracker.filter.head_filter import HeadFilter
from tracker.io.simulated_camera import portrait
from tracker.layouts import IBUG_68, LAYOUTS, Layout
from tracker.track import begin, estimates, updated
from tracker.tracker_config import TrackerConfig
from tracker.types import Face, Image, LandmarkEstimate, Measurement

RATE = 30.0


def follow(
    tracker: FaceTracker, paths: list[list[tuple[float, float]]], first: int = 0
) -> list[list[Face]]:
    """Faces of every frame; `paths` holds the disc centres of each frame."""
    return [
        tracker.update(blob_frame(centers), (first + i) / RATE) for i, centers in enumerate(paths)
    ]


def center_of(face: Face) -> np.ndarray:
    low, high = face.landmarks.mean.min(0), face.landmarks.mean.max(0)
    return (low + high) / 2


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


def test_two_faces_keep_their_ids_while_they_move(tracker: FaceTracker) -> None:
    seen = follow(tracker, [[(70.0 + i, 120.0), (250.0 - i, 110.0)] for i in range(50)])
    first = {face.track_id: center_of(face)[0] for face in seen[0]}
    last = {face.track_id: center_of(face)[0] for face in seen[-1]}
    assert first.keys() == last.keys()
    for track_id, x in first.items():
        assert (x < 160) == (last[track_id] < 160)


def test_a_film_cut_moves_the_face_at_once_without_drifting(tracker: FaceTracker) -> None:
    seen = follow(tracker, [[(60.0, 60.0)]] * 15 + [[(250.0, 170.0)]] * 5)
    measured = [face for face in seen[15] if not face.is_predicted]
    np.testing.assert_allclose(center_of(measured[0]), [250, 170], atol=2)


def test_no_more_faces_are_followed_than_asked_for() -> None:
    tracker = FaceTracker(BlobLandmarker(), BlobDetector(), TrackerConfig(max_faces=1))
    seen = follow(tracker, [[(70.0, 120.0), (250.0, 110.0)]] * 5)
    assert [len(faces) for faces in seen] == [1] * 5


def test_equal_and_missing_time_stamps_are_survived(tracker: FaceTracker) -> None:
    image = blob_frame([(160.0, 120.0)])
    for time_s in [0.0, 0.0, 0.033, 0.033, 1.5, 1.533]:
        faces = tracker.update(image, time_s)
        assert np.isfinite(faces[0].landmarks.covariance).all()
        np.testing.assert_allclose(center_of(faces[0]), [160, 120], atol=1)


def test_noise_on_a_still_face_is_filtered_at_least_five_times() -> None:
    tracker = FaceTracker(BlobLandmarker(noise_px=0.5), BlobDetector())
    seen = follow(tracker, [[(160.0, 120.0)]] * 120)[30:]
    raw = np.stack([faces[0].measured.mean for faces in seen if faces[0].measured])
    filtered = np.stack([faces[0].landmarks.mean for faces in seen])
    assert filtered.std(axis=0).mean() < raw.std(axis=0).mean() / 5


def test_a_face_in_motion_is_followed_within_a_frame() -> None:
    tracker = FaceTracker(BlobLandmarker(noise_px=0.5), BlobDetector())
    xs = 160 + 60 * np.sin(2 * np.pi * 0.5 * np.arange(120) / RATE)
    seen = follow(tracker, [[(float(x), 120.0)] for x in xs])
    found = np.array([center_of(faces[0])[0] for faces in seen])
    late = np.abs(found[20:] - xs[20:]).max()
    fastest_step = np.abs(np.diff(xs)).max()
    assert late < fastest_step


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
    # the detector's find is looked at three times as well.
    tracker = FaceTracker(BlinkingLandmarker(range(13, 21)), BlobDetector())
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


def test_a_layout_nobody_knows_is_refused_by_name() -> None:
    landmarker = BlobLandmarker()
    landmarker.layout_name = "MADEUP-5"
    with pytest.raises(FaceTrackError, match="MADEUP-5 of the weights is unknown"):
        FaceTracker(landmarker, BlobDetector())


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_no_landmark_of_any_layout_stays_behind_when_the_face_jumps(layout: Layout) -> None:
    rng = np.random.default_rng(0)
    shape = rng.uniform(0, 100, (layout.count, 2))
    noise = np.tile(0.2 * np.eye(2), (layout.count, 1, 1))
    head_filter = HeadFilter(layout, MotionConfig())
    track = begin(0, _seen(shape, noise), 0.0, head_filter)
    for index in range(1, 90):
        (track,) = updated([track], [_seen(shape, noise)], index / RATE, head_filter)
    moved = shape + np.array([40.0, 0.0])
    (track,) = updated([track], [_seen(moved, noise)], 3.0, head_filter)
    assert np.abs(track.points - moved).max() < 4


def test_filtering_takes_no_bias_out_of_the_reported_covariance() -> None:
    points = 40 * blob_shape()
    absolute = np.tile(np.eye(2), (68, 1, 1))
    look = Measurement(LandmarkEstimate(points, absolute), 0.2 * absolute, 1.0)
    head_filter = HeadFilter(IBUG_68, MotionConfig(initial_noise_factor=20.0))
    track = begin(0, look, 0.0, head_filter)
    for index in range(1, 60):
        (track,) = updated([track], [look], index / RATE, head_filter)
    reported = np.trace(estimates([track], head_filter)[0].covariance, axis1=1, axis2=2)
    assert (reported >= 0.8 * 2).all()  # the lasting part: absolute less measurement noise


def _seen(points: np.ndarray, noise: np.ndarray) -> Measurement:
    return Measurement(LandmarkEstimate(points, noise), noise, 1.0)


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


@pytest.fixture
def still() -> Image:
    return blob_frame([(160.0, 120.0)])


def test_right_and_left_keep_their_names_and_their_doubts_in_the_mirror(still: Image) -> None:
    tracker = FaceTracker(TwoSidedLandmarker(), BlobDetector())
    (plain,), (twice,) = tracker.update(still, 0.0), tracker.detect(still)
    np.testing.assert_allclose(twice.landmarks.mean, plain.landmarks.mean, atol=0.3)
    assert np.ptp(plain.landmarks.mean[:, 0]) > 10
    assert plain.measured is not None
    assert twice.measured is not None
    for one, other in (
        (twice.measured.covariance, plain.measured.covariance),
        (twice.measurement_noise, plain.measurement_noise),
    ):
        np.testing.assert_allclose(one, other, rtol=0.02, atol=1e-3)
    assert np.ptp(plain.measured.covariance[:, 0, 1]) > 1  # tilted to either side


def test_a_picture_is_measured_in_the_mirror_too_so_that_bias_cancels(still: Image) -> None:
    upright, leaning = (
        FaceTracker(TwoSidedLandmarker(lean), BlobDetector()) for lean in (0.0, 3.0)
    )
    (truth,), (plain,), (twice,) = (
        upright.update(still, 0.0), leaning.update(still, 0.0), leaning.detect(still)
    )  # fmt: skip
    assert (plain.landmarks.mean - truth.landmarks.mean)[:, 0].mean() > 1
    np.testing.assert_allclose(twice.landmarks.mean, truth.landmarks.mean, atol=0.3)


def test_two_faces_of_a_picture_are_each_measured_in_six_crops_and_not_mixed_up() -> None:
    class Counting(TwoSidedLandmarker):
        def __call__(self, crops: np.ndarray) -> BlobAnswer:
            asked.append(len(crops))
            return super().__call__(crops)

    asked: list[int] = []
    centers = [(90.0, 120.0), (230.0, 110.0)]
    tracker = FaceTracker(Counting(), BlobDetector())
    both = tracker.detect(blob_frame(centers))
    assert asked == [2, 2, 12]
    alone = [tracker.detect(blob_frame([center]))[0] for center in centers]
    found = sorted((face.landmarks.mean for face in both), key=lambda mean: mean[0, 0])
    for mean, face in zip(found, alone, strict=True):
        np.testing.assert_allclose(mean, face.landmarks.mean, atol=0.05)


def test_a_known_horizontal_bias_is_kept_in_the_mirror(still: Image) -> None:
    lean = 3.0
    biased = TwoSidedLandmarker(lean, horizontal_bias=lean / TwoSidedLandmarker.input_px)
    tracker = FaceTracker(biased, BlobDetector())
    (plain,), (twice,) = tracker.update(still, 0.0), tracker.detect(still)
    np.testing.assert_allclose(twice.landmarks.mean, plain.landmarks.mean, atol=0.3)


def test_what_is_no_face_in_one_of_the_crops_is_none(still: Image) -> None:
    class Overflowing(TwoSidedLandmarker):
        """Of several crops the last has no answer."""

        def __call__(self, crops: np.ndarray) -> BlobAnswer:
            answer = super().__call__(crops)
            if len(crops) > 1:
                answer.mean[-1] = np.inf
            return answer

    assert FaceTracker(Overflowing(), BlobDetector()).detect(still) == []


def test_a_picture_leaves_the_faces_of_a_video_alone(tracker: FaceTracker) -> None:
    follow(tracker, [[(160.0, 120.0)]])
    faces = tracker.detect(blob_frame([(60.0, 60.0)]))
    assert [face.track_id for face in faces] == [0]
    np.testing.assert_allclose(faces[0].landmarks.mean.mean(0), [60, 60], atol=3)
    (followed,) = follow(tracker, [[(162.0, 120.0)]], first=1)[0]
    assert followed.track_id == 0
    np.testing.assert_allclose(center_of(followed), [162, 120], atol=2)


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
