import numpy as np
import pytest
from filterpy.kalman import KalmanFilter

from tracker.kalman import MotionState, initiate, predict, update


def random_covariance(rng: np.random.Generator, size: int, *batch: int) -> np.ndarray:
    root = rng.standard_normal((*batch, size, size))
    return root @ root.swapaxes(-1, -2) + 0.1 * np.eye(size)


def oracle(state: MotionState, dt_s: float, noise: float, alpha: float = 1.0) -> KalmanFilter:
    """filterpy's filter with the textbook matrices, written out."""
    kalman = KalmanFilter(dim_x=4, dim_z=2)
    kalman.x, kalman.P = state.mean[:, None].copy(), state.covariance.copy()
    kalman.F = np.array([[1, 0, dt_s, 0], [0, 1, 0, dt_s], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    kalman.H = np.eye(2, 4)
    a, b, c = dt_s**3 / 3, dt_s**2 / 2, dt_s
    kalman.Q = noise * np.array([[a, 0, b, 0], [0, a, 0, b], [b, 0, c, 0], [0, b, 0, c]])
    kalman.alpha = alpha
    return kalman


def test_every_landmark_of_every_face_equals_filterpy(rng: np.random.Generator) -> None:
    faces, landmarks, noise = 3, 5, 0.7
    state = initiate(
        rng.normal(100, 30, (faces, landmarks, 2)), random_covariance(rng, 2, faces, landmarks), 9.0
    )
    alphas = rng.uniform(1, 3, (faces, landmarks))
    oracles = {
        (f, i): oracle(MotionState(state.mean[f, i], state.covariance[f, i]), 0.0, noise)
        for f in range(faces)
        for i in range(landmarks)
    }
    for dt_s in (1 / 30, 0.2, 0.0, 1 / 60):
        measured = rng.normal(100, 30, (faces, landmarks, 2))
        covariance = random_covariance(rng, 2, faces, landmarks)
        state = update(predict(state, dt_s, noise, alphas**2), measured, covariance)
        for (f, i), kalman in oracles.items():
            fresh = oracle(MotionState(kalman.x[:, 0], kalman.P), dt_s, noise, alphas[f, i])
            fresh.predict()
            fresh.update(measured[f, i], R=covariance[f, i])
            oracles[f, i] = fresh
            np.testing.assert_allclose(state.mean[f, i], fresh.x[:, 0], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(state.covariance[f, i], fresh.P, rtol=1e-9, atol=1e-9)


def test_predict_in_two_halves_equals_predict_at_once(rng: np.random.Generator) -> None:
    state = MotionState(rng.standard_normal((7, 4)), random_covariance(rng, 4, 7))
    once = predict(state, 0.1, 3.0)
    twice = predict(predict(state, 0.05, 3.0), 0.05, 3.0)
    np.testing.assert_allclose(twice.mean, once.mean, atol=1e-12)
    np.testing.assert_allclose(twice.covariance, once.covariance, atol=1e-12)


def test_update_between_two_equal_gaussians_meets_in_the_middle() -> None:
    state = initiate(np.zeros((1, 2)), np.eye(2)[None], 1.0)
    after = update(state, np.array([[2.0, -4.0]]), np.eye(2)[None])
    np.testing.assert_allclose(after.position, [[1.0, -2.0]])
    np.testing.assert_allclose(after.position_covariance, 0.5 * np.eye(2)[None])


def test_time_does_not_run_backwards() -> None:
    state = initiate(np.zeros((1, 2)), np.eye(2)[None], 1.0)
    with pytest.raises(ValueError, match="dt_s must be at least 0"):
        predict(state, -0.1, 1.0)
