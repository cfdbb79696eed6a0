"""Similarity motion of a head in the picture, fitted to its landmarks by weighted least squares.

The four numbers of a motion all have the unit of the points: translation along x and y, and how far
scale and rotation move a landmark one unit of length (inter-ocular distance) away from the centre.
Small motions only, from frame to frame: a landmark at (u, v) units from the centre moves by
(translation_x + scale u - rotation v, translation_y + scale v + rotation u).

Points come as their components, the leading axis, like the matrices of `kalman`.
"""

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "xy=2 faces landmarks"]
Motion = Float[np.ndarray, "faces motion=4"]
Basis = Float[np.ndarray, "xy=2 faces motion=4 landmarks"]
"""How each number of a motion moves each landmark."""
_IDENTITY = np.eye(4)[..., None]
_PRIOR_PRECISION = 1e-12
"""Of no scale and no rotation, relative to the precision of the translation: it matters only where
all landmarks lie in one place."""


def similarity_basis(points: Points, length: Float[np.ndarray, " faces"]) -> Basis:
    """How each number of a motion moves the landmarks of faces at these points.

    Args:
        points: Pixels.
        length: Unit of length of each face, pixels.
    """
    _, faces, landmarks = points.shape
    centre = points.sum(-1, keepdims=True) / landmarks
    basis = np.zeros((2, faces, 4, landmarks))
    basis[0, :, 0] = basis[1, :, 1] = 1
    basis[:, :, 2] = (points - centre) / length[:, None]
    u, v = basis[:, :, 2]
    basis[0, :, 3], basis[1, :, 3] = -v, u
    return basis


def moved(basis: Basis, motion: Motion) -> Points:
    """How far a motion takes each landmark."""
    return (motion[:, None] @ basis)[:, :, 0]


def fit_similarity(
    basis: Basis, offset: Points, precision: Float[np.ndarray, "xx_xy_yy=3 faces landmarks"]
) -> tuple[Motion, Motion]:
    """The motion that explains the offsets best, and the variances of its numbers.

    Landmarks that lie in one place show neither scale nor rotation: none is taken, with a vast
    variance.

    Args:
        basis: Of the landmarks before the motion.
        offset: From there to where they were measured.
        precision: Inverse covariance of each offset.

    Source:
        Weighted least squares: (B W B^T) q = B W y, and (B W B^T)^-1 is the covariance of q.
    """
    # W B: the diagonal times (x, y), and xy times (y, x)
    weighted = precision[::2, :, None] * basis
    weighted += precision[1, :, None] * basis[::-1]
    system = np.zeros((4, 9, offset.shape[1]))  # B W B^T, B W y, I
    system[:, :4] = (weighted @ basis.swapaxes(2, 3)).sum(0).T
    prior = _PRIOR_PRECISION * system[0, 0]
    system[2, 2] += prior
    system[3, 3] += prior
    system[:, 4] = (weighted @ offset[..., None]).sum(0)[..., 0].T
    system[:, 5:] = _IDENTITY
    # Gauss and Jordan, without pivoting: the matrices are positive definite. LAPACK would wake all
    # cores for each of them, and wait.
    for row in range(4):
        solved = system[row] / system[row, row]
        system -= system[:, row, None] * solved
        system[row] = solved
    return system[:, 4].T.copy(), np.diagonal(system[:, 5:]).copy()
