from dataclasses import replace

import numpy as np
import pytest
from filterpy.common import van_loan_discretization
from filterpy.kalman import KalmanFilter
from scipy.linalg import block_diag
from scipy.signal import savgol_filter

from benchmarks.jitter.recordings import Recording
from benchmarks.jitter.rival_filters import (
    Kalman,
    OneEuro,
    constant_noise_kalman,
    exponential,
    filtered,
    one_euro,
    predicted_noise_kalman,
    savitzky_golay,
    smoothing_factor,
    stretches,
)
from tracker.layouts import IBUG_68

FPS = 30.0


def recording_of(mean: np.ndarray, ids: np.ndarray | None = None) -> Recording:
    """Raw points on a regular clock with a measurement noise of half a pixel."""
    count = len(mean)
    ids = np.zeros(count, int) if ids is None else ids
    covariance = np.broadcast_to(0.25 * np.eye(2), (*mean.shape, 2)).copy()
    times = np.arange(count) / FPS
    sure = np.ones(count)
    return Recording("face", "still", IBUG_68, times, mean, covariance, covariance, sure, ids)


def face_track(rng: np.random.Generator, frames: int = 40) -> np.ndarray:
    """Landmarks of a face about 100 px wide that shakes."""
    shape = rng.uniform(0, 100, (IBUG_68.count, 2))
    right, left = IBUG_68.eye_corners
    shape[right], shape[left] = (10, 30), (90, 30)
    return shape + rng.normal(0, 1, (frames, IBUG_68.count, 2))


def test_mediapipes_constants_give_the_factors_its_authors_name() -> None:
    still = smoothing_factor(OneEuro().min_cutoff_hz, 1 / FPS)
    fast = smoothing_factor(OneEuro().min_cutoff_hz + OneEuro().beta * 1.0, 1 / FPS)
    assert still == pytest.approx(0.0104, abs=5e-5)
    assert fast == pytest.approx(0.94, abs=0.005)


def test_one_euro_equals_a_sequence_worked_out_by_hand() -> None:
    """1 Hz and cutoffs of 1 / 2 pi make every factor exactly a fraction; object size 2."""
    unit_hz = 1 / (2 * np.pi)  # alpha = 1 / (1 + 1) at one second a step
    constants = OneEuro(min_cutoff_hz=unit_hz, beta=4 * unit_hz, derivative_cutoff_hz=unit_hz)
    mark = np.array([0.0, 4.0, 4.0])
    raw = np.stack([np.stack([mark, mark], -1), np.stack([mark + 2, mark + 2], -1)], 1)
    smooth = one_euro(np.arange(3.0), raw, constants)
    # Second frame: change 4 / 2 = 2, speed 1, cutoff 1 + 4 = 5 units, alpha 5/6: 10/3.
    # Third: no change, speed 1/2, cutoff 3 units, alpha 3/4: 10/3 + 3/4 * 2/3 = 23/6.
    np.testing.assert_allclose(smooth[:, 0, 0], [0, 10 / 3, 23 / 6])
    np.testing.assert_allclose(smooth[:, 1, 1], 2 + np.array([0, 10 / 3, 23 / 6]))


def test_one_euro_without_beta_attenuates_white_noise_as_a_low_pass_must(
    rng: np.random.Generator,
) -> None:
    raw = rng.standard_normal((20_000, 3, 2))
    raw[:, 0], raw[:, 1] = 0, 100  # a box of constant size
    smooth = one_euro(np.arange(len(raw)) / FPS, raw, OneEuro(min_cutoff_hz=1.0, beta=0.0))
    alpha = float(smoothing_factor(1.0, 1 / FPS))
    assert smooth[200:, 2].std() == pytest.approx(np.sqrt(alpha / (2 - alpha)), rel=0.03)


def test_exponential_average_answers_a_step_exponentially_at_any_rate() -> None:
    times = np.array([0.0, 0.01, 0.05, 0.2, 0.21])
    raw = np.ones((5, 1, 2))
    raw[0] = 0
    smooth = exponential(times, raw, time_constant_s=0.1)
    np.testing.assert_allclose(smooth[:, 0, 0], 1 - np.exp(-times / 0.1), atol=1e-12)


