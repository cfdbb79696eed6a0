from dataclasses import replace

import numpy as np
import pytest
from filterpy.common import van_loan_discretization
from filterpy.kalman import KalmanFilter

from tracker.filter.config import MotionConfig
from tracker.filter.head_filter import HeadFilter
from tracker.filter.head_model import HeadModel
from tracker.filter.kalman import (
    inverse_of,
    merged_covariance,
    packed,
    predict_velocity,
    scalar_likelihood,
    times,
    unpacked,
    update_point,
    update_velocity,
    velocity_after,
)
from tracker.filter.walking_points import WalkingPoints
from tracker.layouts import IBUG_68


def random_covariance(rng: np.random.Generator, *batch: int) -> np.ndarray:
    root = rng.standard_normal((*batch, 2, 2))
    return root @ root.swapaxes(-1, -2) + 0.1 * np.eye(2)


def test_packing_loses_nothing(rng: np.random.Generator) -> None:
    matrices = random_covariance(rng, 3, 5)
    np.testing.assert_array_equal(unpacked(packed(matrices)), matrices)
    np.testing.assert_allclose(unpacked(inverse_of(packed(matrices))), np.linalg.inv(matrices))


def test_every_point_of_every_face_equals_filterpy(rng: np.random.Generator) -> None:
    faces, landmarks = 3, 5
    prior, noise = (
        random_covariance(rng, faces, landmarks),
        random_covariance(rng, faces, landmarks),
    )
    innovation = rng.standard_normal((2, faces, landmarks))
    after = update_point(packed(prior), packed(noise), innovation)
    unmoved = WalkingPoints(packed(prior), packed(noise)).against(innovation)
    distance, log_determinant = unmoved.likelihood(np.zeros(landmarks))
    for here in np.ndindex(faces, landmarks):
        kalman = KalmanFilter(dim_x=2, dim_z=2)
        kalman.P, kalman.H = prior[here].copy(), np.eye(2)
        kalman.update(innovation[(slice(None), *here)], R=noise[here])
        np.testing.assert_allclose(after.step[(slice(None), *here)], kalman.x[:, 0], rtol=1e-9)
        np.testing.assert_allclose(unpacked(after.covariance)[here], kalman.P, rtol=1e-9)
        np.testing.assert_allclose(distance[here], kalman.mahalanobis**2, rtol=1e-9)
        evidence = -0.5 * (distance + log_determinant)[here] - np.log(2 * np.pi)
        np.testing.assert_allclose(evidence, kalman.log_likelihood, rtol=1e-9)


