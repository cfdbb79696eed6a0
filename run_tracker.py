#!/usr/bin/env python3
"""Track faces in a camera, in one or several video files, or in a folder of pictures.

    python run_tracker.py 0 --show
    python run_tracker.py clip.mp4 --save-video overlay.mp4 --save-csv landmarks.csv
    python run_tracker.py clips/ --save-csv landmarks/
    python run_tracker.py demo

This is the one place where network, tracker, source and outputs are joined.
"""

import argparse
import logging
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console
from rich.logging import RichHandler

import models
from tracker.demo import DemoRecorder, demo_camera
from tracker.detection import MediaPipeDetector
from tracker.errors import FaceTrackError
from tracker.inputs import DEMO, several_videos
from tracker.layouts import find_layout
from tracker.outputs import Outputs, check_outputs, check_outputs_of_several, open_sinks
from tracker.pipeline import FaceTracker, TrackerConfig
from tracker.pump import pump, pump_offline
from tracker.shared_batches import shared
from tracker.sinks import Sink
from tracker.sources import open_source
from tracker.terminal import RunSummary, Watch, alone, closing_table, demo_table
from tracker.terminal_several import SeveralSummary, table_of_several
from tracker.together import track_several
from tracker.types import CropCutter, Landmarker
from tracker.virtual_camera import VirtualCamera

_DEMO_FOLDER = Path("demo-output")
_TOGETHER_ON_GPU = 8
"""Videos; a CPU, which has no use for large batches, takes one after the other."""


def build_parser() -> argparse.ArgumentParser:
    """Every flag, in the groups of `--help`."""
    defaults = TrackerConfig()
    parser = argparse.ArgumentParser(
        prog="run_tracker.py",
        description="Track face landmarks, each with its uncertainty.",
        epilog="With neither an output nor --show, a window opens where there is a display. With "
        "several videos F is a folder; the files in it are named after the videos.",
    )
    parser.add_argument(
        "source", nargs="+",
        help="camera index (0, 1, ...), video file, picture, folder of pictures, or 'demo'; or "
        "several videos, folders of videos among them",
    )  # fmt: skip
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
    tracking.add_argument(
        "--together", type=_positive, metavar="N",
        help="of several videos track N at the same time; the network takes the faces of all at "
        f"once (default: 1, on a GPU {_TOGETHER_ON_GPU})",
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
    """Run the command line; 0 done, 2 bad input or a video that failed, 130 interrupted."""
    arguments = build_parser().parse_intermixed_args(argv)
    console = Console()
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(show_path=False)]
    )
    try:
        videos = several_videos(arguments.source)
        summary = run_several(arguments, videos, console) if videos else run(arguments, console)
    except (FaceTrackError, models.CheckpointError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before the first frame, or for the second time
        return 130
    if summary.interrupted:
        return 130
    return 2 if isinstance(summary, SeveralSummary) and summary.failed else 0


def run(arguments: argparse.Namespace, console: Console) -> RunSummary:
    """Join the parts, pump the frames of the one source through them, and sum up."""
    (address,) = arguments.source
    is_demo = address == DEMO
    outputs = _demo_outputs(asked_outputs(arguments)) if is_demo else asked_outputs(arguments)
    check_outputs(outputs, Path(address))
    with ExitStack() as opened:
        source = demo_camera() if is_demo else open_source(address)
        opened.enter_context(source)
        if arguments.offline and (is_demo or source.is_live or source.holds_stills):
            raise FaceTrackError(f"--offline needs a video file, which {address} is not")
        landmarker = models.load_landmarker(arguments.weights, arguments.device, arguments.backend)
        tracker = FaceTracker(landmarker, MediaPipeDetector(), asked_config(arguments))
        sinks = _closed_later(opened, open_sinks(outputs, source, tracker.layout))
        if not sinks:
            console.print("nothing is kept: add --save-csv F, --save-video F or --show")
        recorder = None
        if isinstance(source, VirtualCamera):
            recorder = DemoRecorder(source, tracker.layout)
            sinks.append(recorder)
        pumped = partial(pump_offline, address) if arguments.offline else pump
        summary = pumped(source, tracker, sinks, alone(console))
    console.print(closing_table(summary))
    if recorder and not summary.interrupted:
        console.print(demo_table(recorder.report(tracker)))
    for path in outputs.paths:
        console.print(f"wrote {path}", highlight=False)
    return summary


def run_several(
    arguments: argparse.Namespace, videos: list[Path], console: Console
) -> SeveralSummary:
    """Join the parts for each video, with one network for all, and sum up."""
    outputs, config = asked_outputs(arguments), asked_config(arguments)
    check_outputs_of_several(outputs, videos)
    landmarker: Landmarker = models.load_landmarker(
        arguments.weights, arguments.device, arguments.backend
    )
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    usual = _TOGETHER_ON_GPU if isinstance(landmarker, CropCutter) else 1
    together = min(arguments.together or usual, len(videos))
    if together > 1:
        landmarker = shared(landmarker)
    idle: SimpleQueue[MediaPipeDetector] = SimpleQueue()
    for _ in range(together):  # each is for one thread at a time
        idle.put(MediaPipeDetector())

    def track(video: Path, watch: Watch) -> RunSummary:
        with ExitStack() as opened:
            source = opened.enter_context(open_source(str(video)))
            detector = idle.get()
            opened.callback(idle.put, detector)
            sinks = _closed_later(opened, open_sinks(outputs.of(video), source, layout))
            pumped = partial(pump_offline, str(video)) if arguments.offline else pump
            return pumped(source, FaceTracker(landmarker, detector, config), sinks, watch)

    summary = track_several(videos, track, together, console)
    console.print(table_of_several(summary))
    for folder in dict.fromkeys(outputs.paths):
        console.print(f"wrote into {folder}", highlight=False, markup=False)
    return summary


def _closed_later(opened: ExitStack, sinks: Iterable[Sink]) -> list[Sink]:
    """The sinks; what was open before the next fails to open is closed, too."""
    kept = []
    for sink in sinks:
        opened.callback(sink.close)
        kept.append(sink)
    return kept


def asked_config(arguments: argparse.Namespace) -> TrackerConfig:
    """As the flags say."""
    return TrackerConfig(max_faces=arguments.max_faces, smoothing=arguments.smoothing)


def asked_outputs(arguments: argparse.Namespace) -> Outputs:
    """As the flags say."""
    return Outputs(
        video=arguments.save_video,
        csv=arguments.save_csv,
        jsonl=arguments.save_jsonl,
        compare=arguments.compare,
        overwrite=arguments.overwrite,
        raw=arguments.raw,
        ellipses=arguments.ellipses,
        window=arguments.show,
    )


def _demo_outputs(asked: Outputs) -> Outputs:
    """The demo writes to its own folder, again and again, unless told where."""
    if asked.paths:
        return asked
    _DEMO_FOLDER.mkdir(exist_ok=True)
    video, csv = _DEMO_FOLDER / "overlay.mp4", _DEMO_FOLDER / "landmarks.csv"
    return replace(asked, video=video, csv=csv, overwrite=True)


if __name__ == "__main__":
    sys.exit(main())
