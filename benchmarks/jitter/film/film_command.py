"""Compare tracks on a film of one's own, without truth.

python -m benchmarks.jitter film me.mp4 OURS=ours.csv OTHER=other.csv --page film.html
python -m benchmarks.jitter film me.mp4 --tracker ours --tracker ours-raw --video side.mp4
"""

import argparse
import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.progress import track
from rich.table import Table

from tracker.errors import FaceTrackError
from tracker.run.stability import Times
from train.whole_file import write_whole

from ...harness import (
    Json,
    argument_parser,
    machine,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from ..film_definitions import FILM_FIGURES
from ..page.film_page import film_page
from ..plugins.tracker_runs import film_frames, recorded
from ..score.intervals import bootstrapped
from ..score.method_runs import TRACKERS, load_tracker, short_name
from ..score.point_maps import read_map
from ..tracks.track_files import read_film_track
from .film_figures import block_figures, film_figures
from .film_tracks import FilmTrack, film_track
from .picture_motion import flow_steps
from .side_by_side import write_side_by_side

_BLOCK_S = 2.5
"""Length of the parts of a film that intervals are drawn from."""
_DRAWN_S = 6.0


def gathered(arguments: argparse.Namespace, count: int) -> list[FilmTrack]:
    """Tracks from files and of trackers.

    Raises:
        FaceTrackError: If there are none, or they do not fit the film.
    """
    points = read_map(arguments.mapping) if arguments.mapping else None
    made = []
    for text in arguments.tracks:
        name, _, path = text.rpartition("=")
        of_film = read_film_track(Path(path), arguments.film.stem)
        made.append(film_track(name or Path(path).stem, of_film, count, points))
    for text in arguments.tracker:
        name = short_name(text)
        answers = recorded(load_tracker(text)(), film_frames(arguments.film), name)
        made.append(film_track(name, answers, count, points))
    if not made:
        raise FaceTrackError("nothing to compare: name tracks, or a --tracker")
    return made


def result_of(arguments: argparse.Namespace) -> tuple[Json, list[FilmTrack]]:
    """The figures of all tracks on a film.

    Raises:
        FaceTrackError: If the film or a track cannot be read.
    """
    times_s = np.array([frame.time_s for frame in film_frames(arguments.film)])
    if len(times_s) < 20:
        raise FaceTrackError(f"{arguments.film}: has {len(times_s)} frames: at least 20 are needed")
    tracks = gathered(arguments, len(times_s))
    eye_px = float(np.median([one.eye_px for one in tracks]))
    methods, series = {}, []
    for one in track(tracks, "optical flow"):
        steps = flow_steps(film_frames(arguments.film), one.points)
        methods[one.name] = _with_intervals(times_s, one, steps, eye_px)
        series.append({"name": one.name, "track": _middle(times_s, one, eye_px)})
    shown = times_s <= times_s[0] + _DRAWN_S
    return {
        "film": arguments.film.name,
        "frames": len(times_s),
        "eye_px": round(eye_px, 1),
        "command": shlex.join(["python", "-m", "benchmarks.jitter", "film", *arguments.written]),
        "machine": machine(),
        "methods": methods,
        "times": np.round(times_s[shown], 4).tolist(),
        "series": series,
    }, tracks


def _with_intervals(times_s: Times, one: FilmTrack, steps: np.ndarray, eye_px: float) -> Json:
    """Figures of the whole film; intervals by bootstrap over its parts."""
    whole = film_figures(times_s, one.points, steps, eye_px)
    blocks = max(round((times_s[-1] - times_s[0]) / _BLOCK_S), 1)
    parts = block_figures(times_s, one.points, steps, eye_px, blocks)
    found = {}
    for key, value in whole.items():
        of_parts = [part[key] for part in parts if key in part]
        estimate = asdict(bootstrapped(of_parts or [value])) | {"value": value}
        if key == "still_s":
            estimate |= {"low": None, "high": None}
        found[key] = {k: round(v, 4) if isinstance(v, float) else v for k, v in estimate.items()}
    return found


def _middle(times_s: Times, one: FilmTrack, eye_px: float) -> list[float | None]:
    """How far the middle of the points is from its mean, x and y together, for a plot."""
    shown = one.points[times_s <= times_s[0] + _DRAWN_S].mean(1)[:, 0]
    return [
        round(float(value), 3) if np.isfinite(value) else None
        for value in 100 * (shown - np.nanmean(shown)) / eye_px
    ]


def terminal_table(result: Json) -> Table:
    """All figures, a row for each tracker."""
    headings = ["tracks", *(f"{figure.title}, {figure.unit}" for figure in FILM_FIGURES)]
    rows = [
        [
            name,
            *(f"{of[f.key]['value']:.{f.digits}f}" if f.key in of else "-" for f in FILM_FIGURES),
        ]
        for name, of in result["methods"].items()
    ]
    return rich_table(headings, rows)


def command(arguments: argparse.Namespace) -> None:
    """Compare as the flags say.

    Raises:
        FaceTrackError: If the film or a track cannot be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over frames without a track
        result, tracks = result_of(arguments)
    wide_console().print(terminal_table(result))
    save_json(arguments.json, result)
    if arguments.page is not None:
        write_whole(arguments.page, film_page(result).encode())
    if arguments.video is not None:
        rate = (len(result["times"]) - 1) / max(result["times"][-1] - result["times"][0], 1e-3)
        write_side_by_side(arguments.video, film_frames(arguments.film), tracks, rate)


def main(flags: Sequence[str] | None = None) -> None:
    """Parse the flags and compare."""
    parser = argument_parser("jitter film", __doc__)
    parser.add_argument("film", type=Path, metavar="CLIP", help="any video")
    parser.add_argument("tracks", nargs="*", metavar="TRACKS", help="NAME=PATH.csv, or a path")
    parser.add_argument(
        "--tracker",
        action="append",
        default=[],
        metavar="M:F",
        help=f"module:factory, or {', '.join(TRACKERS)}",
    )
    parser.add_argument("--mapping", type=Path, metavar="FILE", help="CSV point,truth of a layout")
    parser.add_argument("--video", type=Path, metavar="FILE.mp4", help="tracks side by side")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="write a page of them")
    parser.set_defaults(written=list(sys.argv[2:] if flags is None else flags))
    run_command(parser, command, flags)
