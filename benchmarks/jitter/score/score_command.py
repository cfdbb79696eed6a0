"""Score tracks, trackers and filters on a kit.

    python -m benchmarks.jitter score KIT OPENFACE=folder/ MINE=tracks.csv --page scores.html
    python -m benchmarks.jitter score KIT --tracker ours-raw --filter ours --filter one-euro
    python -m benchmarks.jitter score KIT --command "mytracker {clip} {csv}"

TRACKS are files as KIT/RULES.md describes them. Filters smooth the raw landmarks of the first
tracks, or of those that --raw names; the precision-lag curve tries all settings of each.
"""

import argparse
import shlex
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from rich.progress import track
from rich.table import Table

from tracker.errors import FaceTrackError
from train.whole_file import write_whole

from ...harness import (
    Json,
    argument_parser,
    machine,
    processor_s,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from ..figure_definitions import FIGURES
from ..kit.kit_folder import Kit, read_kit
from ..page.score_page import score_page
from ..plugins import example_filters
from ..plugins.filter_runs import load_filter
from ..plugins.tracker_runs import run_program
from ..tracks.track_files import TrackSet, read_tracks, write_tracks
from .brief_scores import brief
from .method_runs import TRACKERS, run_filters, run_trackers
from .point_maps import read_map
from .scoreboard import Scored, curve_point, drawn_series, score, summary

_TERMINAL = ("jitter", "settling_ms", "lag_ms", "step_90_ms", "moving_error", "blink_kept",
             "mouth_kept", "nmf", "found")  # fmt: skip


def gathered(arguments: argparse.Namespace, kit: Kit) -> list[TrackSet]:
    """Tracks from files, then of trackers and programs.

    Raises:
        FaceTrackError: If a file is of another form or a tracker fails.
    """
    names = [clip.name for clip in kit.clips]
    sets = [read_tracks(text, names) for text in arguments.tracks]
    sets += run_trackers(kit, arguments.tracker)
    for text in arguments.command:
        name, equals, program = text.partition("=")
        if not equals or not name.isidentifier():
            name, program = Path(shlex.split(text)[0]).stem, text
        sets.append(run_program(kit, name, program))
    if not sets:
        raise FaceTrackError("nothing to score: name tracks, a --tracker or a --command")
    if len({one.name for one in sets}) < len(sets):
        raise FaceTrackError("two tracks have one name: write NAME=PATH")
    if arguments.keep is not None:
        for one in sets:
            write_tracks(arguments.keep / one.name, one)
    return sets


def result_of(arguments: argparse.Namespace, kit: Kit) -> Json:
    """Everything that the page shows.

    Raises:
        FaceTrackError: If tracks, trackers or filters are not what they should be.
    """
    points = read_map(arguments.mapping) if arguments.mapping else None
    for text in arguments.filter:  # refused before trackers run
        load_filter(text, example_filters.ALL)
    sets = gathered(arguments, kit)
    names = {one.name: one for one in sets}
    if arguments.raw is not None and arguments.raw not in names:
        raise FaceTrackError(f"--raw {arguments.raw}: choose one of {', '.join(names)}")
    raw = names[arguments.raw] if arguments.raw else sets[0]
    filters = run_filters(kit, raw, arguments.filter, points)
    smoothed = [one.tracks for one in filters]
    scored = [score(kit, one, points) for one in track([*sets, *smoothed], "figures")]
    return {
        "kit": {key: kit.description[key] for key in ("version", "size", "seed", "people", "heads")}
        | {"clips": len(kit.clips)},
        "command": shlex.join(["python", "-m", "benchmarks.jitter", "score", *arguments.written]),
        "machine": machine(),
        "methods": {one.name: summary(one) for one in scored},
        "points": {
            one.name: [round(value, 4) for value in point]
            for one in scored
            if (point := curve_point(one)) is not None
        },
        "of_clips": {one.name: _of_clips(one) for one in scored},
        "curves": {"of": raw.name, "filters": {one.name: one.curve for one in filters}},
        "offline": [one.name for one in filters if one.looks_ahead],
        "series": drawn_series(scored, kit),
    }


def _of_clips(scored: Scored) -> Json:
    return {
        clip: {key: round(value, 4) for key, value in figures.items()}
        for clip, (_, figures) in scored.of_clips.items()
    }


def terminal_table(result: Json) -> Table:
    """The main figures."""
    shown = [figure for figure in FIGURES if figure.key in _TERMINAL]
    rows = []
    for name, figures in result["methods"].items():
        cells = [
            f"{figures[f.key]['value']:.{f.digits}f}" if f.key in figures else "-" for f in shown
        ]
        rows.append([name, *cells])
    return rich_table(["tracks", *(f"{figure.title}, {figure.unit}" for figure in shown)], rows)


def command(arguments: argparse.Namespace) -> None:
    """Score as the flags say.

    Raises:
        FaceTrackError: If the kit, tracks, trackers or filters are not what they should be.
    """
    kit = read_kit(arguments.kit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over frames without a track
        result = result_of(arguments, kit)
    console = wide_console()
    console.print(terminal_table(result))
    console.print(f"{processor_s():.0f} s of processor time")
    save_json(arguments.json, result)
    save_json(arguments.brief, brief(result))
    if arguments.page is not None:
        write_whole(arguments.page, score_page(result).encode())


def main(flags: Sequence[str] | None = None) -> None:
    """Parse the flags and score."""
    parser = argument_parser("jitter score", __doc__)
    parser.add_argument("kit", type=Path, metavar="KIT", help="folder that `kit` wrote")
    parser.add_argument("tracks", nargs="*", metavar="TRACKS", help="NAME=PATH, or a path")
    repeated: Json = {"action": "append", "default": []}
    known = ", ".join(TRACKERS)
    parser.add_argument(
        "--tracker", metavar="M:F", help=f"[NAME=]module:factory, or {known}", **repeated
    )
    parser.add_argument("--command", metavar="CMD", help="[NAME=]prog {clip} {csv}", **repeated)
    parser.add_argument(
        "--filter",
        metavar="M:F",
        help=f"module:factory, or {', '.join(example_filters.ALL)}",
        **repeated,
    )
    parser.add_argument("--raw", metavar="NAME", help="tracks that filters smooth (default: first)")
    parser.add_argument("--mapping", type=Path, metavar="FILE", help="CSV point,truth of a layout")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="write tracks there, for next time"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument(
        "--brief", type=Path, metavar="FILE", help="write the figures alone, without clips"
    )
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="write a page of them")
    parser.set_defaults(written=list(sys.argv[2:] if flags is None else flags))
    run_command(parser, command, flags)
