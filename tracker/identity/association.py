"""Association: which found face is which known one, by the evidence for each pair.

Evidence is the logarithm of odds in nats: how much likelier what is seen is if two faces are one
person's than if they are two people's. Evidence of place and of looks add up.
"""

import math

import numpy as np
from jaxtyping import Float, Int

_EVEN = 0.4
"""Similarity at which one person and two are equally likely."""
_SLOPE = 12.0
"""Nats per similarity, as descriptors of held-out people have it (`python -m train.fit_heads`)."""
_MOST_LOOKS = 6.0
"""So much at most, either way: beyond, pairs are too rare to count."""


def looks_evidence(similarity: float) -> float:
    """What the similarity of two descriptors says, nats.

    Args:
        similarity: From -1 to 1; one that is not known, NaN, says nothing.
    """
    if math.isnan(similarity):
        return 0.0
    return min(max(_SLOPE * (similarity - _EVEN), -_MOST_LOOKS), _MOST_LOOKS)


def match(evidence: Float[np.ndarray, "known found"]) -> list[tuple[int, int]]:
    """Pairs (known, found) of the greatest total evidence, all of it positive.

    Args:
        evidence: That the two are one person, nats.
    """
    if not (evidence > 0).any():
        return []
    rows, columns = _assigned(np.maximum(evidence, 0.0))
    pairs = zip(rows, columns, strict=True)
    return [(int(r), int(c)) for r, c in pairs if evidence[r, c] > 0]


def _assigned(
    worth: Float[np.ndarray, "known found"],
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """As many pairs as there can be, of greatest total worth."""
    if min(worth.shape) == 1:
        row, column = np.unravel_index([worth.argmax()], worth.shape)
        return row, column
    # Here, not on top: it takes longer than many a frame, and two faces that come back at once are
    # rare.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    rows, columns = linear_sum_assignment(worth, maximize=True)
    return rows, columns
