"""ARKit's coefficients of one face, beyond its neutral, from the fitted head and the lids."""

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
    deviations = head.deviations * stretched
    found = dict(zip(head.names, zip(values, deviations, strict=True), strict=True))
    inner = np.array([found[f"browInnerUp{side}"] for side in ("Left", "Right")])
    found["browInnerUp"] = inner.mean(0)  # ARKit has one for both brows
    seen = [*face.carried, *(BY_EXPRESSION_NETWORK if head.is_corrected else ())]
    expression = {name: Estimate(float(found[name][0]), float(found[name][1])) for name in seen}
    for name, one in zip(BLINKS, opened, strict=True):
        shut = Estimate(max(1 - one.value, 0.0), one.deviation)
        expression[name] = _both(shut, *found[name]) if head.is_corrected else shut
    return expression


def _both(one: Estimate, value: float, deviation: float) -> Estimate:
    """The mean of two estimates, each as far as it is sure."""
    deviation = float(outlier_deviation(np.array(deviation), np.array(value - one.value)))
    share = one.deviation**2 / (one.deviation**2 + deviation**2)
    return Estimate(
        float(one.value + share * (value - one.value)), float(one.deviation * np.sqrt(1 - share))
    )
