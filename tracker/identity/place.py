"""What the place of a face says about whose it is: Mahalanobis distances from where it is expected.

The motion model says where the landmarks of a face are expected, and how surely; a found face lies
some motion of the whole head away from there, and its landmarks lie otherwise within the face.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..filter.head_filter import HeadFilter
from ..filter.kalman import inverse_of, packed, times
from ..filter.similarity import fit, head_terms
from ..filter.state import HeadState
from ..types import Covariances, Points

_OTHERS_SPREAD = np.array([1.0, 0.5])
"""Standard deviations of scale and rotation of a face that has nothing to do with the known one."""
_LEAST_SPREAD = np.array([0.3, 0.3, 0.15, 0.15])
"""Of the motion, inter-ocular distances: half behind another face landmarks are found beside."""
_MOST_SPREAD = np.array([1.2, 1.2, 0.3, 0.3])
"""Who comes back most often does so near where he went, whatever the motion model does not know."""
_MOST_NATS = 2.5
"""What a place says at most: where one has left another may come, too."""


class Displacement(NamedTuple):
    """How a found face lies to where it was expected."""

    motion: Float[np.ndarray, "motion=4"]
    """Of the head: right, down, larger and turned, pixels at one inter-ocular distance."""
    variance: Float[np.ndarray, "motion=4"]
    """Of that, as predicted and as measured."""
    shape: float
    """Mean squared Mahalanobis distance of the landmarks within the face, over 2: 1 is expected
    where both are as uncertain as the measurement says it is."""
    length: float
    """Inter-ocular distance, pixels."""


def displacement(
    state: HeadState, found: Points, covariance: Covariances, dt_s: float, head_filter: HeadFilter
) -> Displacement:
    """Of a found face from where a known one is expected by now.

    Args:
        state: Of the known face.
        found: Landmarks, pixels.
        covariance: Of these against the truth.
        dt_s: Seconds since the state.
        head_filter: Of the state.
    """
    ahead = head_filter.coast(state, np.array([dt_s]))
    length = np.maximum(head_filter.layout.length(ahead.points), 1.0)
    terms = head_terms(np.ascontiguousarray(ahead.points.transpose(2, 0, 1)), length)
    offset = np.ascontiguousarray((found[None] - ahead.points).transpose(2, 0, 1))
    precision = inverse_of(packed(covariance[None]))
    motion, variance, residual = fit(terms, offset, precision)
    shape = float((residual * times(precision, residual)).sum(0).mean() / 2)
    predicted = ahead.head_covariance[0, 0, :4]
    return Displacement(motion[0], variance[0] + predicted, shape, float(length[0]))


def place_evidence(away: Displacement, picture_area: float) -> float:
    """How much likelier the found face is there if it is the known one, nats.

    Args:
        away: Of the two.
        picture_area: Square pixels; another face may be anywhere in it, in any size.
    """
    least, most = np.square(_LEAST_SPREAD * away.length), np.square(_MOST_SPREAD * away.length)
    variance = np.minimum(away.variance, most) + least
    as_known = _log_normal(away.motion, variance).sum()
    spread = np.square(_OTHERS_SPREAD * away.length) + variance[2:]
    as_other = _log_normal(away.motion[2:], spread).sum() - np.log(picture_area)
    return float(min(as_known - as_other, _MOST_NATS))


def _log_normal(
    offset: Float[np.ndarray, " n"], variance: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    density: np.ndarray = -0.5 * (np.square(offset) / variance + np.log(2 * np.pi * variance))
    return density
