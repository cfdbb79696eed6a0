"""Plugged-in filters over recorded raw landmarks, with all their settings."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int

from tracker.errors import FaceTrackError
from tracker.layouts import plain_layout

from ..kit.kit_folder import Kit
from ..tracks.track_files import ClipTrack, TrackSet
from .plugin_loading import PluggedFilter, RawStretch, Smooth, SmoothStretch, load_factory

_SETTLED_S = 1.0


def load_filter(text: str, known: dict[str, PluggedFilter]) -> PluggedFilter:
    """One of the filters that come along, or `module:factory`.

    Raises:
        FaceTrackError: If there is none of this name.
    """
    if text in known:
        return known[text]
    if ":" not in text:
        names = ", ".join(known)
        raise FaceTrackError(f"--filter {text}: choose one of {names}, or write module:factory")
    found = load_factory(text, "--filter")
    if isinstance(found, PluggedFilter):
        return found
    return PluggedFilter(text.partition(":")[2], lambda _: found())


def filtered_tracks(kit: Kit, raw: TrackSet, plugged: PluggedFilter, setting: Any) -> TrackSet:
    """A filter with one setting over all raw tracks.

    Raises:
        FaceTrackError: If it answers something else than smoothed landmarks.
    """
    smooth, noise = plugged.make(setting), measured_noise(kit, raw)
    times = {clip.name: clip.times_s for clip in kit.clips}
    clips = {
        name: _filtered(track, times[name], noise, smooth, plugged.name)
        for name, track in raw.clips.items()
    }
    return TrackSet(f"{raw.name} + {plugged.name}", clips)


def measured_noise(kit: Kit, raw: TrackSet) -> float:
    """Variance along an axis on the still clips, square pixels: R of a tracker that gives none."""
    variances = []
    for clip in kit.clips:
        track = raw.clips.get(clip.name)
        if clip.kind != "still" or track is None or not len(track.frames):
            continue
        rest = track.points[clip.times_s[track.frames] >= _SETTLED_S]
        if len(rest) > 1:
            variances.append(float(np.nanmean(np.nanvar(rest, axis=0))))
    return max(float(np.mean(variances)), 1e-4) if variances else 1.0


def _stretches(track: ClipTrack) -> Iterator[Int[np.ndarray, " rows"]]:
    """Rows of each id, in time; a filter starts anew where an id is new."""
    for track_id in np.unique(track.ids):
        rows = np.flatnonzero(track.ids == track_id)
        yield rows[np.argsort(track.frames[rows], kind="stable")]


def _filtered(
    track: ClipTrack, times_s: np.ndarray, noise: float, smooth: Smooth, name: str
) -> ClipTrack:
    points = np.full_like(track.points, np.nan)
    covariance: np.ndarray | None = np.full((*points.shape, 2), np.nan)
    nis: np.ndarray | None = np.full(len(points), np.nan)
    used = np.isfinite(track.points).all((0, 2)) if len(points) else np.zeros(points.shape[1], bool)
    for rows in _stretches(track):
        if not used.any():
            break
        raw = _raw(track, rows, used, times_s, noise)
        answer = smooth(raw)
        if not isinstance(answer, SmoothStretch) or answer.points.shape != raw.points.shape:
            raise FaceTrackError(f"filter {name}: must answer a SmoothStretch of the same shape")
        at = np.ix_(rows, np.flatnonzero(used))
        points[at] = answer.points
        if answer.covariance is None:
            covariance = None
        elif covariance is not None:
            covariance[at] = answer.covariance
        if answer.nis is None:
            nis = None
        elif nis is not None:
            nis[rows] = answer.nis
    return replace(track, points=points, covariance=covariance, nis=nis)


def _raw(
    track: ClipTrack, rows: np.ndarray, used: np.ndarray, times_s: np.ndarray, noise: float
) -> RawStretch:
    points = track.points[rows][:, used]
    covariance = np.broadcast_to(noise * np.eye(2), (*points.shape, 2))
    if track.covariance is not None:
        covariance = track.covariance[rows][:, used]
    size = plain_layout(points.shape[1]).length(points[0])  # not later: filters are causal
    return RawStretch(times_s[track.frames[rows]], points, covariance, float(size))


def uses_the_future(plugged: PluggedFilter, raw: TrackSet, kit: Kit) -> bool:
    """Whether a filter's answers change when the later half of a clip is not there yet."""
    times = {clip.name: clip.times_s for clip in kit.clips}
    name, track = max(raw.clips.items(), key=lambda item: len(item[1].frames))
    half = len(times[name]) // 2
    early = track.frames < half
    begun = replace(
        track,
        frames=track.frames[early],
        ids=track.ids[early],
        points=track.points[early],
        covariance=None if track.covariance is None else track.covariance[early],
    )
    smooth = plugged.make(plugged.default)
    whole, part = (
        _filtered(each, times[name], 1.0, smooth, plugged.name).points for each in (track, begun)
    )
    return not np.allclose(whole[early], part, atol=1e-6, equal_nan=True)
