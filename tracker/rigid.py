"""Rigid motion of a head in the picture: shift, growth and turn, fitted to its landmarks.

The four numbers of a motion all have the unit of the points: shift along x and y, and how far the
growth and the turn move a landmark one yardstick (inter-ocular distance) away from the centre.
Small motions only, from frame to frame: a landmark at (u, v) yardsticks from the centre moves by
(shift_x + growth u - turn v, shift_y + growth v + turn u).

Points come as their components, the leading axis, like the matrices of `kalman`.
"""

import numpy as np
from jaxtyping import Float

from .gaussian import inverse_2x2

Points = Float[np.ndarray, "xy=2 faces landmarks"]
Motion = Float[np.ndarray, "faces motion=4"]
Basis = Float[np.ndarray, "xy=2 faces motion=4 landmarks"]
"""How each number of a motion moves each landmark."""


def motion_basis(points: Points, yardstick: Float[np.ndarray, " faces"]) -> Basis:
    """For faces at these points."""
    u, v = (points - points.mean(-1, keepdims=True)) / yardstick[:, None]
    basis = np.zeros((2, u.shape[0], 4, u.shape[1]))
    basis[0, :, 0] = basis[1, :, 1] = 1
    basis[0, :, 2], basis[1, :, 2] = u, v
    np.negative(v, out=basis[0, :, 3])
    basis[1, :, 3] = u
    return basis


def moved(basis: Basis, motion: Motion) -> Points:
    """How far a motion takes each landmark."""
    return (motion[:, None] @ basis)[:, :, 0]


def fit_motion(
    basis: Basis, offset: Points, precision: Float[np.ndarray, "xx_xy_yy=3 faces landmarks"]
) -> tuple[Motion, Motion]:
    """The motion that explains the offsets best, and the variances of its numbers.

    Args:
        basis: Of the landmarks before the motion.
        offset: From there to where they were measured.
        precision: Inverse covariance of each offset.

    Source:
        Weighted least squares: q = (B W B^T)^-1 B W y.
    """
    xx, xy, yy = precision[:, :, None]
    x, y = basis
    weighted_x, weighted_y = xx * x + xy * y, xy * x + yy * y
    normal = weighted_x @ x.swapaxes(1, 2) + weighted_y @ y.swapaxes(1, 2)
    pull = weighted_x @ offset[0, ..., None] + weighted_y @ offset[1, ..., None]
    covariance = _inverse_4x4(normal)
    return (covariance @ pull)[..., 0], np.diagonal(covariance, axis1=1, axis2=2).copy()


def _inverse_4x4(
    matrix: Float[np.ndarray, "faces motion=4 motion=4"],
) -> Float[np.ndarray, "faces motion=4 motion=4"]:
    """Of symmetric matrices, by 2x2 blocks: LAPACK wakes all cores for each, and waits for them."""
    # [A B; B^T D]^-1 with Schur complement S = D - B^T A^-1 B
    upper, corner, lower = matrix[:, :2, :2], matrix[:, :2, 2:], matrix[:, 2:, 2:]
    upper_inverse = inverse_2x2(upper)
    across = upper_inverse @ corner
    schur_inverse = inverse_2x2(lower - corner.swapaxes(1, 2) @ across)
    inverse = np.empty_like(matrix)
    inverse[:, :2, 2:] = -across @ schur_inverse
    inverse[:, 2:, :2] = inverse[:, :2, 2:].swapaxes(1, 2)
    inverse[:, :2, :2] = upper_inverse - inverse[:, :2, 2:] @ across.swapaxes(1, 2)
    inverse[:, 2:, 2:] = schur_inverse
    return inverse
