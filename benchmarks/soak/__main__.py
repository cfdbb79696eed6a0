"""Measures reliability; what is not asked for is not run.

python -m benchmarks.soak --minutes 60 --sources 300 --trackers 50
python -m benchmarks.soak --kills 30 --full-disks 30
python -m benchmarks.soak --fuzz 100
python -m benchmarks.soak --archive 40
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.harness import Json, argument_parser, run_command, save_json

from .archive_run import archived
from .disturbed_runs import filled, killed
from .endurance import endure, make_and_drop, numbered, open_and_close
from .fuzz_run import fuzz

_CLIPS = 3


def main() -> None:
    """Run what the flags ask for, print it and keep it."""
    parser = argument_parser("soak", __doc__)
    parser.add_argument("--minutes", type=float, default=0.0, help="track for so long")
    parser.add_argument("--sources", type=int, default=0, help="open and close so many")
    parser.add_argument("--trackers", type=int, default=0, help="make and drop so many")
    parser.add_argument("--kills", type=int, default=0, help="kill a batch so often, and resume")
    parser.add_argument("--full-disks", type=int, default=0, help="fill the disk so often; root")
    parser.add_argument("--fuzz", type=int, default=0, help="inputs of every kind")
    parser.add_argument("--archive", type=int, default=0, help="clips, on a cluster of two workers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="keep the figures here")
    run_command(parser, _soak)


def _soak(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        result: Json = {"seed": arguments.seed}
        for name, measure in _asked(arguments, folder).items():
            result[name] = measure()
            print(f"{name}: {result[name]}", flush=True)  # noqa: T201
            save_json(arguments.json, result)


def _asked(arguments: argparse.Namespace, folder: Path) -> dict[str, Callable[[], Json]]:
    clips, seed = folder / "clips", arguments.seed
    measures: dict[str, Callable[[], Json]] = {}
    if arguments.fuzz:  # first: it forks, and must have no threads
        measures["fuzz"] = partial(fuzz, arguments.fuzz, seed, partial(print, flush=True))
    if arguments.sources:
        measures["sources"] = partial(open_and_close, folder, arguments.sources)
    if arguments.trackers:
        measures["trackers"] = partial(make_and_drop, arguments.trackers)
    if arguments.minutes:
        measures["endurance"] = partial(endure, folder, arguments.minutes)
    if arguments.archive:
        measures["archive"] = partial(archived, folder, arguments.archive)
    if arguments.kills or arguments.full_disks:
        clips.mkdir()
        list(numbered(clips, _CLIPS))
        measures["kills"] = partial(killed, clips, folder, arguments.kills, seed)
    if arguments.full_disks:
        measures["full_disks"] = partial(filled, clips, folder, arguments.full_disks, seed)
    return measures


if __name__ == "__main__":
    main()
