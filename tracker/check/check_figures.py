"""From what was recorded to the figures of a check."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..run.summary import RunSummary
from .check_record import CheckedFrame
from .watched_source import WatchedSource

_REST_S = 2.0
"""Length of the calmest stretch, where nobody was asked to hold still."""
_SETTLED_S = 1.0
"""Left out where somebody was: filters and people begin with motion."""
_QUIET_SHARE = 25.0
"""Percentile of the changes between frames that shows noise, not motion."""
_GAP = 1.5
"""Usual intervals beyond which frames are missing between two."""
_REPEATED = 1e-3
_TURNED_DEG = 25.0

Series = Float[np.ndarray, " frames"]


@dataclass(frozen=True, slots=True)
class CheckFigures:
    """What was measured; None where it could not be."""

    seconds: float
    frames: int
    width: int
    height: int
    rate_granted: float
    """Frames a second that camera or file state."""
    rate_real: float | None
    """That came, different ones."""
    repeated: float
    """Share of the frames that were the same as the one before."""
    missing: float
    """Share of the frames that never arrived, by gaps between the others."""
    too_late: float
    """Share of the frames that were dropped to stay live, for tracking was not done."""
    damaged: int
    latency_ms: float | None
    """Of a camera, from a frame's arrival to its faces: median."""
    latency_p95_ms: float | None
    work_ms: float | None
    """Of tracking, a frame."""
    found: float
    """Share of the tracked frames with a face."""
    most_faces: int
    ids: int
    """Of the main face; more than one: it was lost in between."""
    eye_px: float | None
    raw_jitter: float | None
    """At rest, % of the eye distance, RMS over frames, as the network gives it."""
    jitter: float | None
    """The same, filtered."""
    sensor_noise: float | None
    """Grey levels."""
    light: float | None
    bright: float | None
    burnt: float | None
    uneven: float | None
    flicker: float | None
    """Swing of the face's brightness from frame to frame at rest, % RMS."""
    yaw_left_deg: float | None
    yaw_right_deg: float | None
    """Farthest turns to both sides of the picture."""
    turned_found: float | None
    """Share of the frames with a face while the head is turned; None where it never was."""
    blinks: int | None
    jaw_range: float | None
    """How far the mouth opens, of ARKit's jawOpen."""


def figures_of(
    rows: Sequence[CheckedFrame], watched: WatchedSource, summary: RunSummary
) -> CheckFigures:
    """Everything that was measured of a run.

    Args:
        rows: Of all tracked frames.
        watched: The source.
        summary: Of the run.
    """
    arrivals_s = watched.arrivals_s
    rest = at_rest(rows)
    of = _columns(rows)
    dropped, frames = summary.dropped or 0, len(arrivals_s)
    ages = summary.ages.overall if summary.ages and watched.is_live else None
    with_face = of("faces") > 0
    return CheckFigures(
        seconds=round(float(np.ptp(arrivals_s)), 3) if frames else 0.0,
        frames=frames,
        width=watched.size[0],
        height=watched.size[1],
        rate_granted=watched.frame_rate,
        rate_real=_rate(arrivals_s, watched.changes),
        repeated=float((watched.changes < _REPEATED).mean()) if frames else 0.0,
        missing=_missing(arrivals_s),
        too_late=dropped / max(frames, 1),
        damaged=summary.losses.passed_over + summary.losses.marred,
        latency_ms=ages.p50_ms if ages else None,
        latency_p95_ms=ages.p95_ms if ages else None,
        work_ms=_work_ms(summary),
        found=float(with_face.mean()) if rows else 0.0,
        most_faces=int(of("faces").max(initial=0)),
        ids=len({row.track_id for row in rows if row.track_id >= 0}),
        eye_px=_known(np.nanmedian, of("eye_px")),
        raw_jitter=_known(_rms, of("raw_jitter")[rest]),
        jitter=_known(_rms, of("jitter")[rest]),
        sensor_noise=_known(lambda v: np.nanpercentile(v, _QUIET_SHARE), watched.changes),
        **{key: _known(np.nanmedian, of(key)) for key in ("light", "bright", "burnt", "uneven")},
        flicker=_known(lambda v: 100 * _swing(v), of("light")[rest]),
        yaw_left_deg=_known(lambda v: max(-np.nanmin(v), 0.0), of("yaw_deg")),
        yaw_right_deg=_known(lambda v: max(np.nanmax(v), 0.0), of("yaw_deg")),
        turned_found=_turned_found(of("yaw_deg"), with_face),
        blinks=sum(row.blinked for row in rows) if np.isfinite(of("openness")).any() else None,
        jaw_range=_known(lambda v: np.ptp(np.nanpercentile(v, [5, 95])), of("jaw_open")),
    )


