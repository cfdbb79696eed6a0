import numpy as np
import pytest
from filterpy.common import van_loan_discretization
from filterpy.kalman import KalmanFilter

from tracker.kalman import MotionModel, MotionState, initiate, predict, update


def random_covariance(rng: np.random.Generator, size: int, *batch: int) -> np.ndarray:
    root = rng.standard_normal((*batch, size, size))
    return root @ root.swapaxes(-1, -2) + 0.1 * np.eye(size)


def oracle(
    state: MotionState, dt_s: float, noise: float, memory_s: float, alpha: float
) -> KalmanFilter:
    """The filter of filterpy, discretised by van Loan's matrix exponential."""
    kalman = KalmanFilter(dim_x=4, dim_z=2)
    kalman.x, kalman.P = state.mean[:, None].copy(), state.covariance.copy()
    drift = np.zeros((4, 4))
    drift[[0, 1], [2, 3]] = 1
    drift[[2, 3], [2, 3]] = -1 / memory_s
    shock = np.sqrt(noise) * np.vstack([np.zeros((2, 2)), np.eye(2)])
    kalman.F, kalman.Q = van_loan_discretization(drift, shock, dt_s)
    kalman.H = np.eye(2, 4)
    kalman.alpha = alpha
    return kalman


@pytest.mark.parametrize("memory_s", [np.inf, 0.3], ids=["constant-velocity", "fading-velocity"])
def test_every_landmark_of_every_face_equals_filterpy(
    memory_s: float, rng: np.random.Generator
) -> None:
    faces, landmarks, noise = 3, 5, 0.7
    model = MotionModel(noise, memory_s)
    state = initiate(
        rng.normal(100, 30, (faces, landmarks, 2)), random_covariance(rng, 2, faces, landmarks), 9.0
    )
    alphas = rng.uniform(1, 3, (faces, landmarks))
    for dt_s in (1 / 30, 0.2, 1 / 60):
        measured = rng.normal(100, 30, (faces, landmarks, 2))
        covariance = random_covariance(rng, 2, faces, landmarks)
        after = update(predict(state, dt_s, model, alphas**2), measured, covariance)
        for face, landmark in np.ndindex(faces, landmarks):
            here = (face, landmark)
            before = MotionState(state.mean[here], state.covariance[here])
            kalman = oracle(before, dt_s, noise, memory_s, alphas[here])
            kalman.predict()
            kalman.update(measured[here], R=covariance[here])
            np.testing.assert_allclose(after.mean[here], kalman.x[:, 0], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(after.covariance[here], kalman.P, rtol=1e-9, atol=1e-9)
        state = after


@pytest.mark.parametrize("memory_s", [np.inf, 0.3], ids=["constant-velocity", "fading-velocity"])
def test_predict_in_two_halves_equals_predict_at_once(
    memory_s: float, rng: np.random.Generator
) -> None:
    state = MotionState(rng.standard_normal((7, 4)), random_covariance(rng, 4, 7))
    model = MotionModel(3.0, memory_s)
    once = predict(state, 0.1, model)
    twice = predict(predict(state, 0.05, model), 0.05, model)
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
        predict(state, -0.1, MotionModel(1.0, np.inf))
