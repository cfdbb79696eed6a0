"""When eyes close and mouths open: time to an amount between 0 and 1."""

from collections.abc import Callable

import numpy as np

Course = Callable[[float], float]
"""Time in seconds to how far the gesture has gone, 0 ... 1."""
MakeCourse = Callable[[np.random.Generator, float], Course]
"""Draws the course of a gesture for a clip of so many seconds."""

_BLINK_S = (0.10, 0.05, 0.15)
"""Closing, closed, opening: the lid falls faster than it rises."""


def never(_: np.random.Generator, __: float) -> Course:
    """The gesture is not made."""
    return lambda _: 0.0


def blinks(rng: np.random.Generator, seconds: float) -> Course:
    """Full blinks, one to one and a half seconds apart."""
    starts = np.cumsum(rng.uniform(1.0, 1.5, int(seconds) + 2)) - 0.3
    return lambda time_s: max(_pulse(time_s - start, *_BLINK_S) for start in starts)


def speech(rng: np.random.Generator, seconds: float) -> Course:
    """The mouth opens and closes, by different amounts, with rests between."""
    count = int(seconds) + 2
    starts = 0.4 + np.arange(count) + rng.uniform(0, 0.2, count)
    heights = rng.uniform(0.5, 1.0, count)
    heights[rng.integers(min(2, count))] = 1.0
    pulses = tuple(zip(starts, heights, strict=True))
    return lambda time_s: max(h * _pulse(time_s - start, 0.2, 0.15, 0.25) for start, h in pulses)


def _pulse(since_s: float, rise_s: float, hold_s: float, fall_s: float) -> float:
    """Up and down again with no jump in speed; exactly 0 outside, exactly 1 while held."""
    rising = np.clip(since_s / rise_s, 0, 1)
    falling = np.clip((since_s - rise_s - hold_s) / fall_s, 0, 1)
    return float(_eased(rising) - _eased(falling))


def _eased(share: float) -> float:
    return share * share * (3 - 2 * share)
