"""The command line: joins network, detector, tracker, source and outputs, and runs them."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console

from ..errors import FaceTrackError
from ..io.manifest import Manifest
from ..io.outputs import Outputs, check_outputs, check_outputs_of_several
from ..io.provenance import Provenance
from ..io.simulated_camera import SimulatedCamera
from ..io.sinks import Sink, open_sinks
from ..io.sources import Source, open_source
from ..landmarker import FrameLandmarker, on_frames
from ..reports.index_page import ReportIndex, write_index_of
from ..run.loop import run, run_offline
from ..run.several_videos import track_several
from ..run.shared_landmarker import SharedLandmarker
from ..run.summary import RunSummary, SeveralSummary, StopRequest, Watch
from ..run.timed_tracker import TimedTracker
from .archive_command import ARCHIVE, archive
from .arguments import (
    VIDEOS_AT_ONCE_ON_GPU,
    asked_config,
    asked_outputs,
    build_parser,
    demo_outputs,
)
from .asked_networks import Networks, OurDetector, detector_of, landmarker_of, provenance_of
from .demo import DemoRecorder, demo_camera
from .inputs import DEMO, several_videos
from .interruption import signals_stop
from .logs import warnings_on_terminal
from .progress import closing_table, demo_table, watch_on
from .progress_of_several import progress_of_several, table_of_several
from .terminal import forgiving_streams

INTERRUPTED = 130
"""Exit status after Ctrl-C, SIGTERM or SIGHUP."""


def main(networks: Networks, argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        networks: `models`.
        argv: Arguments; None takes those of the process.

    Returns:
        The exit status: 0 done, 2 bad input or a video that failed, 130 interrupted.
    """
    given = sys.argv[1:] if argv is None else argv
    is_archive = given[:1] == [ARCHIVE]
    arguments = None if is_archive else build_parser().parse_intermixed_args(given)
    with forgiving_streams():
        try:
            with warnings_on_terminal(), signals_stop() as request:
                if arguments is None:
                    return archive(given[1:], networks, request)
                return _status(arguments, networks, request)
        except (FaceTrackError, networks.CheckpointError, OSError, ImportError) as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201
            return 2
        except KeyboardInterrupt:  # while it started, or for the second time
            return INTERRUPTED


def _status(arguments: argparse.Namespace, networks: Networks, request: StopRequest) -> int:
    console, failed = Console(), 0
    videos = several_videos(arguments.source)
    if videos:
        several = run_several(arguments, videos, networks, request, console)
        interrupted, failed = several.interrupted, several.failed
    else:
        interrupted = run_one(arguments, networks, request, console).interrupted
    return INTERRUPTED if interrupted else 2 * bool(failed)


def _go_on(request: StopRequest) -> None:
    """Raises KeyboardInterrupt where the run is to end before it began."""
    if request.stop.is_set():
        raise KeyboardInterrupt


def run_one(
    arguments: argparse.Namespace,
    networks: Networks,
    request: StopRequest,
    console: Console,
) -> RunSummary:
    """Track the one source, and sum up."""
    (address,) = arguments.source
    if arguments.resume:
        raise FaceTrackError(f"--resume goes on with several videos, and {address} is one source")
    is_demo = address == DEMO
    outputs = asked_outputs(arguments).for_one(address)
    outputs = demo_outputs(outputs) if is_demo else outputs
    check_outputs(outputs, Path(address))
    with ExitStack() as opened:
        source = demo_camera() if is_demo else open_source(address)
        opened.enter_context(source)
        if arguments.offline and (is_demo or source.is_live or source.holds_stills):
            raise FaceTrackError(f"--offline needs a video file, which {address} is not")
        landmarker = landmarker_of(arguments, networks)
        _go_on(request)
        detector = detector_of(arguments, networks, opened)
        _go_on(request)
        timed = TimedTracker(
            landmarker, detector, asked_config(arguments), stills=source.holds_stills
        )
        origin = Path(address) if Path(address).is_file() and not is_demo else None
        made = provenance_of(arguments, networks, address, origin)
        sinks = _closed_later(
            opened, open_sinks(outputs, source, timed.tracker.layout, origin, made)
        )
        if not sinks:
            console.print("nothing is kept: add --save-csv F, --save-video F or --show")
        recorder = None
        if isinstance(source, SimulatedCamera):
            recorder = DemoRecorder(source, timed.tracker.layout)
            sinks.append(recorder)
        watch = watch_on(console)
        smoothed = address if arguments.offline else None
        summary = _run(source, smoothed, timed, sinks, watch, request)
        console.print(closing_table(summary))
        if recorder and not summary.interrupted:
            console.print(demo_table(recorder.report(timed.tracker)))
    if outputs.report:
        write_index_of(outputs.report.parent)
    for path in outputs.paths:
        console.print(f"wrote {path}", highlight=False)
    return summary


