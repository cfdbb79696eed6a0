"""Association: which found face is which known one, by where it is and whom it is like."""

import numpy as np
from jaxtyping import Bool, Float, Int

SAME_FROM = 0.66
"""Similarity from which a face is a known one's wherever it is: of the pairs of two people one in a
thousand is as similar (`python -m train.fit_heads` prints it)."""
SAME_IN_SHOT_FROM = 0.5
"""The same within a film shot, where whoever comes is most often who went: one pair in a hundred of
two people is as similar."""
OTHER_BELOW = 0.25
"""Similarity below which it is not, even in its place; of the pairs of one person in one film one
in a hundred is so dissimilar."""
_LOOKS = 2.0
"""How much a difference in similarity counts against one in distance."""
_UNKNOWN = 0.5
"""What counts as similarity where it is not known."""


def match(
    distance: Float[np.ndarray, "known found"], similarity: Float[np.ndarray, "known found"]
) -> list[tuple[int, int]]:
    """Pairs (known, found) of least total cost; as many as there can be.

    Args:
        distance: Between the landmarks of each pair, in units of how far the known face may have
            gone; infinite where the known face was seen in another shot only.
        similarity: From -1 to 1; NaN where it is not known.
    """
    if not distance.size:
        return []
    possible = _possible(distance, similarity)
    looks = np.where(np.isnan(similarity), _UNKNOWN, similarity)
    cost = np.minimum(distance, 1.0) - _LOOKS * looks
    most = 8.0 * min(cost.shape)  # dearer than all others together
    rows, columns = _assigned(np.where(possible, cost, most))
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if possible[r, c]]


def _possible(
    distance: Float[np.ndarray, "known found"], similarity: Float[np.ndarray, "known found"]
) -> Bool[np.ndarray, "known found"]:
    is_near, is_unknown = distance <= 1, np.isnan(similarity)
    looks = np.where(is_unknown, -1.0, similarity)
    may_be = is_near & (is_unknown | (looks >= OTHER_BELOW))
    in_shot = np.isfinite(distance) & (looks >= SAME_IN_SHOT_FROM)
    return np.asarray(may_be | in_shot | (looks >= SAME_FROM))


def _assigned(
    cost: Float[np.ndarray, "known found"],
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"]]:
    """As many pairs as there can be, of least total cost."""
    if min(cost.shape) == 1:
        row, column = np.unravel_index([cost.argmin()], cost.shape)
        return row, column
    # Here, not on top: it takes longer than many a frame, and two faces that come back at once are
    # rare.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    rows, columns = linear_sum_assignment(cost)
    return rows, columns
