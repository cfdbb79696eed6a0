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
from tracker.run.offline import BLOCK_S, LAG_S, BlockSmoother, smoothed_faces
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


def smoothed_in_blocks(times_s: list[float], faces: list[list[Face]]) -> list[list[Face]]:
    smoother, found = BlockSmoother(FILTER), []
    for number, (time_s, seen_then) in enumerate(zip(times_s, faces, strict=True)):
        found += smoother.push(time_s, seen_then)
        assert time_s - times_s[len(found)] < LAG_S + BLOCK_S
        assert len(found) <= number
    return found + smoother.finish()


@pytest.mark.parametrize("reach_px", [0.0, 150.0])
def test_in_blocks_it_is_as_smooth_as_at_once_to_a_fifth_of_the_noise(
    rng: np.random.Generator, reach_px: float
) -> None:
    times = np.arange(14 * RATE) / RATE
    path = reach_px * np.stack([np.sin(times), np.cos(1.7 * times) / 7], -1)
    truth = 100 * blob_shape() + path[:, None]
    faces = [[seen(p)] for p in truth + rng.normal(0, NOISE_PX, truth.shape)]
    whole = smoothed_faces(times.tolist(), faces, FILTER)
    blocks = smoothed_in_blocks(times.tolist(), faces)
    away = np.stack(
        [
            np.linalg.norm(one.landmarks.mean - other.landmarks.mean, axis=-1)
            for (one,), (other,) in zip(whole, blocks, strict=True)
        ]
    )
    assert away.max() < 0.2 * NOISE_PX
    assert rms(np.stack([f.landmarks.mean for (f,) in blocks]) - truth) < 1.25 * rms(
        np.stack([f.landmarks.mean for (f,) in whole]) - truth
    )


def test_in_blocks_faces_that_come_and_go_keep_ids_frames_and_order(
    rng: np.random.Generator,
) -> None:
    count = 14 * RATE
    times = [index / RATE for index in range(count)]
    frames: list[list[Face]] = []
    for index in range(count):
        there = [0] * (index % 400 < 380) + [1] * (index > 200) + [2] * (index % 250 < 3)
        shown = sorted(set(there) - ({0} if not index % 400 < 380 else set()))
        points = {i: 100 * blob_shape() + 300 * i for i in shown}
        noise = rng.normal(0, NOISE_PX, (68, 2))
        frames.append([seen(points[i] + noise, i) for i in shown])
        if index % 97 == 5 and frames[-1]:  # behind a hand
            face = frames[-1][0]
            frames[-1][0] = Face(face.track_id, 0.1, face.landmarks, None)
    blocks, whole = smoothed_in_blocks(times, frames), smoothed_faces(times, frames, FILTER)
    assert [[f.track_id for f in found] for found in blocks] == [
        [f.track_id for f in found] for found in frames
    ]
    away = [
        float(np.abs(a.landmarks.mean - b.landmarks.mean).max())
        for one, other in zip(whole, blocks, strict=True)
        for a, b in zip(one, other, strict=True)
    ]
    assert max(away) < NOISE_PX
