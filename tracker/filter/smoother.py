"""Fixed-interval smoothing: every frame knows what came before and what comes after.

A filter runs forwards and another backwards over the same measurements. Where they are fused, the
forward one has measured the frame and the backward one only what follows, so nothing counts twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
class Filtered:
    """What the forward filter knows after a frame."""

    state: HeadState
    last: Measurement


Begun = tuple[float, Filtered]
"""Where an earlier call left the forward filter: the time in seconds, and what it knew then."""


def smooth(
    observations: Sequence[Observation],
    head_filter: HeadFilter,
    begun: Begun | None = None,
    count: int | None = None,
) -> tuple[list[LandmarkEstimate], list[Filtered]]:
    """The landmarks of one face in the first frames, smoothed with all that follow.

    Args:
        observations: In order of time; unless `begun`, the first has a measurement.
        head_filter: Both filters.
        begun: Goes on from there.
        count: Of the frames to smooth; None is all.

    Returns:
        The landmarks, and what the forward filter knows after each frame.

    Source:
        Fraser, Potter 1969: the two-filter form of the fixed-interval smoother, equal to that of
        Rauch, Tung and Striebel where the model is linear.
    """
    forwards = _filtered(observations[:count], head_filter, begun)
    backwards = _backwards(observations, head_filter)
    estimates = []
    for index, filtered in enumerate(forwards):
        state = filtered.state
        if index + 1 < len(backwards):
            gap = np.array([observations[index + 1].time_s - observations[index].time_s])
            state = head_filter.fuse(state, backwards[index + 1].state, gap)
        estimates += reported(state, [filtered.last], head_filter)
    return estimates, forwards


def _backwards(observations: Sequence[Observation], head_filter: HeadFilter) -> list[Filtered]:
    """What is known of each frame from what comes after it; ends at the last measurement."""
    last_s = observations[-1].time_s
    reversed_time = [Observation(last_s - o.time_s, o.measurement) for o in reversed(observations)]
    while reversed_time and reversed_time[0].measurement is None:
        reversed_time = reversed_time[1:]
    return _filtered(reversed_time, head_filter)[::-1] if reversed_time else []


def _filtered(
    observations: Sequence[Observation], head_filter: HeadFilter, begun: Begun | None = None
) -> list[Filtered]:
    """What is known after each frame."""
    if begun is None:
        first = observations[0].measurement
        assert first is not None
        seen = first.landmarks
        state, last = head_filter.start(seen.mean[None], seen.covariance[None]), first
        filtered = [Filtered(state, last)]
        before_s, rest = observations[0].time_s, observations[1:]
    else:
        (before_s, known), filtered, rest = begun, [], observations
        state, last = known.state, known.last
    for now in rest:
        dt_s, before_s = np.array([now.time_s - before_s]), now.time_s
        if now.measurement is None:
            state = head_filter.coast(state, dt_s)
        else:
            last = now.measurement
            state, _ = head_filter.update(
                state, last.landmarks.mean[None], last.measurement_noise[None], dt_s
            )
        filtered.append(Filtered(state, last))
    return filtered
