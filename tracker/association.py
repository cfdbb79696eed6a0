"""Association: which found face is which track."""

import numpy as np
from jaxtyping import Float, Int

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
        reach: Greatest mean distance at which each track may be found again, in pixels.
    """
    if not len(known) or not len(found):
        return []
    distance = np.linalg.norm(known[:, None] - found[None], axis=-1).mean(-1)  # (known, found)
    cost = np.where(distance <= reach[:, None], distance, _IMPOSSIBLE)
    rows, columns = _assigned(cost)
    return [
        (int(r), int(c)) for r, c in zip(rows, columns, strict=True) if cost[r, c] < _IMPOSSIBLE
    ]


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
