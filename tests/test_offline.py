"""Smoothing a whole file."""

from pathlib import Path

import numpy as np
import pytest
from fakes import blob_shape
from filterpy.kalman import KalmanFilter

import run_tracker
from tracker.filter.config import MotionConfig
from tracker.filter.head_filter import HeadFilter
from tracker.filter.kalman import packed, unpacked, update_point
from tracker.layouts import IBUG_68
from tracker.run.offline import smoothed_faces
from tracker.track import begin, estimates, updated
from tracker.types import Face, LandmarkEstimate, Measurement

RATE, NOISE_PX = 30, 0.2
COVARIANCE = np.tile(NOISE_PX**2 * np.eye(2), (68, 1, 1))
CONFIG = MotionConfig()
FILTER = HeadFilter(IBUG_68, CONFIG)


def seen(points: np.ndarray, track_id: int = 0) -> Face:
    absolute = LandmarkEstimate(points, 100 * COVARIANCE)
    return Face(track_id, 1.0, absolute, absolute, COVARIANCE)


def smoothed(points: np.ndarray, config: MotionConfig = CONFIG) -> np.ndarray:
    times = [index / RATE for index in range(len(points))]
    faces = smoothed_faces(times, [[seen(p)] for p in points], HeadFilter(IBUG_68, config))
    return np.stack([face.landmarks.mean for (face,) in faces])


def filtered(points: np.ndarray) -> np.ndarray:
    track, found = None, []
    for index, p in enumerate(points):
        look = Measurement(LandmarkEstimate(p, 100 * COVARIANCE), COVARIANCE, 1.0)
        if track is None:
            track = begin(0, look, 0.0, FILTER)
        else:
            (track,) = updated([track], [look], index / RATE, FILTER)
        found.append(estimates([track], FILTER)[0].mean)
    return np.stack(found)


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.square(error).sum(-1).mean()))


def test_two_fused_filters_equal_filterpys_rauch_tung_striebel(
    rng: np.random.Generator,
) -> None:
    frames, q, r = 30, 0.3, 1.0
    measured = rng.normal(0, 1, (frames, 2)) + np.cumsum(rng.normal(0, 0.5, (frames, 2)), 0)
    oracle = KalmanFilter(dim_x=2, dim_z=2)
    oracle.x = np.zeros((2, 1))
    oracle.F, oracle.H, oracle.Q, oracle.R = np.eye(2), np.eye(2), q * np.eye(2), r * np.eye(2)
    oracle.P *= 1e9
    means, covariances, _, _ = oracle.batch_filter(list(measured[..., None]))
    expected, expected_covariance, _, _ = oracle.rts_smoother(means, covariances)

    def run(sequence: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        mean, covariance = np.zeros((1, 2)), packed(1e9 * np.eye(2)[None])
        found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for z in sequence:
            prior = covariance + np.array([[q], [0.0], [q]])
            after = update_point(prior, packed(r * np.eye(2)[None]), (z - mean).T)
            mean, covariance = mean + after.step.T, after.covariance
            found[0].append(mean)
            found[1].append(unpacked(covariance))
        return found

    forward, backward = run(measured), run(measured[::-1])
    for index in range(frames - 1):
        later = frames - 2 - index
        ahead = packed(backward[1][later] + q * np.eye(2))
        away = (backward[0][later] - forward[0][index]).T
        both = update_point(packed(forward[1][index]), ahead, away)
        found = forward[0][index] + both.step.T
        np.testing.assert_allclose(found[0], expected[index, :, 0], atol=1e-6)
        np.testing.assert_allclose(
            unpacked(both.covariance)[0], expected_covariance[index], atol=1e-6
        )


def test_a_still_face_is_quieter_than_any_filter_makes_it(rng: np.random.Generator) -> None:
    truth = np.tile(100 * blob_shape(), (90, 1, 1))
    measured = truth + rng.normal(0, NOISE_PX, truth.shape)
    whole = rms((smoothed(measured) - truth)[:30])
    assert whole < 0.5 * rms((filtered(measured) - truth)[:30])
    acceleration = [rms(np.diff(x, 2, axis=0)) for x in (measured, smoothed(measured))]
    assert acceleration[0] > 10 * acceleration[1]


def test_a_moving_face_is_nearer_to_the_truth_than_filtered(rng: np.random.Generator) -> None:
    steps = np.stack([150 * np.sin(np.arange(120) / 25), 20 * np.cos(np.arange(120) / 18)], -1)
    truth = 100 * blob_shape() + steps[:, None]
    measured = truth + rng.normal(0, NOISE_PX, truth.shape)
    assert rms(smoothed(measured) - truth) < rms(filtered(measured) - truth)


def test_a_cut_of_the_film_is_not_smoothed_over(rng: np.random.Generator) -> None:
    truth = np.tile(100 * blob_shape(), (60, 1, 1))
    truth[30:] += (120.0, 40.0)
    measured = truth + rng.normal(0, NOISE_PX, truth.shape)
    assert np.abs(smoothed(measured) - truth)[28:32].max() < 5 * NOISE_PX


def test_frames_ids_and_gaps_stay_as_they_were(rng: np.random.Generator) -> None:
    shape = 100 * blob_shape()
    frames = [[seen(shape)] for _ in range(5)] + [[] for _ in range(10)]
    frames += [[seen(shape + 300, 1), seen(shape)] for _ in range(5)]
    hidden = Face(0, 0.1, LandmarkEstimate(shape, COVARIANCE), None)
    frames[2] = [hidden]
    smooth = smoothed_faces([i / RATE for i in range(20)], frames, FILTER)
    assert [[f.track_id for f in faces] for faces in smooth] == [
        [f.track_id for f in faces] for faces in frames
    ]
    assert smooth[2][0].is_predicted
    np.testing.assert_allclose(smooth[2][0].landmarks.mean, shape, atol=0.5)
    np.testing.assert_allclose(smooth[17][0].landmarks.mean, shape + 300, atol=0.5)


@pytest.mark.parametrize("count", [1, 2])
def test_a_clip_of_hardly_any_frames_is_smoothed(count: int) -> None:
    truth = np.tile(100 * blob_shape(), (count, 1, 1))
    np.testing.assert_allclose(smoothed(truth), truth, atol=1e-6)


def test_offline_needs_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tmp_path / "x.csv"
    before.write_text("kept")
    flags = ["--offline", "--save-csv", str(before), "--overwrite", "--device", "cpu"]
    assert run_tracker.main(["demo", *flags]) == 2
    assert before.read_text() == "kept"
    assert "--offline needs a video file" in capsys.readouterr().err