@pytest.mark.parametrize("memory_s", [np.inf, 0.3], ids=["constant-velocity", "fading-velocity"])
def test_constant_noise_kalman_equals_filterpy(memory_s: float, rng: np.random.Generator) -> None:
    raw = face_track(rng)
    recording = recording_of(raw)
    constants = Kalman(noise_scale=3, acceleration_noise=0.2, velocity_memory_s=memory_s)
    smoothed = constant_noise_kalman(recording, constants)
    kalman = KalmanFilter(dim_x=2, dim_z=1)
    kalman.x = np.array([raw[0, 5, 1], 0.0])
    kalman.P = np.diag([3 * 0.25, (0.05 * recording.eye_px) ** 2])
    drift = np.array([[0.0, 1.0], [0.0, -1 / memory_s]])
    shock = np.sqrt(0.2) * recording.eye_px * np.array([[0.0], [1.0]])
    kalman.F, kalman.Q = van_loan_discretization(drift, shock, 1 / FPS)
    kalman.H, kalman.R = np.array([[1.0, 0.0]]), np.array([[3 * 0.25]])
    for frame in range(1, len(raw)):
        kalman.predict()
        kalman.update(raw[frame, 5, 1])
        assert smoothed.covariance is not None
        assert smoothed.mean[frame, 5, 1] == pytest.approx(kalman.x[0], rel=1e-6)
        assert smoothed.covariance[frame, 5, 1, 1] == pytest.approx(kalman.P[0, 0], rel=1e-6)


def test_predicted_noise_kalman_equals_filterpy(rng: np.random.Generator) -> None:
    raw = face_track(rng)
    root = rng.normal(0, 1, (*raw.shape, 2))
    recording = replace(
        recording_of(raw), measurement_noise=root @ root.swapaxes(-1, -2) + np.eye(2)
    )
    constants = Kalman(noise_scale=3, acceleration_noise=0.2, velocity_memory_s=0.3)
    smoothed = predicted_noise_kalman(recording, constants)
    kalman = KalmanFilter(dim_x=4, dim_z=2)
    noise = 3 * recording.measurement_noise[:, 5]
    kalman.x = np.array([*raw[0, 5], 0.0, 0.0])
    kalman.P = block_diag(noise[0], (0.05 * recording.eye_px) ** 2 * np.eye(2))
    drift = np.kron(np.array([[0.0, 1.0], [0.0, -1 / 0.3]]), np.eye(2))
    shock = np.sqrt(0.2) * recording.eye_px * np.vstack([np.zeros((2, 2)), np.eye(2)])
    kalman.F, kalman.Q = van_loan_discretization(drift, shock, 1 / FPS)
    kalman.H = np.eye(2, 4)
    assert smoothed.covariance is not None
    for frame in range(1, len(raw)):
        kalman.predict()
        kalman.update(raw[frame, 5], R=noise[frame])
        np.testing.assert_allclose(smoothed.mean[frame, 5], kalman.x[:2], rtol=1e-6)
        np.testing.assert_allclose(smoothed.covariance[frame, 5], kalman.P[:2, :2], rtol=1e-6)


def test_the_nis_of_a_kalman_filter_with_true_constants_is_one(rng: np.random.Generator) -> None:
    raw = face_track(rng, 1)[0] + 0.5 * rng.standard_normal((400, IBUG_68.count, 2))
    constants = Kalman(acceleration_noise=1e-12)
    nis = constant_noise_kalman(recording_of(raw), constants).nis["landmarks"]
    assert np.isnan(nis[0])
    assert nis[100:].mean() == pytest.approx(1, abs=0.03)


def test_savitzky_golay_equals_scipy_and_keeps_a_parabola(rng: np.random.Generator) -> None:
    raw = face_track(rng)
    np.testing.assert_allclose(savitzky_golay(raw, 31), savgol_filter(raw, 31, 2, axis=0))
    parabola = np.square(np.arange(40.0))[:, None, None] * np.ones((1, 3, 2))
    np.testing.assert_allclose(savitzky_golay(parabola, 31), parabola, atol=1e-8)
    np.testing.assert_allclose(savitzky_golay(raw[:9], 31).shape, raw[:9].shape)


def test_filters_start_anew_where_the_track_is_another_one(rng: np.random.Generator) -> None:
    raw = face_track(rng, 10)
    raw[4] = np.nan
    ids = np.array([0, 0, 0, 0, -1, 0, 0, 1, 1, 1])
    recording = recording_of(raw, ids)
    parts = [part.tolist() for part in stretches(recording)]
    assert parts == [[0, 1, 2, 3, 5, 6], [7, 8, 9]]
    smooth = filtered(recording, lambda times, track: exponential(times, track, 0.5)).mean
    assert np.isnan(smooth[4]).all()
    np.testing.assert_array_equal(smooth[7], raw[7])
    assert np.isfinite(smooth[5]).all()
