"""The life of one track: followed, coasting without a measurement, lost, forgotten."""

import math
from dataclasses import dataclass, field, replace
from enum import Enum, auto

import numpy as np
from jaxtyping import Float

from .detection.boxes import box_around, non_maximum_suppression
from .filter.head_filter import HeadFilter
from .filter.reported import reported
from .filter.state import FaceState, HeadState, together
from .identity.appearance import Appearance
from .identity.place import displacement
from .types import Box, Covariances, Face, LandmarkEstimate, Measurement, Points

MISSES_TO_LOST = 3
"""Frames without a measurement before a face counts as lost: shorter than 5 frames."""
_CONFIDENCE_MEMORY_S = 0.2
"""Time constant of the running mean of a face's confidence."""
_PLACE_S = 2.0
"""For so long the place where it was seen last says where it may be found again."""


class TrackStatus(Enum):
    """Where in its life a track is."""

    FOLLOWED = auto()
    COASTING = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face over time."""

    track_id: int
    time_s: float
    """Of `state`."""
    measured_s: float
    """Of the last measurement."""
    state: FaceState
    status: TrackStatus
    misses: int
    """Frames since the last measurement."""
    confidence: float
    """In its last frame."""
    last: Measurement
    appearance: Appearance = field(default_factory=Appearance)
    begun_s: float = 0.0
    """When the face was first seen."""
    mean_confidence: float = 1.0
    """Running mean of the confidence: one frame more in which a turned face passes for a frontal
    one does not make it right."""
    has_place: bool = True
    """False where it says nothing about where the face may be found again: after a film cut."""

    @property
    def points(self) -> Points:
        return self.state.points


def begin(
    track_id: int,
    measurement: Measurement,
    time_s: float,
    head_filter: HeadFilter,
    before: Track | None = None,
) -> Track:
    """A track at its first measurement, or at the first after it was missed.

    Args:
        track_id: Of the face.
        measurement: Of the face.
        time_s: Of the frame.
        head_filter: Starts anew.
        before: What is known of the face from before.
    """
    # The first crop is only nearly right, so the first landmarks are no better than the annotation.
    seen = measurement.landmarks
    state = FaceState(head_filter.start(seen.mean[None], seen.covariance[None]), 0)
    appearance = (before.appearance.undoubted() if before else Appearance()).seeing(measurement)
    confidence = measurement.confidence
    mean = _running_mean(before, confidence, time_s) if before else confidence
    followed = (track_id, time_s, time_s, state, TrackStatus.FOLLOWED, 0, confidence, measurement)
    begun_s = before.begun_s if before else time_s
    return Track(*followed, appearance=appearance, begun_s=begun_s, mean_confidence=mean)


def expected(
    tracks: list[Track], time_s: float, head_filter: HeadFilter
) -> Float[np.ndarray, "faces landmarks xy=2"]:
    """Where the landmarks of all tracks are expected at this time, pixels."""
    return head_filter.expected(*_joined(tracks, time_s))


def doubtful_tracks(
    live: list[Track],
    places: Float[np.ndarray, "faces landmarks xy=2"],
    measurements: list[Measurement],
    keep_confidence: float,
) -> set[int]:
    """Ids of tracks whose crop shows no face, or the face of another track that fits it better.

    Args:
        live: The tracks.
        places: Where the landmarks of each were expected, pixels.
        measurements: Of each.
        keep_confidence: Least confidence of a followed face.
    """
    doubtful: set[int] = set()
    sure: list[tuple[float, int, Box]] = []
    for track, place, measurement in zip(live, places, measurements, strict=True):
        if measurement.confidence < keep_confidence:
            doubtful.add(track.track_id)
            continue
        points = measurement.landmarks.mean
        box = box_around(points)
        x, y = (points - place).T
        away = float(np.hypot(x, y).mean() / box.side)
        sure.append((away, track.track_id, box))
    taken: list[Box] = []
    for _, track_id, box in sorted(sure, key=lambda entry: entry[:2]):
        if non_maximum_suppression([box], taken):
            taken.append(box)
        else:
            doubtful.add(track_id)
    return doubtful


def updated(
    tracks: list[Track], measurements: list[Measurement], time_s: float, head_filter: HeadFilter
) -> list[Track]:
    """The tracks after this frame's measurements, one each."""
    if not tracks:
        return []
    state, dt_s = _joined(tracks, time_s)
    mean = np.array([measurement.landmarks.mean for measurement in measurements])
    noise = np.array([measurement.measurement_noise for measurement in measurements])
    after, innovations = head_filter.update(state, mean, noise, dt_s)
    return [
        Track(
            track.track_id,
            time_s,
            time_s,
            FaceState(after, index, innovations),
            TrackStatus.FOLLOWED,
            0,
            measurement.confidence,
            measurement,
            track.appearance,
            track.begun_s,
            _running_mean(track, measurement.confidence, time_s),
            track.has_place,
        )
        for index, (track, measurement) in enumerate(zip(tracks, measurements, strict=True))
    ]


