"""The figures of one track on one clip, as the page of rules defines them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from tracker.gaussian import squared_mahalanobis
from tracker.run.stability import Times, Track2D, lag_s, sampled, static_jitter

from ..figure_definitions import (
    HARD_KINDS,
    HIDING_KINDS,
    MOVING_KINDS,
    REAL_KIND,
    RIGID_KINDS,
    TURNING_KINDS,
)
from ..truth_metrics import gesture_amplitude, jitter_settling_s, step_delay_s
from .face_matching import MatchedTrack, eye_vector

_LEAST_FOUND = 0.5
"""Share of a clip's frames below which a track has no figures but `found`."""
_ELLIPSE_90 = 4.605
"""Squared Mahalanobis distance within which 90 % of a 2-D Gaussian lie."""
_AGAIN = 0.1
"""Mean error in eye distances below which a face is found again."""
_ERRORS = {
    "moving_error": (*MOVING_KINDS, REAL_KIND),
    "turned_error": TURNING_KINDS,
    "hard_error": HARD_KINDS,
}
_GESTURE_LAGS_S = np.arange(-0.1, 0.3001, 0.001)

Figures = dict[str, float]
Series = Float[np.ndarray, " frames"]


def clip_figures(track: MatchedTrack, faces: Sequence[MatchedTrack]) -> Figures:
    """All figures that exist for this kind of clip.

    Args:
        track: On the first face, its truth with the offset of conventions.
        faces: On all faces of the clip.
    """
    kind = track.clip.kind
    visible = track.seen.mean(1) >= 0.5
    figures = {"found": 100 * float(track.found[visible].mean()) if visible.any() else np.nan}
    if kind in HIDING_KINDS:
        figures["id_switches"] = float(sum(_switches(face) for face in faces))
        figures["reacquired_ms"] = 1e3 * _reacquired_s(track)
    if track.found.mean() < _LEAST_FOUND:
        return _known(figures)
    errors = track.points - track.truth
    figures["nmf"] = _nmf(track, errors)
    return _known(figures | _of_kind(track, errors) | _consistency(track, errors))


def _of_kind(track: MatchedTrack, errors: Track2D) -> Figures:
    """Figures that only some kinds of clips have."""
    kind = track.clip.kind
    figures: Figures = {}
    for name, kinds in _ERRORS.items():
        if kind not in kinds:
            continue
        counted = np.where((track.seen & track.settled[:, None])[..., None], errors, np.nan)
        figures[name] = 100 * _rms(counted) / track.clip.eye_px
    if kind == "still":
        figures |= _still(track)
    if kind in RIGID_KINDS:
        figures["lag_ms"] = 1e3 * _lag_s(track)
    if kind == "step":
        for percent in (50, 90):
            delay_s = step_delay_s(track.clip.times_s, track.points, track.truth, percent / 100)
            figures[f"step_{percent}_ms"] = 1e3 * delay_s
    if kind in ("blink", "mouth"):
        figures |= _gesture(track, kind)
    return figures


def _known(figures: Figures) -> Figures:
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def _rms(errors: Track2D) -> float:
    squared = np.square(errors).sum(-1)
    known = np.isfinite(squared)
    return float(np.sqrt(squared[known].mean())) if known.any() else np.nan


def _still(track: MatchedTrack) -> Figures:
    frames = track.settled & track.found
    rest, eye_px = track.points[frames], track.clip.eye_px
    third = len(rest) // 3
    wander = rest[:third].mean(0) - rest[-third:].mean(0) if third else np.full((1, 2), np.nan)
    return {
        "jitter": 100 * static_jitter(rest, eye_px),
        "drift": 100 * _rms(wander[None]) / eye_px,
        "settling_ms": 1e3 * jitter_settling_s(track.clip.times_s, track.points),
    }


def _lag_s(track: MatchedTrack) -> float:
    """`lag_s` against the truth, what stays of the offset in this clip taken off first."""
    off = track.points - track.truth
    counted = track.clip.times_s >= track.clip.times_s[0] + 0.5
    stays = np.nanmean(off[counted & track.found], axis=0)
    return lag_s(track.clip.times_s, track.points - stays, track.truth)


