"""`run_tracker.py check`: how good a camera, its light and this machine are, and what to do."""

import argparse
import json
import os
import platform
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ..check.check_figures import CheckFigures, figures_of
from ..check.check_findings import Finding, findings_of
from ..check.check_guide import Guide
from ..check.check_page import check_page
from ..check.check_record import CheckRecord
from ..check.guide_window import GuideWindow
from ..check.watched_source import WatchedSource
from ..detection.any_roll_detector import AnyRollDetector
from ..errors import FaceTrackError
from ..io.outputs import check_output
from ..io.provenance import own_version, write_whole
from ..io.sinks import Sink
from ..io.window import display_is_there
from ..run.analysis_stage import AnalysisSettings, AnalysisStage
from ..run.loop import run
from ..run.summary import RunSummary, StopRequest
from ..run.timed_tracker import TimedTracker
from .arguments import add_network_flags
from .asked_networks import Networks, landmarker_of, load_analysis_networks, settle_weights
from .camera_flags import add_camera_flags, open_asked_source
from .check_terminal import findings_table, guided_watch
from .flag_types import duration
from .progress import say_losses, watch_on
from .reading_flags import add_reading_flags

CHECK = "check"
"""Names this command, whatever file is called so."""
_STAGE_S = 5.0
_LONGEST_S = 120.0
"""Of a file that is looked at, and of a camera that is never begun with."""


def build_check_parser() -> argparse.ArgumentParser:
    """Its flags."""
    parser = argparse.ArgumentParser(
        prog="run_tracker.py check",
        description="Check a camera: it asks you to hold still, turn, blink and speak, and says "
        "how good frame rate, light, size, noise and latency are, and what to do about each. Of a "
        "film the first two minutes are judged as they are.",
    )
    parser.add_argument(
        "source", nargs="?", default="0",
        help="camera by index or name, video file, or stream (default: camera 0)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=duration, default=_STAGE_S, metavar="S",
        help="length of each of the four parts (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument(
        "--no-window", action="store_true", help="guide in the terminal alone, without a window"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--page", type=Path, metavar="F.html", help="write a page of it")
    output.add_argument("--json", type=Path, metavar="F.json", help="write figures and findings")
    output.add_argument("--overwrite", action="store_true", help="replace files that exist")
    add_reading_flags(parser.add_argument_group("reading"))
    add_network_flags(parser.add_argument_group("tracking"))
    add_camera_flags(parser)
    return parser


def run_check(argv: Sequence[str], networks: Networks, request: StopRequest) -> int:
    """Check a source; returns the exit status: 0, or 130 where it was interrupted.

    Raises:
        FaceTrackError: If the source holds no film, fails, or an output cannot be written.
    """
    arguments, console = build_check_parser().parse_args(argv), Console(highlight=False)
    settle_weights(arguments)
    outputs = [path for path in (arguments.page, arguments.json) if path is not None]
    for path in outputs:
        check_output(path, overwrite=arguments.overwrite)
    with ExitStack() as stack:
        source = stack.enter_context(open_asked_source(arguments.source, arguments))
        if source.holds_stills:
            raise FaceTrackError(
                f"{arguments.source}: holds pictures, and a check needs a camera or a film"
            )
        guide = Guide(arguments.seconds) if source.is_live else None
        longest_s = _LONGEST_S + (guide.seconds if guide else 0.0)
        watched = WatchedSource(source, guide, longest_s)
        timed = TimedTracker(
            landmarker_of(arguments, networks),
            stack.enter_context(AnyRollDetector(networks.load_face_detector())),
            analysis=AnalysisStage(
                AnalysisSettings(), stills=False, readers=load_analysis_networks(networks)
            ),
        )
        record = CheckRecord(timed.tracker.layout, guide)
        sinks: list[Sink] = [record]
        if guide is not None and display_is_there() and not arguments.no_window:
            window = GuideWindow(f"check of {source.name}", timed.tracker.layout, guide)
            stack.callback(window.close)
            sinks.append(window)
        watch = guided_watch(console, guide) if guide else watch_on(console)
        summary = run(watched, timed, sinks, watch, request)
    figures = figures_of(record.rows, watched, summary)
    findings = findings_of(figures, is_live=source.is_live)
    console.print(findings_table(source.name, findings))
    say_losses(summary)
    _write(arguments, argv, summary, figures, findings, record)
    for path in outputs:
        console.print(f"wrote {path}", markup=False)
    return 130 if request.stop.is_set() else 0


def _write(
    arguments: argparse.Namespace, argv: Sequence[str], summary: RunSummary,
    figures: CheckFigures, findings: Sequence[Finding], record: CheckRecord,
) -> None:  # fmt: skip
    command = shlex.join(["run_tracker.py", CHECK, *argv])
    machine = f"{os.cpu_count()} cores, {platform.machine()}, star-tracker {own_version()}"
    if arguments.json is not None:
        said = {
            "source": summary.name, "command": command, "machine": machine,
            "figures": asdict(figures), "findings": [asdict(finding) for finding in findings],
        }  # fmt: skip
        write_whole(arguments.json, json.dumps(said, indent=1) + "\n")
    if arguments.page is not None:
        made = f"Made by {command}; {machine}."
        page = check_page(
            summary.name, figures, findings, record.rows, made, is_live=summary.dropped is not None
        )
        write_whole(arguments.page, page)
