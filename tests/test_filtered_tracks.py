"""What filtering does: it calms a still face and is not late for a moving one."""

import numpy as np
import pytest
from fakes import BlobDetector, BlobLandmarker, blob_shape
from followed_discs import RATE, center_of, follow

from tracker.face_tracker import FaceTracker
from tracker.filter.config import MotionConfig
from tracker.filter.head_filter import HeadFilter
from tracker.layouts import IBUG_68, LAYOUTS, Layout
from tracker.track import begin, estimates, updated
from tracker.types import LandmarkEstimate, Measurement


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
