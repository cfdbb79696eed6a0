"""Pictures by themselves: measured in the mirror and several crops, apart from any video."""

import numpy as np
import pytest
from fakes import BlobAnswer, BlobDetector, BlobLandmarker, TwoSidedLandmarker, blob_frame
from followed_discs import center_of, follow

from tracker.face_tracker import FaceTracker
from tracker.types import Image


@pytest.fixture
def tracker() -> FaceTracker:
    return FaceTracker(BlobLandmarker(), BlobDetector())


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
