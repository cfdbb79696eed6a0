"""All trackers on a whole kit: figures of each clip, their means and intervals."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from ...harness import Json
from ..figure_definitions import FIGURES
from ..kit.kit_folder import Kit
from ..tracks.track_files import ClipTrack, TrackSet
from .clip_figures import Figures, clip_figures, opening
from .face_matching import MatchedTrack, matched, offsets_of, person_offsets, shifted_truth
from .intervals import bootstrapped
from .point_maps import PointMap, map_of

_SHOWN = ("step", "pan", "blink", "mouth")
"""Kinds of which the page draws one clip."""
_NO_TRUTH_OF_JAW = ("turn",)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A tracker on a kit."""

    name: str
    of_clips: dict[str, tuple[str, Figures]]
    """By clip: its kind and figures."""
    tracks: dict[str, MatchedTrack]
    """On the first face of each clip, the truth with its offset."""


def score(kit: Kit, tracks: TrackSet, points: PointMap | None = None) -> Scored:
    """Every figure of a tracker.

    Args:
        kit: With the truth.
        tracks: The tracker's answers.
        points: Which of its points are which; None: by their number.

    Raises:
        FaceTrackError: If its layout is not known, or its frames are not the kit's.
    """
    if not tracks.count:
        return Scored(tracks.name, {}, {})
    points = points or map_of(tracks.count, tracks.name)
    scorable = {}
    for clip in kit.clips:
        of_clip = _with_all_points(points, tracks, clip.name)
        mapped = _without_jaw(points) if clip.kind in _NO_TRUTH_OF_JAW else points
        scorable[clip.name] = matched(clip, of_clip, mapped, tracks.name)
    offsets = person_offsets([faces[0] for faces in scorable.values()])
    of_clips, settled = {}, {}
    for name, faces in scorable.items():
        main = faces[0]
        known = offsets.get(main.clip.person)
        if known is not None and len(known) != main.points.shape[1]:
            known = known[points.without_jaw]
        shift = known if known is not None else offsets_of(main)
        settled[name] = replace(main, truth=shifted_truth(main, shift))
        of_clips[name] = (main.clip.kind, clip_figures(settled[name], faces))
    return Scored(tracks.name, of_clips, settled)


def _with_all_points(points: PointMap, tracks: TrackSet, clip: str) -> ClipTrack | None:
    """A track whose array reaches to the last point that is scored."""
    track = tracks.clips.get(clip)
    if track is None or track.points.shape[1] > max(points.used):
        return track
    lacking = max(points.used) + 1 - track.points.shape[1]
    widths = ((0, 0), (0, lacking), (0, 0))
    padded = np.pad(track.points, widths, constant_values=np.nan)
    covariance = track.covariance
    if covariance is not None:
        covariance = np.pad(covariance, (*widths, (0, 0)), constant_values=np.nan)
    return replace(track, points=padded, covariance=covariance)


def _without_jaw(points: PointMap) -> PointMap:
    kept = points.without_jaw
    return PointMap(tuple(points.used[row] for row in kept), points.weights[kept])


def summary(scored: Scored) -> Json:
    """By figure: the mean over its clips, the interval, and so many clips they were."""
    found = {}
    for figure in FIGURES:
        values = [
            figures[figure.key]
            for kind, figures in scored.of_clips.values()
            if kind in figure.kinds and figure.key in figures
        ]
        if values:
            found[figure.key] = _rounded(asdict(bootstrapped(values)))
    return found


def _rounded(estimate: Json) -> Json:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in estimate.items()}


def drawn_series(scored: Sequence[Scored], kit: Kit) -> list[Json]:
    """What the page draws of the first clip of some kinds: tracks over truth, and the error."""
    drawn = []
    for kind in _SHOWN:
        clip = next((clip for clip in kit.clips if clip.kind == kind), None)
        if clip is None:
            continue
        lines, truth = [], None
        for one in scored:
            track = one.tracks.get(clip.name)
            if track is None or not track.found.any():
                continue
            tracked, true = _line(track, kind)
            if tracked is None or true is None:
                continue
            truth = truth if truth is not None else true
            error = np.linalg.norm(track.points - track.truth, axis=-1).mean(1)
            lines.append(
                {
                    "name": one.name,
                    "track": _numbers(100 * tracked / clip.eye_px),
                    "error": _numbers(100 * error / clip.eye_px),
                }
            )
        if truth is not None:
            drawn.append(
                {
                    "clip": clip.name,
                    "kind": kind,
                    "times": np.round(clip.times_s, 4).tolist(),
                    "truth": _numbers(100 * truth / clip.eye_px),
                    "lines": lines,
                }
            )
    return drawn


def _line(track: MatchedTrack, kind: str) -> tuple[np.ndarray | None, np.ndarray | None]:
    """One number a frame: how open, or how far along the way."""
    if kind in ("blink", "mouth"):
        tracked, true = (opening(points, track, kind) for points in (track.points, track.truth))
        return tracked, true
    middle = track.truth.mean(1)
    along = np.linalg.svd(middle - middle.mean(0), full_matrices=False)[2][0]
    along = along * np.sign(along[np.argmax(np.abs(along))])
    return (track.points.mean(1) - middle[0]) @ along, (middle - middle[0]) @ along


def _numbers(values: np.ndarray) -> list[float | None]:
    return [round(float(value), 3) if np.isfinite(value) else None for value in values]


def curve_point(scored: Scored) -> tuple[float, float] | None:
    """Mean lag in ms on pans and mean jitter on still clips, or None where one is unknown."""
    lags = [f["lag_ms"] for kind, f in scored.of_clips.values() if kind == "pan" and "lag_ms" in f]
    jitters = [f["jitter"] for kind, f in scored.of_clips.values() if "jitter" in f]
    if not lags or not jitters:
        return None
    return float(np.mean(lags)), float(np.mean(jitters))
