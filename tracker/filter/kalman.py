"""Kalman updates in closed form, batched over whatever comes after the leading axis.

Two kinds of state, both tiny: a point without velocity, and a scalar with its velocity. Symmetric
2x2 matrices are kept as their three entries, the leading axis, because thousands of them at once
are then plain vector arithmetic. `filterpy` is the oracle in the tests.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Symmetric = Float[np.ndarray, "xx_xy_yy=3 *#batch"]
Numbers = Float[np.ndarray, "*#batch"]


@dataclass(frozen=True, slots=True)
class Updated:
    """A state after a measurement."""

    step: Float[np.ndarray, "components=2 *#batch"]
    """From the predicted mean to the new one."""
    covariance: Symmetric


def packed(matrix: Float[np.ndarray, "*#batch row=2 column=2"]) -> Symmetric:
    """The three entries of symmetric matrices, an array of their own."""
    numbers = np.empty((3, *matrix.shape[:-2]))
    numbers[0], numbers[1], numbers[2] = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    return numbers


def unpacked(numbers: Symmetric) -> Float[np.ndarray, "*#batch row=2 column=2"]:
    """The matrices again, an array of their own."""
    matrix = np.empty((*numbers.shape[1:], 2, 2))
    matrix[..., 0, 0], matrix[..., 1, 1] = numbers[0], numbers[2]
    matrix[..., 0, 1] = matrix[..., 1, 0] = numbers[1]
    return matrix


def update_point(
    prior: Symmetric, noise: Symmetric, innovation: Float[np.ndarray, "xy=2 *#batch"]
) -> Updated:
    """Measure a point: H = I."""
    # S = P + R,  x += P S^-1 y,  P = (P^-1 + R^-1)^-1 = (|R| P + |P| R) / |S|, true of 2x2 alone
    total = prior + noise
    determinant = determinant_of(total)
    weighed = (total[::-2] * innovation - total[1] * innovation[::-1]) / determinant  # S^-1 y
    covariance = determinant_of(noise) / determinant * prior
    covariance += determinant_of(prior) / determinant * noise
    return Updated(times(prior, weighed), covariance)


def times(
    matrix: Symmetric, vector: Float[np.ndarray, "xy=2 *#batch"]
) -> Float[np.ndarray, "xy=2 *#batch"]:
    """Product of symmetric 2x2 matrices and vectors."""
    # The diagonal times the vector, and xy times the vector with x and y swapped.
    product: np.ndarray = matrix[::2] * vector
    product += matrix[1] * vector[::-1]
    return product


def determinant_of(matrix: Symmetric) -> Float[np.ndarray, "*#batch"]:
    """Of symmetric 2x2 matrices."""
    return matrix[0] * matrix[2] - matrix[1] * matrix[1]


def inverse_of(matrix: Symmetric) -> Symmetric:
    """Of symmetric 2x2 matrices."""
    inverse: np.ndarray = matrix[::-1] / determinant_of(matrix)
    inverse[1] *= -1
    return inverse


def outer(
    one: Float[np.ndarray, "components=2 *#batch"], other: Float[np.ndarray, "components=2 *#batch"]
) -> Symmetric:
    """Of vectors whose outer product is symmetric."""
    product = np.empty((3, *one.shape[1:]))
    np.multiply(one[0], other[:2], out=product[:2])
    np.multiply(one[1], other[1], out=product[2])
    return product


def update_velocity(
    prior: Symmetric, noise: Float[np.ndarray, "*#batch"], innovation: Float[np.ndarray, "*#batch"]
) -> Updated:
    """Measure a scalar that has a velocity: state (value, velocity), H = (1, 0)."""
    gain = prior[:2] / (prior[0] + noise)  # K = P H^T S^-1
    return Updated(gain * innovation, prior - outer(gain, prior[:2]))  # P -= K H P


def scalar_likelihood(
    variance: Float[np.ndarray, "*#batch"], innovation: Float[np.ndarray, "*#batch"]
) -> tuple[Float[np.ndarray, "*#batch"], Float[np.ndarray, "*#batch"]]:
    """Normalised innovation squared, and its log likelihood but for a constant."""
    distance = innovation * innovation / variance
    return distance, -0.5 * (distance + np.log(variance))


def predict_velocity(
    covariance: Symmetric,
    dt_s: Float[np.ndarray, "*#batch"],
    memory_s: float,
    acceleration_noise: Float[np.ndarray, "*#batch"],
) -> Symmetric:
    """Covariance of (value, velocity) after `dt_s`: white acceleration drives a decaying velocity.

    Source:
        Bar-Shalom, Li, Kirubarajan 2001, 8.2.3: Ornstein-Uhlenbeck velocity; exact for any step.
    """
    kept, reach = velocity_after(dt_s, memory_s)
    vv, vr, rr = covariance
    carried = vr + reach * rr
    moved = np.array([vv + reach * (vr + carried), kept * carried, kept * kept * rr])
    noise = np.array(velocity_noise(dt_s, kept, reach, memory_s))
    predicted: np.ndarray = moved + acceleration_noise * noise
    return predicted


def velocity_noise(
    dt_s: Numbers, kept: Numbers, reach: Numbers, memory_s: float
) -> tuple[Numbers, Numbers, Numbers]:
    """Process noise within `dt_s` (vv, vr, rr) of unit acceleration, from `velocity_after`."""
    velocity = reach * (1 + kept) / 2
    # The entry of the value cancels where dt_s is far below the time constant.
    exact = memory_s**2 * (dt_s - 2 * reach + velocity)
    value: Numbers = np.where(dt_s < 1e-3 * memory_s, dt_s**3 / 3, exact)
    return value, reach * reach / 2, velocity


def velocity_after(dt_s: Numbers, memory_s: float) -> tuple[Numbers, Numbers]:
    """Share of a velocity left after `dt_s`, and the distance that one unit of it has covered."""
    decay = dt_s / -memory_s
    return np.exp(decay), -memory_s * np.expm1(decay)


def merged_covariance(
    weight: Float[np.ndarray, "hypotheses *#batch"],
    away: Float[np.ndarray, "components=2 hypotheses *#batch"],
    covariance: Float[np.ndarray, "xx_xy_yy=3 hypotheses *#batch"],
) -> Symmetric:
    """Covariance of a mixture of Gaussians.

    Args:
        weight: Their probabilities.
        away: From the mean of the mixture to theirs.
        covariance: Of each.

    Source:
        Generalised pseudo-Bayesian filter of first order (Bar-Shalom et al. 2001, 11.6.2).
    """
    spread = outer(away, away)
    spread += covariance
    spread *= weight
    return np.add.reduce(spread, 1)