@pytest.mark.parametrize("memory_s", [1e9, 0.3], ids=["constant-rate", "fading-rate"])
@pytest.mark.parametrize("dt_s", [1 / 30, 0.2, 1 / 240])
def test_every_number_with_a_rate_equals_filterpy(
    memory_s: float, dt_s: float, rng: np.random.Generator
) -> None:
    before, noise = random_covariance(rng, 4), rng.uniform(0.1, 2, 4)
    mean, measured = rng.standard_normal((2, 4)), rng.standard_normal(4)
    acceleration = np.full(4, 0.7)
    times = np.full(4, dt_s)
    kept, reach = velocity_after(times, memory_s)
    value, rate = mean[0] + reach * mean[1], kept * mean[1]
    prior = predict_velocity(packed(before), times, memory_s, acceleration)
    after = update_velocity(prior, noise, measured - value)
    surprise, evidence = scalar_likelihood(prior[0] + noise, measured - value)
    for here in range(4):
        kalman = KalmanFilter(dim_x=2, dim_z=1)
        kalman.x, kalman.P = mean[:, here : here + 1].copy(), before[here].copy()
        drift = np.array([[0, 1], [0, -1 / memory_s]])
        shock = np.sqrt(0.7) * np.array([[0.0], [1.0]])
        kalman.F, kalman.Q = van_loan_discretization(drift, shock, dt_s)
        kalman.H = np.array([[1.0, 0.0]])
        kalman.predict()
        kalman.update(measured[here], R=noise[here])
        found = np.stack([value, rate])[:, here] + after.step[:, here]
        np.testing.assert_allclose(found, kalman.x[:, 0], rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(unpacked(after.covariance)[here], kalman.P, rtol=1e-6)
        np.testing.assert_allclose(surprise[here], kalman.mahalanobis**2, rtol=1e-6)
        constant = -0.5 * np.log(2 * np.pi)
        np.testing.assert_allclose(evidence[here] + constant, kalman.log_likelihood, rtol=1e-6)


@pytest.mark.parametrize("memory_s", [1e9, 0.3], ids=["constant-rate", "fading-rate"])
def test_predict_in_two_halves_equals_predict_at_once(
    memory_s: float, rng: np.random.Generator
) -> None:
    before, noise = packed(random_covariance(rng, 7)), np.full(7, 3.0)
    once = predict_velocity(before, np.full(7, 0.1), memory_s, noise)
    half = np.full(7, 0.05)
    twice = predict_velocity(predict_velocity(before, half, memory_s, noise), half, memory_s, noise)
    np.testing.assert_allclose(twice, once, rtol=1e-6)


def test_points_that_walk_before_they_are_measured_equal_a_wider_prior(
    rng: np.random.Generator,
) -> None:
    prior, noise = packed(random_covariance(rng, 5)), packed(random_covariance(rng, 5))
    offset, walked = rng.standard_normal((2, 5)), rng.uniform(0.1, 3, 5)
    wider = prior + np.array([[1.0], [0.0], [1.0]]) * walked
    points = WalkingPoints(prior, noise)
    expected, after = update_point(wider, noise, offset), points.against(offset).updated(walked)
    np.testing.assert_allclose(after.step, expected.step, rtol=1e-9)
    np.testing.assert_allclose(after.covariance, expected.covariance, rtol=1e-9)
    np.testing.assert_allclose(points.precision(walked), inverse_of(wider + noise), rtol=1e-9)
    distance, log_determinant = points.against(offset).likelihood(walked)
    total = unpacked(wider + noise)
    expected_distance = [y @ np.linalg.solve(s, y) for s, y in zip(total, offset.T, strict=True)]
    np.testing.assert_allclose(distance, expected_distance, rtol=1e-9)
    np.testing.assert_allclose(log_determinant, np.linalg.slogdet(total)[1], rtol=1e-9)


def test_what_a_head_is_predicted_to_do_is_what_each_of_its_filters_predicts() -> None:
    config, dt_s, length = MotionConfig(), 0.04, np.array([100.0])
    head_filter = HeadFilter(IBUG_68, config)
    known = np.random.default_rng(0).uniform(1, 2, (3, 1, 8))
    points = np.random.default_rng(1).uniform(0, 200, (1, 68, 2))
    start = head_filter.start(points, np.tile(np.eye(2), (1, 68, 1, 1)))
    modes = np.full((5, 1, 2), 0.01)
    modes[2] = 0.96  # turning: the second acceleration
    state = replace(start, head_covariance=known, velocity=known[0], head_modes=modes)
    model = HeadModel(config, groups=2)
    dt = np.array([dt_s])
    noise = config.acceleration_noise[1] * length**2 * np.repeat([1, config.turn_process_noise], 4)
    truth = predict_velocity(known, dt[:, None], config.velocity_memory_s, noise[None])[0]
    np.testing.assert_allclose(model.predicted_variance(state, dt, length), truth, rtol=1e-12)


def test_update_between_two_equal_gaussians_meets_in_the_middle() -> None:
    one = packed(np.eye(2)[None])
    after = update_point(one, one, np.array([[2.0], [-4.0]]))
    np.testing.assert_allclose(after.step[:, 0], [1.0, -2.0])
    np.testing.assert_allclose(unpacked(after.covariance)[0], 0.5 * np.eye(2))


def test_a_mixture_keeps_its_mean_and_covariance(rng: np.random.Generator) -> None:
    weight = np.array([[0.2], [0.8]])
    mean, matrices = rng.standard_normal((2, 2, 1)), random_covariance(rng, 2, 1)
    middle = (weight * mean).sum(1)
    covariance = merged_covariance(weight, mean - middle[:, None], packed(matrices))
    draws = np.concatenate(
        [
            rng.multivariate_normal(mean[:, index, 0], matrices[index, 0], int(400_000 * share))
            for index, share in enumerate((0.2, 0.8))
        ]
    )
    np.testing.assert_allclose(middle[:, 0], draws.mean(0), atol=0.02)
    np.testing.assert_allclose(unpacked(covariance)[0], np.cov(draws.T), rtol=0.03, atol=0.02)


def test_a_product_with_symmetric_matrices_is_that_of_matmul(rng: np.random.Generator) -> None:
    matrices, vectors = random_covariance(rng, 3, 5), rng.standard_normal((3, 5, 2))
    product = times(packed(matrices), np.moveaxis(vectors, -1, 0))
    truth = (matrices @ vectors[..., None])[..., 0]
    np.testing.assert_allclose(np.moveaxis(product, 0, -1), truth, rtol=1e-12)
