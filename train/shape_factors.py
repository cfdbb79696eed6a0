"""Mean, expressions and identities of 3-D points, from pictures of heads with known pose.

Factor analysis by expectation and maximisation: what pose and expression do not explain of a head
is its own mixture of identities, of which nothing but the picture is known.

Source:
    Dempster, Laird, Rubin 1977, with a linear observation of its own for every head.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_ROUNDS = 30
_FIRST_IDENTITY = 0.05
_SHIFT_DEVIATION = 0.5
"""Units: how far the pictures' centres lie beside the optical axis."""
_EXPRESSION_RIDGE, _LEAST_VARIANCE = 1.0, 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class ShapeFactors:
    """A linear model of points, in the units of the distances."""

    mean: Float[np.ndarray, "points xyz=3"]
    expression: Float[np.ndarray, "points xyz=3 coefficients"]
    identity: Float[np.ndarray, "points xyz=3 identities"]
    variance: Float[np.ndarray, " points"]
    """Of what is not explained, in each direction."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenHeads:
    """What is known of each head."""

    offset_px: Float[np.ndarray, "heads points xy=2"]
    """From the picture's centre."""
    rotation: Float[np.ndarray, "heads 3 3"]
    distance: Float[np.ndarray, " heads"]
    focal_px: Float[np.ndarray, " heads"]
    coefficients: Float[np.ndarray, "heads coefficients"]


def fit_shape_factors(heads: SeenHeads, identities: int) -> ShapeFactors:
    """Learn the model.

    Args:
        heads: To learn from; many more than identities and coefficients.
        identities: How many dimensions people differ in.
    """
    count, points = heads.offset_px.shape[:2]
    known = np.concatenate([np.ones((count, 1)), heads.coefficients], 1)
    first = known.shape[1]
    rng = np.random.default_rng(0)
    weights = np.zeros((points, 3, first + identities))
    weights[..., first:] = _FIRST_IDENTITY * rng.normal(size=(points, 3, identities))
    variance = np.ones(points)
    depth = np.repeat(heads.distance[:, None], points, 1)
    for _ in range(_ROUNDS):
        seen = heads.offset_px * (depth / heads.focal_px[:, None])[..., None]
        mean, covariance = _hidden(heads, seen, known, weights, variance)
        whole = np.concatenate([known, mean[:, :identities]], 1)
        weights = _best_weights(heads, seen, whole, mean, covariance)
        variance = _left_over(heads, seen, whole, mean, covariance, weights)
        shape = (whole @ weights.reshape(points * 3, -1).T).reshape(count, points, 3)
        depth = (shape @ heads.rotation[:, 2, :, None])[..., 0] + heads.distance[:, None]
        spread = covariance[:, :identities, :identities].mean(0)
        spread += mean[:, :identities].T @ mean[:, :identities] / count
        weights[..., first:] = weights[..., first:] @ np.linalg.cholesky(spread)
    return ShapeFactors(weights[..., 0], weights[..., 1:first], weights[..., first:], variance)


def _seen_identities(
    heads: SeenHeads, weights: np.ndarray, first: int
) -> Float[np.ndarray, "heads coordinates hidden"]:
    """How identities, and a shift of the picture, move what is seen."""
    count, points = heads.offset_px.shape[:2]
    turned = heads.rotation[:, None, :2] @ weights[None, :, :, first:]
    shift = np.broadcast_to(np.eye(2), (count, points, 2, 2))
    return np.concatenate([turned, shift], -1).reshape(count, 2 * points, -1)


def _hidden(
    heads: SeenHeads, seen: np.ndarray, known: np.ndarray, weights: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of each head's identities and shift."""
    count, points = seen.shape[:2]
    first = known.shape[1]
    shape = (known @ weights[..., :first].reshape(points * 3, first).T).reshape(count, points, 3)
    left = seen - shape @ heads.rotation[:, :2].swapaxes(1, 2)
    moves = _seen_identities(heads, weights, first)
    weighed = moves / np.repeat(variance, 2)[:, None]
    prior = np.ones(moves.shape[-1])
    prior[-2:] = _SHIFT_DEVIATION**-2
    covariance = np.linalg.inv(weighed.swapaxes(1, 2) @ moves + np.diag(prior))
    pull = weighed.swapaxes(1, 2) @ left.reshape(count, -1, 1)
    return (covariance @ pull)[..., 0], covariance


def _best_weights(
    heads: SeenHeads, seen: np.ndarray, whole: np.ndarray, mean: np.ndarray, covariance: np.ndarray
) -> np.ndarray:
    """The normal equations of each point; their matrix is the same for all."""
    count, points = seen.shape[:2]
    size, identities = whole.shape[1], mean.shape[1] - 2
    square = whole[:, :, None] * whole[:, None]
    square[:, -identities:, -identities:] += covariance[:, :identities, :identities]
    view = heads.rotation[:, :2]
    views = view.swapaxes(1, 2) @ view
    system = (views.reshape(count, 9).T @ square.reshape(count, -1)).reshape(3, 3, size, size)
    system = system.transpose(0, 2, 1, 3).reshape(3 * size, 3 * size)
    ridge = np.full((3, size), 1e-3)
    ridge[:, 1 : size - identities] = _EXPRESSION_RIDGE
    back = (seen - mean[:, None, -2:]) @ view  # points of the picture, in the head's frame
    aim = back.reshape(count, -1).T @ whole
    aim = aim.reshape(points, 3, size)
    together = view.swapaxes(1, 2) @ covariance[:, -2:, :identities]
    aim[..., -identities:] -= together.sum(0)
    solved = np.linalg.solve(system + np.diag(ridge.ravel()), aim.reshape(points, -1).T)
    return np.asarray(solved.T.reshape(points, 3, size))


def _left_over(
    heads: SeenHeads, seen: np.ndarray, whole: np.ndarray, mean: np.ndarray,
    covariance: np.ndarray, weights: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Variance of each point that the model does not explain."""
    count, points = seen.shape[:2]
    shape = (whole @ weights.reshape(points * 3, -1).T).reshape(count, points, 3)
    left = seen - mean[:, None, -2:] - shape @ heads.rotation[:, :2].swapaxes(1, 2)
    moves = _seen_identities(heads, weights, whole.shape[1] - mean.shape[1] + 2)
    unsure = ((moves @ covariance) * moves).sum(-1).reshape(count, points, 2)
    variance: np.ndarray = (left**2 + unsure).mean((0, 2))
    return np.maximum(variance, _LEAST_VARIANCE)