def _work_ms(summary: RunSummary) -> float | None:
    frames = summary.tally.frames
    return round(1e3 * sum(summary.stage_seconds.values()) / frames, 2) if frames else None


def at_rest(rows: Sequence[CheckedFrame]) -> Bool[np.ndarray, " frames"]:
    """Frames in which the head holds still: as it was asked to, or the calmest stretch."""
    times_s = np.array([row.time_s for row in rows])
    asked = np.array([row.stage == "still" for row in rows], bool)
    if asked.any():
        first, last = times_s[asked][0], times_s[asked][-1]
        return asked & (times_s >= first + min(_SETTLED_S, (last - first) / 3))
    speeds = np.array([row.speed for row in rows])
    best, calmest = np.zeros(len(rows), bool), np.inf
    for start_s in times_s:
        stretch = (times_s >= start_s) & (times_s <= start_s + _REST_S)
        if not np.isfinite(speeds[stretch]).all() or times_s[-1] < start_s + _REST_S:
            continue
        if (mean := float(speeds[stretch].mean())) < calmest:
            best, calmest = stretch, mean
    return best if best.any() else np.isfinite(speeds)


def _columns(rows: Sequence[CheckedFrame]) -> Callable[[str], Series]:
    return lambda name: np.array([getattr(row, name) for row in rows], float)


def _known(figure: Callable[[Series], float], values: Series) -> float | None:
    found = float(figure(values)) if np.isfinite(values).any() else np.nan
    return round(found, 4) if np.isfinite(found) else None


def _rms(values: Series) -> float:
    return float(np.sqrt(np.nanmean(np.square(values))))


def _rate(arrivals_s: Series, changes: Series) -> float | None:
    """Different frames a second."""
    if len(arrivals_s) < 2 or np.ptp(arrivals_s) <= 0:
        return None
    different = 1 + int((~(changes[1:] < _REPEATED)).sum())
    return round((different - 1) / float(np.ptp(arrivals_s)), 2)


def _missing(arrivals_s: Series) -> float:
    """Share of the frames that would fill the gaps."""
    intervals_s = np.diff(arrivals_s)
    usual_s = float(np.median(intervals_s)) if len(intervals_s) else 0.0
    if usual_s <= 0:
        return 0.0
    gaps = intervals_s[intervals_s > _GAP * usual_s] / usual_s
    lost = float((np.round(gaps) - 1).clip(0).sum())
    return lost / (lost + len(arrivals_s))


def _swing(light: Series) -> float:
    """RMS by which a frame is brighter than the mean of its neighbours, as a share of the light.

    Of white noise it is the standard deviation.
    """
    known = light[np.isfinite(light)]
    if len(known) < 3:
        return np.nan
    off = known[1:-1] - (known[:-2] + known[2:]) / 2
    return float(np.sqrt(np.square(off).mean() / 1.5) / max(known.mean(), 1.0))


def _turned_found(yaws_deg: Series, with_face: Bool[np.ndarray, " frames"]) -> float | None:
    """Frames without a face belong to the turn that they interrupt."""
    at = np.flatnonzero(np.isfinite(yaws_deg))
    if not len(at) or np.abs(yaws_deg[at]).max() < _TURNED_DEG:
        return None
    before = at[np.clip(np.searchsorted(at, np.arange(len(yaws_deg)), side="right") - 1, 0, None)]
    turned = np.abs(yaws_deg[before]) >= _TURNED_DEG
    return float(with_face[turned].mean())
