import numpy as np

from tracker.gaussian import (
    CHI_SQUARE_2,
    ellipse_axes,
    inverse_2x2,
    precision_weighted_mean,
    squared_mahalanobis,
)


def test_inverse_equals_lapack(rng: np.random.Generator) -> None:
    root = rng.standard_normal((4, 7, 2, 2))
    matrices = root @ root.swapaxes(-1, -2) + 0.1 * np.eye(2)
    np.testing.assert_allclose(inverse_2x2(matrices), np.linalg.inv(matrices), rtol=1e-9)


def test_the_gates_hold_their_share_of_a_gaussian(rng: np.random.Generator) -> None:
    covariance = np.array([[3.0, 1.2], [1.2, 1.0]])
    drawn = rng.multivariate_normal([0, 0], covariance, 100_000)
    squared = squared_mahalanobis(drawn, np.broadcast_to(covariance, (len(drawn), 2, 2)))
    assert abs(squared.mean() - 2) < 0.03
    for share, radius in CHI_SQUARE_2.items():
        assert abs((squared <= radius).mean() - share) < 0.006


def test_the_ellipse_lies_along_the_uncertain_direction() -> None:
    half_axes, angle = ellipse_axes(np.diag([9.0, 1.0])[None], 0.95)
    np.testing.assert_allclose(half_axes[0], np.sqrt(5.991 * np.array([9, 1])), rtol=1e-3)
    assert abs(np.sin(np.radians(angle[0]))) < 1e-9


def test_a_surer_gaussian_draws_the_mean_to_itself() -> None:
    mean = np.array([[0.0, 0.0], [3.0, 8.0]])
    covariance = np.stack([np.diag([1.0, 1.0]), np.diag([2.0, 3.0])])
    fused, spread = precision_weighted_mean(mean, covariance)
    np.testing.assert_allclose(fused, [1.0, 2.0])
    np.testing.assert_allclose(spread, np.diag([4 / 3, 3 / 2]))


def test_looking_twice_at_the_same_does_not_make_one_surer() -> None:
    mean, covariance = np.array([[1.0, 2.0]] * 2), np.array([[[2.0, 0.3], [0.3, 1.0]]] * 2)
    fused, spread = precision_weighted_mean(mean, covariance)
    np.testing.assert_allclose(fused, mean[0])
    np.testing.assert_allclose(spread, covariance[0])
