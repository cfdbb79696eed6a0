"""Which face in front of us is which face of before."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

_IMPOSSIBLE = 1e6


def match(
    known: Float[np.ndarray, "known landmarks xy=2"],
    found: Float[np.ndarray, "found landmarks xy=2"],
    reach: Float[np.ndarray, " known"],
) -> list[tuple[int, int]]:
    """Pairs (known, found) of least total distance.

    Args:
        known: Landmarks of the tracks, predicted to now, in pixels.
        found: Landmarks of the faces, in pixels.
        reach: Greatest mean distance at which each track may be met again, in pixels.
    """
    if not len(known) or not len(found):
        return []
    distance = np.linalg.norm(known[:, None] - found[None], axis=-1).mean(-1)  # (known, found)
    cost = np.where(distance <= reach[:, None], distance, _IMPOSSIBLE)
    rows, columns = linear_sum_assignment(cost)
    return [
        (int(r), int(c)) for r, c in zip(rows, columns, strict=True) if cost[r, c] < _IMPOSSIBLE
    ]
