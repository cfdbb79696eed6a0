"""Tracks one source, or the pictures that were named one by one, and sums up."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from ..errors import FaceTrackError
from ..io.chosen_camera import ChosenCamera
from ..io.outputs import Outputs, check_outputs
from ..io.pictures import files_in, listed_pictures
from ..io.reading import Reading
from ..io.simulated_camera import SimulatedCamera
from ..io.sinks import Sink, open_sinks
from ..io.sources import Source, opened
from ..io.video_opening import PIPE
from ..io.window import Steering
from ..reports.index_page import write_index_of
from ..run.analysis_stage import AnalysisStage
from ..run.summary import RunSummary, StopRequest
from ..run.timed_tracker import TimedTracker
from ..streams.asked_streams import open_streams
from .arguments import asked_config, asked_outputs, demo_outputs
from .asked_networks import (
    Networks,
    analysis_networks_of,
    analysis_of,
    detector_of,
    landmarker_of,
    provenance_of,
    settle_weights,
)
from .camera_flags import open_asked_source
from .demo import DemoRecorder, demo_camera
from .inputs import DEMO, several_pictures
from .progress import closing_table, demo_table, say_losses, watch_on
from .reading_flags import asked_reading
from .run_parts import closed_later, go_on, run_frames, sound_of
from .stream_flags import asked_streams


def run_one(
    arguments: argparse.Namespace,
    networks: Networks,
    request: StopRequest,
    console: Console,
) -> RunSummary:
    """Track the source that the flags name, and say how it went."""
    address, reading = arguments.source[0], asked_reading(arguments)
    pictures = several_pictures(arguments.source)
    if arguments.resume:
        raise FaceTrackError(f"--resume goes on with several videos, and {address} is one source")
    outputs = asked_outputs(arguments).for_one(address)
    outputs = demo_outputs(outputs) if address == DEMO else outputs
    check_outputs(outputs, pictures or _read_from(address, reading))
    _check_neutral(arguments)
    with ExitStack() as stack:
        source = stack.enter_context(_source(address, pictures, arguments))
        ahead = _reader_ahead(address, source, arguments)
        _say_granted(source, console)
        settle_weights(arguments, stills=source.holds_stills)
        landmarker = landmarker_of(arguments, networks)
        go_on(request)
        detector = detector_of(arguments, networks, stack)
        go_on(request)
        analysis = analysis_of(
            arguments, analysis_networks_of(arguments, networks), stills=source.holds_stills
        )
        timed = TimedTracker(
            landmarker,
            detector,
            asked_config(arguments),
            stills=source.holds_stills,
            analysis=analysis,
        )
        sinks = _asked_sinks(stack, outputs, source, timed, arguments, networks)
        streams = closed_later(
            stack, open_streams(asked_streams(arguments), timed.tracker.layout, source.frame_rate)
        )
        recorder = None
        if isinstance(source, SimulatedCamera):
            recorder = DemoRecorder(source, timed.tracker.layout)
            sinks.append(recorder)
        if not sinks and not streams:
            console.print("nothing is kept: add --save-csv F, --save-video F or --show")
        watch = watch_on(console)
        summary = run_frames(source, ahead, timed, [*sinks, *streams], watch, request)
        _save_neutral(arguments, analysis)
        console.print(closing_table(summary))
        say_losses(summary)
        if recorder and not summary.interrupted:
            console.print(demo_table(recorder.report(timed.tracker)))
    if outputs.report:
        write_index_of(outputs.report.parent)
    for path in outputs.paths:
        console.print(f"wrote {path}", highlight=False)
    for stream in streams:
        console.print(str(stream), highlight=False, markup=False)
    return summary


def _check_neutral(arguments: argparse.Namespace) -> None:
    """A neutral face that was kept before is not lost by mistake."""
    path = arguments.save_neutral
    if path is not None and path.exists() and not arguments.overwrite:
        raise FaceTrackError(f"{path} exists: name another file, or add --overwrite")


def _save_neutral(arguments: argparse.Namespace, analysis: AnalysisStage | None) -> None:
    if arguments.save_neutral is not None and analysis is not None:
        analysis.save_neutral(arguments.save_neutral)


def _source(address: str, pictures: list[Path], arguments: argparse.Namespace) -> Source:
    if address == DEMO:
        return demo_camera()
    if pictures:
        return listed_pictures(pictures, asked_reading(arguments))
    return open_asked_source(address, arguments)


def _reader_ahead(address: str, source: Source, arguments: argparse.Namespace) -> Source | None:
    """A second reader of the same video, where it is to be smoothed with what follows."""
    if not arguments.offline:
        return None
    comes_once = address in {DEMO, PIPE} or source.is_live or Path(address).is_fifo()
    if comes_once or source.holds_stills:
        raise FaceTrackError(f"--offline needs a video file, which {address} is not")
    return opened(address, asked_reading(arguments))


def _asked_sinks(
    stack: ExitStack, outputs: Outputs, source: Source, timed: TimedTracker,
    arguments: argparse.Namespace, networks: Networks,
) -> list[Sink]:  # fmt: skip
    """The outputs that were asked for, and what they say of how they were made."""
    address = arguments.source[0]
    origin = Path(address) if Path(address).is_file() and address != DEMO else None
    made = provenance_of(arguments, networks, address, origin)
    sound = sound_of(source, origin, arguments)
    smoothing = timed.tracker.config.smoothing
    steering = None if arguments.offline else Steering(smoothing, timed.set_smoothing)
    return closed_later(
        stack, open_sinks(outputs, source, timed.tracker.layout, sound, made, steering)
    )


def _say_granted(source: Source, console: Console) -> None:
    """What a camera gives, which may not be what it was asked for."""
    if isinstance(source, ChosenCamera):
        console.print(str(source), highlight=False, markup=False)


def _read_from(address: str, reading: Reading) -> list[Path]:
    """The files and folders that no output may spoil."""
    path = Path(address)
    return [path, *(files_in(path, recursive=True) if reading.recursive and path.is_dir() else [])]
