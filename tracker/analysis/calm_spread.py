"""Covariances of landmarks that do not flicker, as weights of a fit.

What a network says of its errors changes a little from frame to frame, and a fit that follows it
moves though no landmark does.
"""

import numpy as np
from jaxtyping import Float

from ..types import LandmarkEstimate

_FOLLOWED_S = 0.5
_GROWN = 2.0
"""Times the usual variance: a landmark that is suddenly covered counts less at once."""

RelativeSpread = Float[np.ndarray, "landmarks xy=2 xy=2"]
"""Covariances over the mean square distance of the landmarks from their middle."""


def relative_spread(seen: LandmarkEstimate) -> RelativeSpread:
    """Of one frame."""
    return np.asarray(seen.covariance / _square_size(seen))


def calmed_spread(
    before: RelativeSpread, seen: LandmarkEstimate, passed_s: float
) -> tuple[RelativeSpread, LandmarkEstimate]:
    """The running mean after a frame, and the landmarks with it for their covariances.

    Args:
        before: The mean so far.
        seen: In the frame.
        passed_s: Since the frame before.
    """
    size = _square_size(seen)
    now = seen.covariance / size
    usual, found = (spread[:, 0, 0] + spread[:, 1, 1] for spread in (before, now))
    share = np.where(found > _GROWN * usual, 1.0, 1 - np.exp(-passed_s / _FOLLOWED_S))
    mean = before + share[:, None, None] * (now - before)
    return mean, LandmarkEstimate(seen.mean, mean * size)


def _square_size(seen: LandmarkEstimate) -> float:
    away = seen.mean - seen.mean.sum(0) / len(seen.mean)
    return max(float(np.vdot(away, away)) / len(away), 1e-6)
