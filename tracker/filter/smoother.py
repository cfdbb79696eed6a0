"""Fixed-interval smoothing: every frame knows what came before and what comes after.

A filter runs forwards and another backwards over the same measurements. Where they are fused, the
forward one has measured the frame and the backward one only what follows, so nothing counts twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..types import LandmarkEstimate, Measurement
from .head_filter import HeadFilter
from .reported import reported
from .state import HeadState


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One face in one frame; None where it was not measured."""

    time_s: float
    measurement: Measurement | None


@dataclass(frozen=True, slots=True, eq=False)
class _Filtered:
    state: HeadState
    last: Measurement


def smooth(observations: Sequence[Observation], head_filter: HeadFilter) -> list[LandmarkEstimate]:
    """The landmarks of one face in every frame, smoothed.

    Args:
        observations: In order of time; the first has a measurement.
        head_filter: Both filters.

    Source:
        Fraser, Potter 1969: the two-filter form of the fixed-interval smoother, equal to that of
        Rauch, Tung and Striebel where the model is linear.
    """
    forwards = _filtered(observations, head_filter)
    last_s = observations[-1].time_s
    reversed_time = [Observation(last_s - o.time_s, o.measurement) for o in reversed(observations)]
    while reversed_time[0].measurement is None:  # nothing is known after the last measurement
        reversed_time = reversed_time[1:]
    backwards = _filtered(reversed_time, head_filter)[::-1]
    estimates = []
    for index, filtered in enumerate(forwards):
        state = filtered.state
        if index + 1 < len(backwards):
            gap = np.array([observations[index + 1].time_s - observations[index].time_s])
            state = head_filter.fuse(state, head_filter.predict(backwards[index + 1].state, gap))
        estimates += reported(state, [filtered.last], head_filter)
    return estimates


def _filtered(observations: Sequence[Observation], head_filter: HeadFilter) -> list[_Filtered]:
    """The state after each frame."""
    first = observations[0].measurement
    assert first is not None
    seen = first.landmarks
    state, last = head_filter.start(seen.mean[None], seen.covariance[None]), first
    filtered = [_Filtered(state, last)]
    for before, now in pairwise(observations):
        dt_s = np.array([now.time_s - before.time_s])
        if now.measurement is None:
            state = head_filter.coast(state, dt_s)
        else:
            last = now.measurement
            state, _ = head_filter.update(
                state, last.landmarks.mean[None], last.measurement_noise[None], dt_s
            )
        filtered.append(_Filtered(state, last))
    return filtered