def run_several(
    arguments: argparse.Namespace,
    videos: list[Path],
    networks: Networks,
    request: StopRequest,
    console: Console,
) -> SeveralSummary:
    """Track each video, with one network for all, and sum up."""
    outputs, config = asked_outputs(arguments), asked_config(arguments)
    manifest = Manifest((outputs.paths or [Path()])[0])
    pages = {video: page for video in videos if (page := outputs.of(video).report)}
    if arguments.resume:
        outputs, videos = _left_to_do(outputs, videos, manifest, arguments, networks)
        console.print(f"left to do: {len(videos)} videos")
    else:
        check_outputs_of_several(outputs, videos)
    network: FrameLandmarker = on_frames(landmarker_of(arguments, networks))
    usual = VIDEOS_AT_ONCE_ON_GPU if network.prefers_batches else 1
    workers = max(min(arguments.together or usual, len(videos)), 1)
    if workers > 1:
        network = SharedLandmarker(network)
    idle: SimpleQueue[OurDetector] = SimpleQueue()
    with (
        ExitStack() as detectors,
        _index(outputs, pages, videos) as index,
        progress_of_several(videos, console, index) as shown,
    ):
        for _ in range(workers):  # each is for one thread at a time
            _go_on(request)
            idle.put(detector_of(arguments, networks, detectors))

        def track(video: Path) -> RunSummary:
            named = outputs.of(video)
            made = provenance_of(arguments, networks, str(video), video)
            manifest.begin(video, named, made)
            summary = track_one(video, named, made)
            if not summary.interrupted:
                manifest.finish(video, named, made)
            return summary

        def track_one(video: Path, named: Outputs, made: Provenance) -> RunSummary:
            with ExitStack() as opened:
                source = opened.enter_context(open_source(video))
                detector = idle.get()
                opened.callback(idle.put, detector)
                timed = TimedTracker(network, detector, config)
                sinks = _closed_later(
                    opened, open_sinks(named, source, network.layout, video, made)
                )
                smoothed = video if arguments.offline else None
                return _run(source, smoothed, timed, sinks, shown.watch, request)

        summary = track_several(videos, track, workers, shown, request)
    console.print(table_of_several(summary))
    for folder in dict.fromkeys(outputs.paths):
        console.print(f"wrote into {folder}", highlight=False, markup=False)
    return summary


def _run(
    source: Source,
    smoothed: str | Path | None,
    timed: TimedTracker,
    sinks: list[Sink],
    watch: Watch,
    request: StopRequest,
) -> RunSummary:
    """As frames come; or, where an address is to be smoothed, with a second reader of it ahead."""
    if smoothed is None:
        return run(source, timed, sinks, watch, request)
    with open_source(smoothed) as ahead:
        return run_offline(source, ahead, timed, sinks, watch, request)


def _left_to_do(
    outputs: Outputs,
    videos: list[Path],
    manifest: Manifest,
    arguments: argparse.Namespace,
    networks: Networks,
) -> tuple[Outputs, list[Path]]:
    """The videos that no earlier run finished in the same way, and what may be made anew."""
    check_outputs_of_several(outputs, videos, manifest.has_begun)
    manifest.check_settings(videos, provenance_of(arguments, networks, "", None))
    left = [video for video in videos if not manifest.is_whole(video, outputs.of(video))]
    return replace(outputs, overwrite=True), left


@contextmanager
def _index(
    outputs: Outputs, pages: dict[Path, Path], left: list[Path]
) -> Iterator[ReportIndex | None]:
    """The page of all videos, where a report is asked for; written in the end, however that is."""
    if outputs.report is None:
        yield None
        return
    index = ReportIndex(outputs.report, pages, pages.keys() - set(left))
    try:
        yield index
    finally:
        index.write()


def _closed_later(opened: ExitStack, sinks: Iterable[Sink]) -> list[Sink]:
    """The sinks; what was open before the next fails to open is closed, too."""
    kept = []
    for sink in sinks:
        opened.callback(sink.close)
        kept.append(sink)
    return kept
