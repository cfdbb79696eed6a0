"""Who is back: found faces, and new ones that turn out to be known, by place and looks."""

from dataclasses import replace

import numpy as np

from ..filter.head_filter import HeadFilter
from ..track import Track, TrackStatus, is_awaited
from ..types import Measurement
from .association import looks_evidence, match
from .place import displacement, place_evidence

_MOVED, _ELSEWHERE = -1.2, -3.1
"""What is against a known face that is not where it is expected: within a shot, where whoever comes
is most often who went, and after a film cut."""
_LATE_MOVED, _LATE_ELSEWHERE = -2.9, -4.8
"""The same for a new face that is asked for in every frame, and so has more chances to be mistaken:
it has an id of its own already, which is no harm."""
_RECOGNISED_S = 2.0
"""So long after it came a new face may turn out to be a known one."""
_RECOGNISED_FRAMES = 3.0
"""So many looks it takes, for those at its edge or half behind another say little."""


def pairs_of(
    waiting: list[Track],
    found: list[Measurement],
    time_s: float,
    head_filter: HeadFilter,
    picture_area: float,
) -> list[tuple[Track, int]]:
    """Which of the tracks that miss their face each found face belongs to, by its index.

    Args:
        waiting: The tracks.
        found: The faces.
        time_s: Of the frame they were found in.
        head_filter: Of the tracks.
        picture_area: Square pixels.
    """
    evidence = np.zeros((len(waiting), len(found)))
    for row, track in enumerate(waiting):
        for column, measurement in enumerate(found):
            place = _of_place(track, measurement, time_s, head_filter, picture_area)
            evidence[row, column] = place + track.appearance.evidence(measurement)
    return [(waiting[row], column) for row, column in match(evidence)]


def _of_place(
    track: Track,
    measurement: Measurement,
    time_s: float,
    head_filter: HeadFilter,
    picture_area: float,
) -> float:
    if not is_awaited(track, time_s):
        return _MOVED if track.has_place else _ELSEWHERE
    seen, dt_s = measurement.landmarks, time_s - track.time_s
    away = displacement(track.state.alone, seen.mean, seen.covariance, dt_s, head_filter)
    return max(place_evidence(away, picture_area), _MOVED)


def recognised(tracks: list[Track], time_s: float) -> list[Track]:
    """The tracks, where new ones that look like lost ones go on with those's ids.

    Whoever comes out from behind another is seen in part at first and looks like nobody.

    Args:
        tracks: All, oldest first.
        time_s: Of the frame.
    """
    new = [t for t in tracks if _may_be_known(t, time_s)]
    lost = [t for t in tracks if t.status is TrackStatus.LOST and t.appearance.mean is not None]
    if not new or not lost:
        return tracks
    evidence = np.full((len(lost), len(new)), -np.inf)
    for row, known in enumerate(lost):
        for column, track in enumerate(new):
            if known.measured_s < track.begun_s:
                likeness = known.appearance.likeness(track.appearance)
                against = _LATE_MOVED if known.has_place else _LATE_ELSEWHERE
                evidence[row, column] = looks_evidence(likeness) + against
    owner = {new[column].track_id: lost[row] for row, column in match(evidence)}
    gone = {known.track_id for known in owner.values()}
    return sorted(
        (
            replace(t, track_id=owner[t.track_id].track_id, begun_s=owner[t.track_id].begun_s)
            if t.track_id in owner
            else t
            for t in tracks
            if t.track_id not in gone
        ),
        key=lambda t: t.track_id,
    )


def _may_be_known(track: Track, time_s: float) -> bool:
    is_new = time_s - track.begun_s <= _RECOGNISED_S
    is_seen = track.appearance.frames >= _RECOGNISED_FRAMES
    return track.status is TrackStatus.FOLLOWED and is_new and is_seen
