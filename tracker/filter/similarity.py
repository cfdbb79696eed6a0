"""Motion of a head in the picture, fitted to its landmarks by weighted least squares.

The four numbers of a similarity have the unit of the points: translation along x and y, and how far
scale and rotation move a landmark one unit of length (inter-ocular distance) away from the centre.
Small motions only, from frame to frame: a landmark at (u, v) units from the centre moves by
(translation_x + scale u - rotation v, translation_y + scale v + rotation u).

A head that turns in depth moves further: with the depth z of a landmark, any turn of a far head
moves it along x and y by linear functions of u, v and z. Four numbers remain when the similarity is
taken off: (yaw z + stretch u + shear v, pitch z + shear u - stretch v).

Points come as their components, the leading axis, like the matrices of `kalman`.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "xy=2 faces landmarks"]
Motion = Float[np.ndarray, "faces motion"]
Basis = Float[np.ndarray, "faces motion xy=2 landmarks"]
"""How each number of a motion moves each landmark."""
HeadMotion = Float[np.ndarray, "faces numbers"]
"""Of all groups, one after the other."""
Bases = tuple[Basis, ...]
"""Of a similarity and, where depths are known, of a turn."""
Precision = Float[np.ndarray, "xx_xy_yy=3 faces landmarks"]
Weighed = Callable[[Points, Precision], Precision | None]
_IDENTITY = np.eye(4)[..., None]
_TRANSLATION = np.eye(2)[..., None]
_TURN = [2, 3]
"""Scale and rotation; stretch and shear."""
_PRIOR_PRECISION = 1e-12
"""Of none of these, relative to the precision of the first number: it matters only where
all landmarks lie in one place."""


def similarity_basis(points: Points, length: Float[np.ndarray, " faces"]) -> Basis:
    """How each number of a motion moves the landmarks of faces at these points.

    Args:
        points: Pixels.
        length: Unit of length of each face, pixels.
    """
    _, faces, landmarks = points.shape
    basis = np.empty((faces, 4, 2, landmarks))
    basis[:, :2] = _TRANSLATION
    home = basis[:, 2].swapaxes(0, 1)
    np.subtract(points, points.sum(-1, keepdims=True) / landmarks, out=home)
    home /= length[:, None]
    np.negative(home[1], out=basis[:, 3, 0])
    basis[:, 3, 1] = home[0]
    return basis


def turn_basis(similarity: Basis, depths: Float[np.ndarray, " landmarks"]) -> Basis:
    """How yaw, pitch, stretch and shear move the landmarks.

    Args:
        similarity: Of the same landmarks.
        depths: Of each of them, away from the camera, less their mean.
    """
    basis = np.zeros_like(similarity)
    u, v = similarity[:, 2, 0], similarity[:, 2, 1]
    basis[:, 0, 0] = basis[:, 1, 1] = depths
    basis[:, 2, 0], basis[:, 2, 1] = u, -v
    basis[:, 3, 0], basis[:, 3, 1] = v, u
    return basis


def moved(basis: Basis, motion: Motion) -> Points:
    """How far a motion takes each landmark."""
    faces, numbers, _, landmarks = basis.shape
    away = motion[:, None] @ basis.reshape(faces, numbers, -1)
    return away.reshape(faces, 2, landmarks).swapaxes(0, 1)


def head_basis(
    points: Points,
    length: Float[np.ndarray, " faces"],
    depths: Float[np.ndarray, " landmarks"] | None,
) -> Bases:
    """Of the similarity, then, where depths are known, of the turn."""
    similarity = similarity_basis(points, length)
    return (similarity,) if depths is None else (similarity, turn_basis(similarity, depths))


def moved_head(bases: Bases, motion: HeadMotion) -> Points:
    """How far the motion of a head, its similarity and its turn, takes each landmark."""
    away = moved(bases[0], motion[:, :4])
    for place, basis in enumerate(bases[1:], 1):
        away += moved(basis, motion[:, 4 * place : 4 * place + 4])
    return away


def fit_groups(
    bases: Bases, offset: Points, precision: Precision, weighed: Weighed = lambda *_: None
) -> tuple[HeadMotion, HeadMotion, Points]:
    """The similarity, then the turn that explains most of what it leaves.

    Args:
        bases: Of both, or of the similarity alone.
        offset: From the landmarks to where they were measured.
        precision: Inverse covariance of each offset.
        weighed: From what a fit leaves and the precision: that for a second fit, or None.

    Returns:
        Their numbers, the variances of these, and what is left of the offsets.
    """
    motions, variances = [], []
    for basis in bases:
        motion, variance = fit_motion(basis, offset, precision)
        left = offset - moved(basis, motion)
        kept = weighed(left, precision)
        if kept is not None:
            motion, variance = fit_motion(basis, offset, kept)
            left = offset - moved(basis, motion)
        offset = left
        motions.append(motion)
        variances.append(variance)
    return np.concatenate(motions, 1), np.concatenate(variances, 1), offset


def fit_motion(basis: Basis, offset: Points, precision: Precision) -> tuple[Motion, Motion]:
    """The four numbers that explain the offsets best, and their variances.

    Landmarks that lie in one place show neither scale nor rotation: none is taken, with a vast
    variance.

    Args:
        basis: Of the landmarks before the motion.
        offset: From there to where they were measured.
        precision: Inverse covariance of each offset.

    Source:
        Weighted least squares: (B W B^T) q = B W y, and (B W B^T)^-1 is the covariance of q.
    """
    faces, landmarks = offset.shape[1:]
    known = np.empty((faces, 5, 2, landmarks))
    known[:, :4], known[:, 4] = basis, offset.swapaxes(0, 1)
    # W B: the diagonal times (x, y), and xy times (y, x)
    diagonal, across = precision[::2].swapaxes(0, 1)[:, None], precision[1][:, None, None]
    weighted = diagonal * basis
    weighted += across * basis[:, :, ::-1]
    products = weighted.reshape(faces, 4, -1) @ known.reshape(faces, 5, -1).swapaxes(1, 2)
    system = np.empty((4, 9, faces))  # B W B^T, B W y, I
    system[:, :5] = products.transpose(1, 2, 0)
    system[:, 5:] = _IDENTITY
    system[_TURN, _TURN] += _PRIOR_PRECISION * system[0, 0]
    # Gauss and Jordan, without pivoting: the matrices are positive definite. LAPACK would wake all
    # cores for each of them, and wait.
    for row in range(4):
        solved = system[row] / system[row, row]
        system -= system[:, row, None] * solved
        system[row] = solved
    return system[:, 4].T.copy(), np.diagonal(system[:, 5:]).copy()
