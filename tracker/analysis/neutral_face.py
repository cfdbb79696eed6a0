"""A person's neutral expression: what the coefficients are while nothing is expressed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_LEARNED_S = 3.0
"""In the first seconds everything is averaged."""
_FALLS_S, _RISES_S = 2.0, 60.0
"""Later the neutral falls quickly to what is lower, and rises slowly: faces rest at the low end."""


@dataclass(frozen=True, slots=True, eq=False)
class Neutral:
    """Of one person."""

    level: Float[np.ndarray, " coefficients"]
    seen_s: float = 0.0


def learned_neutral(
    neutral: Neutral, values: Float[np.ndarray, " coefficients"], dt_s: float, hold_s: float | None
) -> Neutral:
    """After a frame.

    Args:
        neutral: Before.
        values: Of this frame.
        dt_s: Since the frame before.
        hold_s: For so long the face is neutral, and never after; None learns on.
    """
    values = np.maximum(values, 0)
    if len(values) != len(
        neutral.level
    ):  # corrected by the network of expressions from now on, or no more
        neutral = Neutral(np.resize(np.append(neutral.level, 0 * values), len(values)))
    seen_s = neutral.seen_s + dt_s
    if hold_s is not None:
        if seen_s > hold_s:
            return neutral
        share: float | np.ndarray = dt_s / seen_s if seen_s else 0.0
    elif seen_s <= _LEARNED_S:
        share = 1 - np.exp(-dt_s / (1 + neutral.seen_s))
    else:
        share = 1 - np.exp(-dt_s / np.where(values < neutral.level, _FALLS_S, _RISES_S))
    return Neutral(neutral.level + share * (values - neutral.level), seen_s)


def beyond_neutral(
    neutral: Neutral, values: Float[np.ndarray, " coefficients"]
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of 0 to 1 beyond the neutral face, and how much they were stretched."""
    room = np.maximum(1 - neutral.level, 0.3)
    beyond = (values - neutral.level) / room
    return np.minimum(np.maximum(beyond, 0.0), 1.0), 1 / room
