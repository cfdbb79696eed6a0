"""ARKit's coefficients of one face, beyond its neutral, from the fitted head and the lids."""

import numpy as np

from ..face_analysis import Estimate
from .coefficient_names import BLINKS, READ_CLOSELY
from .face_fusion import FusedHead
from .linear_face import LinearFace
from .neutral_face import Neutral, beyond_neutral


def expression_of(
    face: LinearFace, head: FusedHead, neutral: Neutral, opened: tuple[Estimate, Estimate]
) -> dict[str, Estimate]:
    """What the landmarks carry and, of a head that was looked at closely, what that shows besides.

    Args:
        face: That was fitted.
        head: The fit.
        neutral: Of this person.
        opened: How far the right and the left eye are open.
    """
    values, stretched = beyond_neutral(neutral, head.values)
    deviations = head.deviations * stretched
    found = dict(zip(head.names, zip(values, deviations, strict=True), strict=True))
    inner = np.array([found[f"browInnerUp{side}"] for side in ("Left", "Right")])
    found["browInnerUp"] = inner.mean(0)  # ARKit has one for both brows
    seen = [*face.carried, *(READ_CLOSELY if head.is_looked_at else ())]
    expression = {name: Estimate(float(found[name][0]), float(found[name][1])) for name in seen}
    for name, one in zip(BLINKS, opened, strict=True):
        expression[name] = Estimate(max(1 - one.value, 0.0), one.deviation)
    return expression
