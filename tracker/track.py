"""The life of one track: followed, coasting without a measurement, lost, forgotten."""

from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from .head import HeadState, Innovations, MotionConfig, side_by_side
from .layouts import Layout
from .motion import HeadMotion
from .types import LandmarkEstimate, Measurement, Points

MISSES_TO_LOST = 3
"""Frames without a measurement before a face counts as lost: shorter than 5 frames."""


class TrackStatus(Enum):
    """Where in its life a track is."""

    FOLLOWED = auto()
    COASTING = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Track:
    """One face over time."""

    track_id: int
    time_s: float
    """Of `state`."""
    measured_s: float
    """Of the last measurement."""
    state: HeadState
    status: TrackStatus
    misses: int
    """Frames since the last measurement."""
    confidence: float
    last: Measurement
    innovations: Innovations | None = None
    """Of the last measurement but the first."""

    @property
    def points(self) -> Points:
        return self.state.points[0]


def begin(
    track_id: int, measurement: Measurement, time_s: float, layout: Layout, config: MotionConfig
) -> Track:
    """A new track at its first measurement."""
    # The first crop is only nearly right, so the first landmarks are no better than the annotation.
    seen = measurement.landmarks
    state = head_motion(layout, config).start(seen.mean[None], seen.covariance[None])
    confidence = measurement.confidence
    return Track(track_id, time_s, time_s, state, TrackStatus.FOLLOWED, 0, confidence, measurement)


def expected(
    tracks: list[Track], time_s: float, layout: Layout, config: MotionConfig
) -> Float[np.ndarray, "faces landmarks xy=2"]:
    """Where the landmarks of all tracks should be at this time."""
    state, dt_s = _together(tracks, time_s)
    return head_motion(layout, config).expected(state, dt_s)


def measured_by(
    tracks: list[Track],
    measurements: list[Measurement],
    time_s: float,
    layout: Layout,
    config: MotionConfig,
) -> list[Track]:
    """The tracks after this frame's measurements, one each."""
    if not tracks:
        return []
    state, dt_s = _together(tracks, time_s)
    mean = np.array([measurement.landmarks.mean for measurement in measurements])
    flicker = np.array([measurement.flicker for measurement in measurements])
    after, innovations = head_motion(layout, config).step(state, mean, flicker, dt_s)
    return [
        replace(
            track,
            time_s=time_s,
            measured_s=time_s,
            state=after[index : index + 1],
            status=TrackStatus.FOLLOWED,
            misses=0,
            confidence=measurement.confidence,
            last=measurement,
            innovations=innovations[index : index + 1],
        )
        for index, (track, measurement) in enumerate(zip(tracks, measurements, strict=True))
    ]


def missed(
    track: Track, confidence: float, time_s: float, layout: Layout, config: MotionConfig
) -> Track:
    """The track after a frame that gave no measurement: less and less sure of itself."""
    state, dt_s = _together([track], time_s)
    misses = track.misses + 1
    return replace(
        track,
        state=head_motion(layout, config).coast(state, dt_s),
        time_s=time_s,
        misses=misses,
        status=TrackStatus.LOST if misses >= MISSES_TO_LOST else TrackStatus.COASTING,
        confidence=confidence,
    )


def estimates(tracks: list[Track], layout: Layout, config: MotionConfig) -> list[LandmarkEstimate]:
    """What the user is told: the filtered places, with the uncertainty against the truth."""
    if not tracks:
        return []
    together = side_by_side([track.state for track in tracks])
    filtered = head_motion(layout, config).covariance(together)
    covariances = filtered + lasting_covariance([track.last for track in tracks])
    return [
        LandmarkEstimate(track.points, covariance)
        for track, covariance in zip(tracks, covariances, strict=True)
    ]


def lasting_covariance(
    seen: list[Measurement],
) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
    """The share of the uncertainty that no filter takes out: the network's own bias."""
    absolute = np.array([measurement.landmarks.covariance for measurement in seen])
    flicker = np.array([measurement.flicker for measurement in seen])
    bias = np.maximum(1 - _traces(flicker) / _traces(absolute), 0)
    return bias[..., None, None] * absolute


@lru_cache(maxsize=8)
def head_motion(layout: Layout, config: MotionConfig) -> HeadMotion:
    """The filter of a layout."""
    return HeadMotion(layout, config)


def _together(tracks: list[Track], time_s: float) -> tuple[HeadState, Float[np.ndarray, " faces"]]:
    """The states of all tracks, and the seconds since."""
    dt_s = np.array([time_s - track.time_s for track in tracks])
    return side_by_side([track.state for track in tracks]), dt_s


def _traces(covariance: np.ndarray) -> Float[np.ndarray, "faces landmarks"]:
    traces: np.ndarray = covariance[..., 0, 0] + covariance[..., 1, 1]
    return traces
