"""ARKit's coefficients of one face, beyond its neutral, from the fitted head and the lids."""

import math

import numpy as np

from ..face_analysis import Estimate
from .coefficient_names import BLINKS, BY_EXPRESSION_NETWORK
from .face_fusion import FusedHead, outlier_deviation
from .linear_face import LinearFace
from .neutral_face import Neutral, beyond_neutral


def expression_of(
    face: LinearFace, head: FusedHead, neutral: Neutral, opened: tuple[Estimate, Estimate]
) -> dict[str, Estimate]:
    """What the landmarks carry and, where the network of expressions corrected them, what it adds.

    Args:
        face: That was fitted.
        head: The fit.
        neutral: Of this person.
        opened: How far the right and the left eye are open, by their network or the landmarks.
    """
    values, stretched = beyond_neutral(neutral, head.values)
    numbers = zip(values.tolist(), (head.deviations * stretched).tolist(), strict=True)
    found = dict(zip(head.names, numbers, strict=True))
    left, right = found["browInnerUpLeft"], found["browInnerUpRight"]
    found["browInnerUp"] = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2  # ARKit's is of both
    seen = [*face.carried, *(BY_EXPRESSION_NETWORK if head.is_corrected else ())]
    expression = {name: Estimate(*found[name]) for name in seen}
    for name, one in zip(BLINKS, opened, strict=True):
        shut = Estimate(max(1 - one.value, 0.0), one.deviation)
        expression[name] = _both(shut, Estimate(*found[name])) if head.is_corrected else shut
    return expression


def _both(one: Estimate, other: Estimate) -> Estimate:
    """The mean of two estimates, each as far as it is sure."""
    apart = other.value - one.value
    deviation = float(outlier_deviation(np.array(other.deviation), np.array(apart)))
    share = one.deviation**2 / (one.deviation**2 + deviation**2)
    return Estimate(one.value + share * apart, one.deviation * math.sqrt(1 - share))
