"""2-D Gaussians: distances, gates and ellipses."""

import numpy as np
from jaxtyping import Float

CHI_SQUARE_2 = {0.5: 1.386, 0.683: 2.296, 0.9: 4.605, 0.95: 5.991, 0.99: 9.210}
"""Squared Mahalanobis distance inside which this share of a 2-D Gaussian lies."""


def inverse_2x2(
    matrix: Float[np.ndarray, "*batch xy=2 xy=2"],
) -> Float[np.ndarray, "*batch xy=2 xy=2"]:
    """Inverse in closed form: for thousands of tiny matrices many times faster than LAPACK."""
    a, b = matrix[..., 0, 0], matrix[..., 0, 1]
    c, d = matrix[..., 1, 0], matrix[..., 1, 1]
    adjugate = np.stack([np.stack([d, -b], -1), np.stack([-c, a], -1)], -2)
    return adjugate / (a * d - b * c)[..., None, None]


def squared_mahalanobis(
    offset: Float[np.ndarray, "*batch xy=2"], covariance: Float[np.ndarray, "*batch xy=2 xy=2"]
) -> Float[np.ndarray, "*batch"]:
    """Squared distance in standard deviations; its mean is 2 where the covariance is true."""
    return np.einsum("...i,...ij,...j->...", offset, inverse_2x2(covariance), offset)


def precision_weighted_mean(
    mean: Float[np.ndarray, "gaussians *batch xy=2"],
    covariance: Float[np.ndarray, "gaussians *batch xy=2 xy=2"],
) -> tuple[Float[np.ndarray, "*batch xy=2"], Float[np.ndarray, "*batch xy=2 xy=2"]]:
    """Mean of Gaussians, weighted by inverse covariance, and its covariance.

    Errors in several crops of one face are much the same, so a second crop does not halve the
    covariance: it is the inverse of the *mean* precision, which holds for any correlation.

    Source:
        Julier, Uhlmann 1997, covariance intersection, with equal weights.
    """
    # P = (1/n sum P_i^-1)^-1,  m = P 1/n sum P_i^-1 m_i
    precision = inverse_2x2(covariance)
    fused = inverse_2x2(precision.mean(0))
    weighted = (precision @ mean[..., None]).mean(0)
    return (fused @ weighted)[..., 0], fused


def ellipse_axes(
    covariance: Float[np.ndarray, "*batch xy=2 xy=2"], probability: float
) -> tuple[Float[np.ndarray, "*batch axes=2"], Float[np.ndarray, "*batch"]]:
    """Half axes (long, short) in pixels and the long one's angle in degrees.

    Args:
        covariance: Square pixels.
        probability: Share of the Gaussian inside the ellipse.
    """
    eigenvalues, eigenvectors = np.linalg.eigh(covariance)
    radius = np.sqrt(-2 * np.log1p(-probability))
    half_axes = radius * np.sqrt(np.maximum(eigenvalues[..., ::-1], 0))
    long_axis = eigenvectors[..., :, 1]
    return half_axes, np.degrees(np.arctan2(long_axis[..., 1], long_axis[..., 0]))
