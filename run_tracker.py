#!/usr/bin/env python3
"""Track faces in a camera, a video file or a folder of pictures.

    python run_tracker.py 0 --show
    python run_tracker.py clip.mp4 --save-video overlay.mp4 --save-csv landmarks.csv
    python run_tracker.py demo

This is the one place where network, tracker, source and outputs are joined.
"""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event
from types import FrameType

from rich.console import Console
from rich.logging import RichHandler

import models
from tracker.compare import SideBySide
from tracker.demo import DemoRecorder, demo_camera
from tracker.detection import MediaPipeDetector
from tracker.draw import draw_faces
from tracker.errors import FaceTrackError, SinkError
from tracker.latency import Latency
from tracker.layouts import Layout
from tracker.offline import Remember, Replay, smoothed_faces
from tracker.pipeline import FaceTracker, TrackerConfig
from tracker.sinks import (
    CsvSink,
    JsonLinesSink,
    Sink,
    VideoSink,
    WindowClosed,
    WindowSink,
    check_output,
    display_is_there,
)
from tracker.sources import Source, open_source
from tracker.stages import ReadAhead, WriteBehind
from tracker.terminal import RunSummary, closing_table, demo_table, progress
from tracker.types import Frame, Image, TrackedFace
from tracker.virtual_camera import VirtualCamera

_DEMO_FOLDER = Path("demo-output")
_STILLS_SIZE = (1280, 720)
"""Of the overlay of a folder, whose pictures have many sizes."""
_READ_AHEAD, _WRITE_BEHIND = 2, 4
"""Frames that wait before and after the tracker; before it one of a camera, the freshest."""


