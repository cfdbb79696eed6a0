"""Motion of a head in the picture, fitted to its landmarks by weighted least squares.

The four numbers of a similarity have the unit of the points: translation along x and y, and how far
scale and rotation move a landmark one unit of length (inter-ocular distance) away from the centre.
Small motions only, from frame to frame: a landmark at (u, v) units from the centre moves by
(translation_x + scale u - rotation v, translation_y + scale v + rotation u).

A head that turns in depth moves further: with the depth z of a landmark, any turn of a far head
moves it along x and y by linear functions of u, v and z. Four numbers remain when the similarity is
taken off: (yaw z + stretch u + shear v, pitch z + shear u - stretch v).

So every number moves a landmark by a linear function of its terms 1, u, v and z: what has to be
summed over landmarks are products of terms, which all numbers share.

Points come as their components, the leading axis, like the matrices of `kalman`.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from jaxtyping import Float

from .kalman import times

Points = Float[np.ndarray, "xy=2 faces landmarks"]
Terms = Float[np.ndarray, "faces terms landmarks"]
"""1, u and v of each landmark and, where depths are known, z."""
Motion = Float[np.ndarray, "faces numbers"]
"""The four numbers of a similarity and, where depths are known, the four of a turn."""
Precision = Float[np.ndarray, "xx_xy_yy=3 faces landmarks"]
OfLandmarks = Float[np.ndarray, "faces landmarks"]
OutlierFactor = Callable[[OfLandmarks], OfLandmarks | None]
Products = Float[np.ndarray, "faces products landmarks"]
"""Of every two terms."""
Linear = Float[np.ndarray, "numbers xy_terms"]
Quadratic = Float[np.ndarray, "sums entries"]
_SIMILARITY = (
    ((1, 0, 0, 0), (0, 0, 0, 0)),
    ((0, 0, 0, 0), (1, 0, 0, 0)),
    ((0, 1, 0, 0), (0, 0, 1, 0)),
    ((0, 0, -1, 0), (0, 1, 0, 0)),
)
"""Of each number, how far along x and y each term moves."""
_TURN = (
    ((0, 0, 0, 1), (0, 0, 0, 0)),
    ((0, 0, 0, 0), (0, 0, 0, 1)),
    ((0, 1, 0, 0), (0, 0, -1, 0)),
    ((0, 0, 1, 0), (0, 1, 0, 0)),
)
_GROUP = 4
"""Numbers that are fitted at once."""
_ENTRIES = _GROUP * _GROUP
_PRIOR_PRECISION = 1e-12
"""Of no scale and rotation, of no stretch and shear, relative to the precision of the first number:
it matters only where all landmarks lie in one place."""


def head_terms(
    points: Points,
    length: Float[np.ndarray, " faces"],
    depths: Float[np.ndarray, " landmarks"] | None = None,
) -> Terms:
    """What the motion of a head moves the landmarks by.

    Args:
        points: Pixels.
        length: Unit of length of each face, pixels.
        depths: Of each landmark, away from the camera, less their mean; None leaves turns out.
    """
    _, faces, landmarks = points.shape
    terms = np.empty((faces, 3 if depths is None else 4, landmarks))
    terms[:, 0] = 1
    home = terms[:, 1:3].swapaxes(0, 1)
    np.subtract(points, points.sum(-1, keepdims=True) / landmarks, out=home)
    home /= length[:, None]
    if depths is not None:
        terms[:, 3] = depths
    return terms


def moved(terms: Terms, motion: Motion) -> Points:
    """How far a motion, of a similarity or of that and a turn, takes each landmark."""
    linear, _ = _maps(terms.shape[1])
    return _moved(terms, motion, linear[: motion.shape[1]])


def fit(
    terms: Terms,
    offset: Points,
    precision: Precision,
    outlier_factor: OutlierFactor = lambda _: None,
) -> tuple[Motion, Motion, Points]:
    """The similarity, then the turn that explains most of what it leaves.

    Landmarks that lie in one place show neither scale nor rotation: none is taken, with a vast
    variance.

    Args:
        terms: Of the landmarks before the motion; without depths the similarity alone is fitted.
        offset: From there to where they were measured.
        precision: Inverse covariance of each offset.
        outlier_factor: From the squared Mahalanobis distances of what a fit leaves: the factors on
            the covariances in a second fit, or None where there need be none.

    Returns:
        Their numbers, the variances of these, and what is left of the offsets.

    Source:
        Weighted least squares: (B W B^T) q = B W y, and (B W B^T)^-1 is the covariance of q.
    """
    linear, quadratic = _maps(terms.shape[1])
    groups = len(linear) // _GROUP
    motion, variance = np.empty((2, terms.shape[0], groups, _GROUP))
    products = _products(terms)
    covariances = _covariances(products, precision, quadratic)
    weighted = times(precision, offset)
    for group in range(groups):
        of_group, covariance = linear[_GROUP * group :][:_GROUP], covariances[:, group]
        found = _solved(covariance, terms, weighted, of_group)
        left = offset - _moved(terms, found, of_group)
        left_weighted = times(precision, left)
        distance = left * left_weighted
        factor = outlier_factor(distance[0] + distance[1])
        if factor is not None:
            of_entries = quadratic[:, _ENTRIES * group :][:, :_ENTRIES]
            covariance = _covariances(products, precision / factor, of_entries)[:, 0]
            found = _solved(covariance, terms, weighted / factor, of_group)
            left = offset - _moved(terms, found, of_group)
            if group + 1 < groups:
                left_weighted = times(precision, left)
        motion[:, group] = found
        variance[:, group] = covariance.reshape(-1, _ENTRIES)[:, :: _GROUP + 1]
        offset, weighted = left, left_weighted
    return motion.reshape(len(motion), -1), variance.reshape(len(motion), -1), offset


def _moved(terms: Terms, motion: Motion, linear: Linear) -> Points:
    faces, count, _ = terms.shape
    away: np.ndarray = (motion @ linear).reshape(faces, 2, count) @ terms
    return away.swapaxes(0, 1)


def _solved(
    covariance: Float[np.ndarray, "faces 4 4"], terms: Terms, weighted: Points, linear: Linear
) -> Motion:
    """(B W B^T)^-1 B W y, from W y."""
    sums = weighted.swapaxes(0, 1) @ terms.swapaxes(1, 2)
    solved: np.ndarray = sums.reshape(len(sums), 1, -1) @ linear.T @ covariance
    return solved[:, 0]


def _covariances(
    products: Products, precision: Precision, quadratic: Quadratic
) -> Float[np.ndarray, "faces groups 4 4"]:
    """(B W B^T)^-1 of the numbers of each group."""
    sums = precision.swapaxes(0, 1) @ products.swapaxes(1, 2)
    systems = sums.reshape(len(sums), -1) @ quadratic
    return np.linalg.inv(systems.reshape(len(sums), -1, _GROUP, _GROUP))


def _products(terms: Terms) -> Products:
    """Of every two terms."""
    faces, count, landmarks = terms.shape
    products = np.empty((faces, count * (count + 1) // 2, landmarks))
    products[:, :count] = terms  # the first term is 1
    last = count
    for one in range(1, count):
        first, last = last, last + count - one
        np.multiply(terms[:, one, None], terms[:, one:], out=products[:, first:last])
    return products


def _of_symmetric(size: int) -> Float[np.ndarray, "pairs size size"]:
    """Where each entry of the upper triangle stands in a symmetric matrix."""
    rows, columns = np.triu_indices(size)
    places = np.zeros((len(rows), size, size))
    pairs = np.arange(len(rows))
    places[pairs, rows, columns] = places[pairs, columns, rows] = 1
    return places


@cache
def _maps(terms: int) -> tuple[Linear, Quadratic]:
    """How numbers follow from sums over landmarks, of layouts with or without depths.

    Args:
        terms: Their number.

    Returns:
        How far along x and y each number moves each term, and what each product of an entry of W
        and two terms adds to each entry of B W B^T.
    """
    groups = (_SIMILARITY,) if terms == 3 else (_SIMILARITY, _TURN)
    linear = np.array(groups, np.float64)[..., :terms]
    entries, pairs = _of_symmetric(2), _of_symmetric(terms)
    quadratic = np.einsum("gnaf,gmbh,kab,pfh->gnmkp", linear, linear, entries, pairs)
    for number in (2, 3):
        quadratic[:, number, number] += _PRIOR_PRECISION * quadratic[:, 0, 0]
    numbers = len(groups) * _GROUP
    return linear.reshape(numbers, -1), quadratic.reshape(numbers * _GROUP, -1).T.copy()
