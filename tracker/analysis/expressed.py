"""ARKit's coefficients of one face, beyond its neutral, from the fitted head and the lids."""

from ..face_analysis import Estimate
from .coefficient_names import BLINKS, BY_EXPRESSION_NETWORK
from .face_fusion import FusedHead
from .linear_face import LinearFace
from .neutral_face import Neutral, beyond_neutral


def expression_of(
    face: LinearFace, head: FusedHead, neutral: Neutral, shut: tuple[Estimate, Estimate]
) -> dict[str, Estimate]:
    """What the landmarks carry and, where the network of expressions corrected them, what it adds.

    Args:
        face: That was fitted.
        head: The fit.
        neutral: Of this person.
        shut: How far the right and the left eye are.
    """
    values, stretched = beyond_neutral(neutral, head.values)
    numbers = zip(values.tolist(), (head.deviations * stretched).tolist(), strict=True)
    found = dict(zip(head.names, numbers, strict=True))
    left, right = found["browInnerUpLeft"], found["browInnerUpRight"]
    found["browInnerUp"] = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2  # ARKit's is of both
    seen = [*face.carried, *(BY_EXPRESSION_NETWORK if head.is_corrected else ())]
    expression = {name: Estimate(*found[name]) for name in seen}
    return expression | dict(zip(BLINKS, shut, strict=True))