def coasted(track: Track, confidence: float, time_s: float, head_filter: HeadFilter) -> Track:
    """The track after a frame that gave no measurement: less and less certain."""
    state, dt_s = _joined([track], time_s)
    misses = track.misses + 1
    return replace(
        track,
        state=FaceState(head_filter.coast(state, dt_s), 0),
        time_s=time_s,
        misses=misses,
        status=TrackStatus.LOST if misses >= MISSES_TO_LOST else TrackStatus.COASTING,
        confidence=confidence,
        mean_confidence=_running_mean(track, confidence, time_s),
    )


def _running_mean(track: Track, confidence: float, time_s: float) -> float:
    """The running mean with one frame more."""
    gain = -math.expm1(-(time_s - track.time_s) / _CONFIDENCE_MEMORY_S)
    return track.mean_confidence + gain * (confidence - track.mean_confidence)


def estimates(tracks: list[Track], head_filter: HeadFilter) -> list[LandmarkEstimate]:
    """The filtered landmarks, with the uncertainty against the truth; arrays of their own."""
    if not tracks:
        return []
    state = together([track.state for track in tracks])
    return reported(state, [track.last for track in tracks], head_filter)


def reported_faces(tracks: list[Track], head_filter: HeadFilter) -> list[Face]:
    """The tracks as they are reported; every array is a copy."""
    landmarks = estimates(tracks, head_filter)
    return [
        Face(
            track.track_id,
            min(track.confidence, track.mean_confidence),
            estimate,
            *_measured(track),
            head_filter.layout,
        )
        for track, estimate in zip(tracks, landmarks, strict=True)
    ]


def _measured(track: Track) -> tuple[LandmarkEstimate | None, Covariances | None]:
    if track.status is not TrackStatus.FOLLOWED:
        return None, None
    seen = track.last.landmarks
    measured = LandmarkEstimate(seen.mean.copy(), seen.covariance.copy())
    return measured, track.last.measurement_noise.copy()


def _joined(tracks: list[Track], time_s: float) -> tuple[HeadState, Float[np.ndarray, " faces"]]:
    """The states of all tracks, and the seconds since."""
    dt_s = np.array([time_s - track.time_s for track in tracks])
    return together([track.state for track in tracks]), dt_s


def is_awaited(track: Track, time_s: float) -> bool:
    """Whether the face is missed, and its last place still says where it may come back."""
    is_missed = track.status is not TrackStatus.FOLLOWED
    return is_missed and track.has_place and time_s - track.measured_s <= _PLACE_S


def seen_as(
    track: Track, measurement: Measurement, time_s: float, head_filter: HeadFilter
) -> Track:
    """The track that knows more of whom its face is like, before the filter takes it in."""
    if measurement.descriptor is None:
        return track
    jump = 0.0
    if not track.appearance.is_surely(measurement):
        seen, dt_s = measurement.landmarks, time_s - track.time_s
        jump = displacement(track.state.alone, seen.mean, seen.covariance, dt_s, head_filter).shape
    return replace(track, appearance=track.appearance.seeing(measurement, jump))


def dismissed(track: Track) -> Track:
    """The track that has lost its face for good where it was, and may find it elsewhere."""
    appearance = track.appearance.undoubted()
    return replace(track, status=TrackStatus.LOST, has_place=False, appearance=appearance)
