"""Rank trackers and filters on real films, and compare with their ranks on a virtual kit.

    python -m benchmarks.jitter score KIT --tracker ours --tracker mediapipe-video --json v.json
    python -m benchmarks.jitter real v.json --films DIR --tracker ours --tracker mediapipe-video
    python -m benchmarks.jitter real v.json --300vw DIR --wflw-v DIR --tracker … --page ranks.html

Films without truth are measured against the picture's own motion, annotated ones also against their
annotators. Methods are compared by their names.
"""

import argparse
import shlex
import sys
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table as Shown

from tracker.cli.flag_types import duration
from tracker.errors import FaceTrackError
from train.whole_file import write_whole

from ...harness import (
    Json,
    argument_parser,
    machine,
    read_json,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from ..page.rank_page import PAIRS, rank_page
from ..plugins import example_filters
from ..score.method_runs import TRACKERS
from .rank_agreement import Table, agreement
from .real_figures import real_tables
from .real_films import RealFilm, films_of_300vw, films_of_wflw_v, films_without_truth

_SECONDS = 10.0


def _films(arguments: argparse.Namespace) -> list[RealFilm]:
    readers = {"films": films_without_truth, "vw": films_of_300vw, "wflw_v": films_of_wflw_v}
    found = []
    for name, read in readers.items():
        folder = getattr(arguments, name)
        if folder is not None:
            found += read(folder)[: arguments.count]
    if not found:
        raise FaceTrackError("no real films: name a folder by --films, --300vw or --wflw-v")
    return found


def virtual_tables(scores: Path) -> dict[str, Table]:
    """By figure, method and clip, from what `score --json` wrote.

    Raises:
        FaceTrackError: If the file holds no scores.
    """
    try:
        of_methods = read_json(scores)["of_clips"]
    except (OSError, ValueError, KeyError) as error:
        raise FaceTrackError(f"{scores}: holds no figures of `score --json` ({error!r})") from error
    tables: dict[str, Table] = {}
    for method, of_clips in of_methods.items():
        for clip, figures in of_clips.items():
            for key, value in figures.items():
                tables.setdefault(f"virtual {key}", {}).setdefault(method, {})[clip] = value
    return tables


def result_of(arguments: argparse.Namespace) -> Json:
    """Everything that the page shows.

    Raises:
        FaceTrackError: If films, trackers, filters or scores are not what they should be.
    """
    virtual = virtual_tables(arguments.scores)
    films = _films(arguments)
    tables = virtual | real_tables(films, arguments.tracker, arguments.filter, arguments.seconds)
    found = []
    for pair in PAIRS:
        one, other = tables.get(pair.first, {}), tables.get(pair.second, {})
        agreed = agreement(one, other)
        if agreed is not None:
            found.append(asdict(pair) | asdict(agreed))
    if not found:
        raise FaceTrackError(
            "fewer than three methods have figures in both: name more by --tracker and --filter, "
            "by the same names as in the scores"
        )
    return {
        "films": [film.name for film in films],
        "with_truth": sum(film.truth is not None for film in films),
        "seconds": arguments.seconds,
        "scores": arguments.scores.name,
        "pairs": found,
        "command": shlex.join(["python", "-m", "benchmarks.jitter", "real", *arguments.written]),
        "machine": machine(),
    }


def terminal_table(result: Json) -> Shown:
    """A row for each pair of figures."""
    rows = [
        [
            pair["title"],
            str(len(pair["methods"])),
            *(
                f"{pair[kind]:.2f} ({pair[f'{kind}_low']:.2f} to {pair[f'{kind}_high']:.2f})"
                for kind in ("spearman", "kendall")
            ),
        ]
        for pair in result["pairs"]
    ]
    return rich_table(["ranks compared", "methods", "Spearman", "Kendall"], rows)


def command(arguments: argparse.Namespace) -> None:
    """Rank as the flags say.

    Raises:
        FaceTrackError: If films, trackers, filters or scores are not what they should be.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over frames without a track
        result = result_of(arguments)
    wide_console().print(terminal_table(result))
    save_json(arguments.json, result)
    if arguments.page is not None:
        write_whole(arguments.page, rank_page(result).encode())


def main(flags: Sequence[str] | None = None) -> None:
    """Parse the flags and rank."""
    parser = argument_parser("jitter real", __doc__)
    parser.add_argument("scores", type=Path, metavar="SCORES.json", help="of the virtual kit")
    folder: Json = {"type": Path, "metavar": "DIR"}
    parser.add_argument("--films", help="videos without truth", **folder)
    parser.add_argument("--300vw", dest="vw", help="300-VW, as it is published", **folder)
    parser.add_argument("--wflw-v", help="WFLW-V: videos/ and landmarks/", **folder)
    repeated: Json = {"action": "append", "default": [], "metavar": "M:F"}
    known = ", ".join(TRACKERS)
    parser.add_argument("--tracker", help=f"[NAME=]module:factory, or {known}", **repeated)
    parser.add_argument(
        "--filter", help=f"over the first tracker's: {', '.join(example_filters.ALL)}", **repeated
    )
    parser.add_argument(
        "--seconds", type=duration, default=_SECONDS, help="of each film (default: %(default)g)"
    )
    parser.add_argument("--count", type=int, metavar="N", help="the first N films of each folder")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="write a page of them")
    parser.set_defaults(written=list(sys.argv[2:] if flags is None else flags))
    run_command(parser, command, flags)
