"""Tracks several videos with one network, and sums up."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console

from ..errors import FaceTrackError
from ..io.manifest import Manifest
from ..io.outputs import Outputs, check_outputs_of_several
from ..io.provenance import Provenance
from ..io.sinks import open_sinks
from ..io.sources import opened
from ..landmarker import FrameLandmarker, on_frames
from ..reports.index_page import ReportIndex
from ..run.several_videos import track_several
from ..run.shared_landmarker import SharedLandmarker
from ..run.summary import RunSummary, SeveralSummary, StopRequest
from ..run.timed_tracker import TimedTracker
from .arguments import VIDEOS_AT_ONCE_ON_GPU, asked_config, asked_outputs
from .asked_networks import (
    Networks,
    OurDetector,
    analysis_networks_of,
    analysis_of,
    detector_of,
    landmarker_of,
    provenance_of,
)
from .progress_of_several import progress_of_several, table_of_several
from .reading_flags import asked_reading
from .run_parts import closed_later, go_on, run_frames, sound_of
from .stream_flags import check_no_streams


def run_several(
    arguments: argparse.Namespace,
    videos: list[Path],
    networks: Networks,
    request: StopRequest,
    console: Console,
) -> SeveralSummary:
    """Track each video, with one network for all, and sum up."""
    _check_flags(arguments)
    outputs, config = asked_outputs(arguments), asked_config(arguments)
    reading = asked_reading(arguments)
    manifest = Manifest((outputs.paths or [Path()])[0])
    pages = {video: page for video in videos if (page := outputs.of(video).report)}
    outputs, skipped = _done_before(outputs, videos, manifest, arguments, networks)
    videos = [video for video in videos if video not in skipped]
    if arguments.resume:
        console.print(f"left to do: {len(videos)} videos")
    network: FrameLandmarker = on_frames(landmarker_of(arguments, networks))
    usual = VIDEOS_AT_ONCE_ON_GPU if network.prefers_batches else 1
    workers = max(min(arguments.together or usual, len(videos)), 1)
    if workers > 1:
        network = SharedLandmarker(network)
    readers = analysis_networks_of(arguments, networks)
    idle: SimpleQueue[OurDetector] = SimpleQueue()
    with (
        ExitStack() as detectors,
        _index(outputs, pages, videos) as index,
        progress_of_several(videos, console, index) as shown,
    ):
        for _ in range(workers):  # each is for one thread at a time
            go_on(request)
            idle.put(detector_of(arguments, networks, detectors))

        def track(video: Path) -> RunSummary:
            named = outputs.of(video)
            made = provenance_of(arguments, networks, str(video), video)
            manifest.begin(video, named, made)
            summary = track_one(video, named, made)
            if not summary.interrupted:
                manifest.finish(video, named, made, summary.losses)
            return summary

        def track_one(video: Path, named: Outputs, made: Provenance) -> RunSummary:
            with ExitStack() as stack:
                source = stack.enter_context(opened(video, reading))
                detector = idle.get()
                stack.callback(idle.put, detector)
                timed = TimedTracker(
                    network, detector, config, analysis=analysis_of(arguments, readers)
                )
                sound = sound_of(source, video, arguments)
                sinks = closed_later(stack, open_sinks(named, source, network.layout, sound, made))
                ahead = opened(video, reading) if arguments.offline else None
                return run_frames(source, ahead, timed, sinks, shown.watch, request)

        summary = track_several(videos, track, workers, shown, request)
    summary.incomplete += _incomplete_before(skipped, manifest)
    console.print(table_of_several(summary))
    for folder in dict.fromkeys(outputs.paths):
        console.print(f"wrote into {folder}", highlight=False, markup=False)
    return summary


def _check_flags(arguments: argparse.Namespace) -> None:
    """Faces of several videos would be mixed up where only one can be meant."""
    check_no_streams(arguments)
    if arguments.save_neutral:
        raise FaceTrackError("--save-neutral keeps the face of a single source: name one")


def _done_before(
    outputs: Outputs,
    videos: list[Path],
    manifest: Manifest,
    arguments: argparse.Namespace,
    networks: Networks,
) -> tuple[Outputs, list[Path]]:
    """The outputs, and the videos that an earlier run finished in the same way.

    Where a run is gone on with, what it wrote may be made anew.
    """
    if not arguments.resume:
        check_outputs_of_several(outputs, videos)
        return outputs, []
    check_outputs_of_several(outputs, videos, manifest.has_begun)
    manifest.check_settings(videos, provenance_of(arguments, networks, "", None))
    done = [video for video in videos if manifest.is_whole(video, outputs.of(video))]
    return replace(outputs, overwrite=True), done


def _incomplete_before(skipped: list[Path], manifest: Manifest) -> int:
    """How many of these were cut off or much damaged; each is named once more."""
    losses = {video: said for video in skipped if (said := manifest.grave_losses(video))}
    for video, said in losses.items():
        print(f"warning: {video.name}: {said}", file=sys.stderr, flush=True)  # noqa: T201
    return len(losses)


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