def _nmf(track: MatchedTrack, errors: Track2D) -> float:
    width, height = np.moveaxis(np.ptp(track.truth, axis=1), -1, 0)
    size = np.sqrt(width * height) / 256
    change = np.linalg.norm(np.diff(errors, axis=0), axis=-1)
    squared = np.square(100 * change / size[1:, None]).mean(1)
    known = squared[np.isfinite(squared)]
    return float(np.sqrt(known.mean())) if len(known) else np.nan


def opening(points: Track2D, track: MatchedTrack, gesture: str) -> Series | None:
    """Distance of upper and lower edges across the line of the eyes, pixels; None: not mapped."""
    edges = track.map.openings(gesture)
    if not edges:
        return None
    along = eye_vector(track.clip)
    down = 1j * along / np.abs(along)
    apart = [points[:, lower].mean(1) - points[:, upper].mean(1) for upper, lower in edges]
    mean = np.mean(apart, axis=0)
    return np.asarray(mean[:, 0] * down.real + mean[:, 1] * down.imag)


def _gesture(track: MatchedTrack, kind: str) -> Figures:
    tracked, true = (opening(points, track, kind) for points in (track.points, track.truth))
    if tracked is None or true is None:
        return {}
    times_s = track.clip.times_s
    return {
        f"{kind}_kept": 100 * gesture_amplitude(times_s, tracked, true),
        f"{kind}_delay_ms": 1e3 * gesture_delay_s(times_s, tracked, true),
    }


def gesture_delay_s(times_s: Times, tracked: Series, true: Series) -> float:
    """The delay at which a * truth + b fits best, the gain a and the offset b being free."""
    inside = np.isfinite(tracked) & (times_s <= times_s[-1] - 0.1) & (times_s >= 0.3)
    if inside.sum() < 5 or np.ptp(true) < 1:
        return np.nan
    seen = tracked[inside] - tracked[inside].mean()
    fits = []
    for lag in _GESTURE_LAGS_S:
        moved = sampled(times_s, true, times_s[inside] - lag)
        moved = moved - moved.mean()
        fits.append(float(moved @ seen) / max(float(np.sqrt(moved @ moved)), 1e-9))
    return float(_GESTURE_LAGS_S[int(np.argmax(fits))])


def _switches(track: MatchedTrack) -> int:
    ids = track.ids[track.found & (track.seen.mean(1) >= 0.5)]
    return int((np.diff(ids) != 0).sum())


def _reacquired_s(track: MatchedTrack) -> float:
    """The mean over the times at which the face comes to light again; NaN where it never hides."""
    seen, times_s = track.seen.mean(1), track.clip.times_s
    error = np.linalg.norm(track.points - track.truth, axis=-1).mean(1) / track.clip.eye_px
    delays, hidden = [], False
    for frame, share in enumerate(seen):
        if share < 0.5:
            hidden = True
        elif share >= 0.9 and hidden:
            hidden = False
            good = np.flatnonzero(error[frame:] < _AGAIN)
            last = frame + good[0] if len(good) else len(times_s) - 1
            delays.append(times_s[last] - times_s[frame])
    return float(np.mean(delays)) if delays else np.nan


def _consistency(track: MatchedTrack, errors: Track2D) -> Figures:
    figures, frames = {}, track.settled & track.found
    if track.covariance is not None:
        believed = np.isfinite(track.covariance).all((-1, -2)) & np.isfinite(errors).all(-1)
        counted = believed & track.seen & frames[:, None]
        proper = np.linalg.det(track.covariance[counted]) > 0
        if proper.any():
            squared = squared_mahalanobis(
                errors[counted][proper], track.covariance[counted][proper]
            )
            figures["nees"] = float(squared.mean()) / 2
            figures["coverage_90"] = 100 * float((squared <= _ELLIPSE_90).mean())
    if track.nis is not None and np.isfinite(track.nis[frames]).any():
        figures["nis"] = float(np.nanmean(track.nis[frames]))
    return figures