def build_parser() -> argparse.ArgumentParser:
    """Every flag, in the groups of `--help`."""
    defaults = TrackerConfig()
    parser = argparse.ArgumentParser(
        prog="run_tracker.py",
        description="Track face landmarks, each with its uncertainty.",
        epilog="With neither an output nor --show, a window opens where there is a display.",
    )
    parser.add_argument(
        "source",
        help="camera index (0, 1, ...), video file, picture, folder of pictures, or 'demo'",
    )
    tracking = parser.add_argument_group("tracking")
    tracking.add_argument(
        "--weights", default="lite", metavar="NAME_OR_PATH",
        help="'lite', a .safetensors or .onnx of ours or a checkpoint of STAR's authors "
        "(default: lite)",
    )  # fmt: skip
    tracking.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="(default: auto)"
    )
    tracking.add_argument(
        "--backend", choices=("auto", "onnx", "torch"), default="auto",
        help="what runs the network: ONNX Runtime or PyTorch (default: auto)",
    )  # fmt: skip
    tracking.add_argument(
        "--max-faces", type=_positive, default=defaults.max_faces, metavar="N",
        help="follow at most this many faces, largest first (default: %(default)s)",
    )  # fmt: skip
    tracking.add_argument(
        "--smoothing", type=_share, default=defaults.smoothing, metavar="0..1",
        help="0 follows every measurement, 1 is calmest in motion (default: %(default)s)",
    )  # fmt: skip
    tracking.add_argument(
        "--offline", action="store_true",
        help="for video files: smooth with what comes after each frame, too; reads the file twice",
    )  # fmt: skip
    output = parser.add_argument_group("output")
    output.add_argument("--save-video", type=Path, metavar="F", help="write the overlay as MP4")
    output.add_argument("--save-csv", type=Path, metavar="F", help="write landmarks as CSV")
    output.add_argument(
        "--save-jsonl", type=Path, metavar="F", help="write landmarks as JSON lines"
    )
    output.add_argument(
        "--compare", type=Path, metavar="F", help="write raw beside filtered, enlarged, as MP4"
    )
    output.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    output.add_argument("--raw", action="store_true", help="write unfiltered landmarks")
    output.add_argument(
        "--ellipses", action="store_true", help="draw where each landmark is with 95 %% probability"
    )
    output.add_argument("--show", action="store_true", help="open a live window; q ends")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, got {text}")
    return number


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 done, 2 bad input, 130 interrupted."""
    arguments = build_parser().parse_args(argv)
    console = Console()
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(show_path=False)]
    )
    try:
        summary = run(arguments, console)
    except (FaceTrackError, models.CheckpointError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before the first frame, or for the second time
        return 130
    return 130 if summary.interrupted else 0


def run(arguments: argparse.Namespace, console: Console) -> RunSummary:
    """Join the parts, pump frames through them, and sum up."""
    is_demo = arguments.source == "demo"
    if is_demo:
        _choose_demo_outputs(arguments)
    outputs = [
        arguments.save_video, arguments.save_csv, arguments.save_jsonl, arguments.compare
    ]  # fmt: skip
    outputs = [path for path in outputs if path]
    check_outputs(outputs, Path(arguments.source), overwrite=arguments.overwrite)
    with ExitStack() as opened:
        source = demo_camera() if is_demo else open_source(arguments.source)
        opened.enter_context(source)
        if arguments.offline and (is_demo or source.is_live or source.holds_stills):
            raise FaceTrackError(f"--offline needs a video file, which {arguments.source} is not")
        landmarker = models.load_landmarker(arguments.weights, arguments.device, arguments.backend)
        config = TrackerConfig(max_faces=arguments.max_faces, smoothing=arguments.smoothing)
        tracker = FaceTracker(landmarker, MediaPipeDetector(), config)
        sinks: list[Sink] = []
        for sink in open_sinks(arguments, source, tracker.layout):
            opened.callback(sink.close)
            sinks.append(sink)
        if not sinks:
            console.print("nothing is kept: add --save-csv F, --save-video F or --show")
        recorder = None
        if isinstance(source, VirtualCamera):
            recorder = DemoRecorder(source, tracker.layout)
            sinks.append(recorder)
        summary = (
            pump(source, tracker, sinks, console)
            if not arguments.offline
            else pump_offline(arguments.source, source, tracker, sinks, console)
        )
    console.print(closing_table(summary))
    if recorder and not summary.interrupted:
        console.print(demo_table(recorder.report(tracker)))
    for path in outputs:
        console.print(f"wrote {path}", highlight=False)
    return summary


def _choose_demo_outputs(arguments: argparse.Namespace) -> None:
    """The demo writes to its own folder, again and again, unless told where."""
    if not (
        arguments.save_video or arguments.save_csv or arguments.save_jsonl or arguments.compare
    ):
        _DEMO_FOLDER.mkdir(exist_ok=True)
        arguments.save_video = _DEMO_FOLDER / "overlay.mp4"
        arguments.save_csv = _DEMO_FOLDER / "landmarks.csv"
        arguments.overwrite = True


def check_outputs(outputs: list[Path], source: Path, *, overwrite: bool) -> None:
    """See that all outputs can be written and spoil neither the source nor each other."""
    taken = {source.resolve(): "the source"}
    for path in outputs:
        if path.resolve() in taken:
            raise SinkError(f"{path}: is already {taken[path.resolve()]}: name another file")
        taken[path.resolve()] = "another output"
        check_output(path, overwrite=overwrite)


def open_sinks(arguments: argparse.Namespace, source: Source, layout: Layout) -> Iterator[Sink]:
    """Open the outputs that were asked for; first the window, which may be refused."""
    drawing = {"ellipses": arguments.ellipses, "raw": arguments.raw}
    wanted = arguments.save_csv or arguments.save_jsonl or arguments.save_video or arguments.compare
    if arguments.show or (not wanted and display_is_there()):
        yield WindowSink(source.name, layout, **drawing)
    if arguments.save_video:
        size = _STILLS_SIZE if source.holds_stills else None

        def overlay(frame: Frame, faces: list[TrackedFace]) -> Image:
            return draw_faces(frame.image, faces, layout, **drawing)

        yield VideoSink(arguments.save_video, source.frame_rate, overlay, size)
    if arguments.compare:
        panels = SideBySide(layout, ellipses=arguments.ellipses)
        yield VideoSink(arguments.compare, source.frame_rate, panels, panels.size)
    if arguments.save_csv:
        yield CsvSink(arguments.save_csv, layout, by_name=source.holds_stills, raw=arguments.raw)
    if arguments.save_jsonl:
        yield JsonLinesSink(arguments.save_jsonl, raw=arguments.raw)


def pump_offline(
    name: str, source: Source, tracker: FaceTracker, sinks: list[Sink], console: Console
) -> RunSummary:
    """Track the file once, smooth, and read it again to write the outputs."""
    remember = Remember()
    summary = pump(source, tracker, [remember], console)
    faces = smoothed_faces(remember.times_s, remember.faces, tracker.layout, tracker.motion)
    with open_source(name) as again:
        second = pump(again, Replay(faces, tracker.tally), sinks, console)
    summary.seconds += second.seconds
    summary.read_seconds += second.read_seconds
    summary.output_seconds = second.output_seconds
    summary.latency = Latency()  # no result is there before the whole file is read
    summary.interrupted |= second.interrupted
    return summary


def pump(
    source: Source, tracker: FaceTracker | Replay, sinks: list[Sink], console: Console
) -> RunSummary:
    """Every frame of the source through the tracker into every sink, until the end or Ctrl-C.

    Reading and writing overlap with tracking. Windows stay here: OpenCV wants the main thread.
    """
    summary, started = RunSummary(source.name, tracker.tally), time.perf_counter()
    windows = [sink for sink in sinks if isinstance(sink, WindowSink)]
    files = [sink for sink in sinks if sink not in windows]
    room = 1 if source.is_live else _READ_AHEAD
    with (
        progress(source, summary, console) as advance,
        interruption() as interrupted,
        WriteBehind(partial(_write, files), _WRITE_BEHIND) as writer,
        ReadAhead(source, room, drop_oldest=source.is_live, stopped=interrupted) as frames,
        suppress(WindowClosed),
    ):
        for frame in frames:
            if source.holds_stills:
                tracker.reset()
            faces = tracker.step(frame)
            summary.latency.add(time.monotonic() - frame.arrived_s)
            _write(windows, (frame, faces))
            writer.put((frame, faces))
            summary.dropped = frames.dropped if source.is_live else None
            advance(len(faces))
    summary.interrupted = interrupted.is_set() and not source.is_live  # Ctrl-C ends a camera
    summary.seconds = time.perf_counter() - started
    summary.read_seconds, summary.output_seconds = frames.seconds, writer.seconds
    return summary


def _write(sinks: Iterable[Sink], result: tuple[Frame, list[TrackedFace]]) -> None:
    frame, faces = result
    try:
        for sink in sinks:
            sink.write(frame, faces)
    except OSError as error:
        raise SinkError(
            f"frame {frame.index}: an output cannot be written any more ({error}): "
            "what was written before is kept; free some space"
        ) from error


@contextmanager
def interruption() -> Iterator[Event]:
    """An event that Ctrl-C sets, so that a run ends between frames; a second Ctrl-C ends it now."""
    interrupted = Event()

    def handle(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    sys.exit(main())
