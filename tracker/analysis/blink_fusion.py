"""How far eyes are shut: what the eyes' network or the lids say, and the network of expressions.

Both see the same eyes, one of them in crops of their own and often, the other more seldom in a crop
of the whole face. By how much they differ is followed over time, as for the rest of a head.
"""

import numpy as np

from ..face_analysis import Estimate
from .coefficient_names import BLINKS
from .expression_reading import ExpressionRead
from .face_fusion import Difference, followed_difference

Both = tuple[Estimate, Estimate]
"""Of the right and of the left eye."""


def followed_blinks(
    before: Difference | None, read: ExpressionRead | None, opened: Both, time_s: float
) -> Difference | None:
    """By how much the network of expressions says eyes are further shut; None where it never did.

    Args:
        before: After the frame before.
        read: In this frame, if it was.
        opened: How far the eyes are open without it.
        time_s: Of the frame.
    """
    if read is None or not all(name in read.names for name in BLINKS):
        return before
    places = [read.names.index(name) for name in BLINKS]
    shut = [eye.value for eye in shut_eyes(opened)]
    now = Difference(time_s, BLINKS, read.values[places] - shut, read.deviations[places])
    return followed_difference(before, now) if before else now


def shut_eyes(opened: Both) -> Both:
    """How far eyes are shut that are so far open."""
    right, left = (Estimate(max(1 - eye.value, 0.0), eye.deviation) for eye in opened)
    return right, left


def corrected_blinks(opened: Both, difference: Difference | None) -> Both:
    """How far eyes are shut: each of the two counts as far as it is sure."""
    alone = shut_eyes(opened)
    if difference is None:
        return alone
    right, left = (
        _weighed(eye, float(mean), float(deviation))
        for eye, mean, deviation in zip(alone, difference.mean, difference.deviation, strict=True)
    )
    return right, left


def _weighed(eye: Estimate, difference: float, deviation: float) -> Estimate:
    share = eye.deviation**2 / (eye.deviation**2 + deviation**2)
    value = min(max(eye.value + share * difference, 0.0), 1.0)
    return Estimate(value, float(eye.deviation * np.sqrt(1 - share)))
