"""Trackers and filters over a kit, a process for each core; each is named as on the command line.

Plug-ins are functions that need not travel between processes: their names do.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

from ...harness import Json, side_by_side
from ..kit.kit_folder import Kit, read_kit
from ..plugins import example_filters, example_trackers
from ..plugins.filter_runs import filtered_tracks, load_filter, uses_the_future
from ..plugins.plugin_loading import PluggedFilter, load_factory
from ..plugins.tracker_runs import run_tracker
from ..tracks.track_files import TrackSet
from .point_maps import PointMap
from .scoreboard import curve_point, score

TRACKERS: dict[str, Callable[[], Any]] = {
    "ours": example_trackers.ours,
    "ours-raw": example_trackers.ours_raw,
    "mediapipe-alone": example_trackers.mediapipe_alone,
    "mediapipe-video": example_trackers.mediapipe_video,
    "mediapipe-smoothed": example_trackers.mediapipe_smoothed,
    "yunet": example_trackers.yunet,
    "dlib": example_trackers.dlib_points,
    "openseeface": example_trackers.openseeface,
}
"""By the short names that `--tracker` knows."""
_CURVE_KINDS = ("still", "pan")


@dataclass(frozen=True, slots=True, eq=False)
class FilterRun:
    """What a filter made of raw tracks."""

    name: str
    tracks: TrackSet
    """With its usual setting."""
    curve: list[Json]
    """Lag of the pans and jitter of the still clips with each setting."""
    looks_ahead: bool


def run_trackers(kit: Kit, names: Sequence[str]) -> list[TrackSet]:
    """The answers of trackers to the whole kit.

    Raises:
        FaceTrackError: If a tracker is not there or answers something else than faces.
    """
    made = {name: load_tracker(name) for name in names}  # refuses before anything is run
    if len(made) == 1:
        return [run_tracker(kit, short_name(name), make) for name, make in made.items()]
    return side_by_side(_tracked, [(kit.folder, name) for name in names], "trackers")


def load_tracker(name: str) -> Callable[[], Any]:
    """A tracker that comes along, or `module:factory`; `NAME=` before it does not matter.

    Raises:
        FaceTrackError: If there is none of this name.
    """
    factory = name.rpartition("=")[2]
    return TRACKERS.get(factory) or load_factory(factory, "--tracker")


def short_name(name: str) -> str:
    """Of `NAME=module:factory` the name, of `module:factory` the factory."""
    label, _, factory = name.rpartition("=")
    return label or factory.rpartition(":")[2]


def _tracked(task: tuple[Path, str]) -> TrackSet:
    folder, name = task
    return run_tracker(read_kit(folder), short_name(name), load_tracker(name), shown=False)


def run_filters(
    kit: Kit, raw: TrackSet, names: Sequence[str], points: PointMap | None
) -> list[FilterRun]:
    """Filters over raw tracks, with all their settings.

    Args:
        kit: Whose tracks they are.
        raw: To be smoothed.
        names: As `--filter` takes them.
        points: Which of the tracks' points are which; None: by their number.

    Raises:
        FaceTrackError: If a filter is not there or answers something else than landmarks.
    """
    for name in names:
        load_filter(name, example_filters.ALL)
    return side_by_side(_filtered, [(kit, raw, name, points) for name in names], "filters")


def _filtered(task: tuple[Kit, TrackSet, str, PointMap | None]) -> FilterRun:
    kit, raw, name, points = task
    plugged = load_filter(name, example_filters.ALL)
    return FilterRun(
        plugged.name,
        filtered_tracks(kit, raw, plugged, plugged.default),
        _curve(kit, raw, plugged, points),
        uses_the_future(plugged, raw, kit),
    )


def _curve(kit: Kit, raw: TrackSet, plugged: PluggedFilter, points: PointMap | None) -> list[Json]:
    few = replace(kit, clips=tuple(clip for clip in kit.clips if clip.kind in _CURVE_KINDS))
    some = replace(raw, clips={c.name: raw.clips[c.name] for c in few.clips if c.name in raw.clips})
    curve: list[Json] = []
    for setting in plugged.settings or [plugged.default]:
        point = curve_point(score(few, filtered_tracks(few, some, plugged, setting), points))
        if point is not None:
            lag, jitter = (round(value, 4) for value in point)
            curve.append({"setting": _plain(setting), "lag_ms": lag, "jitter": jitter})
    return curve


def _plain(setting: Any) -> Any:
    if not is_dataclass(setting) or isinstance(setting, type):
        return setting
    return {key: value if value != float("inf") else None for key, value in asdict(setting).items()}
