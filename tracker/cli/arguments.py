"""The flags of the command line, and what they ask for."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..analysis.neutral_file import KeptNeutral
from ..analysis.pinhole import DEFAULT_FOV_DEG
from ..errors import FaceTrackError
from ..io.outputs import Outputs
from ..io.video_writer import CODECS, Encoding
from ..run.analysis_stage import AnalysisSettings
from ..tracker_config import FACES, TrackerConfig
from .camera_flags import add_camera_flags
from .flag_types import (
    device,
    field_of_view,
    neutral,
    positive,
    quality,
    region,
    seconds,
    share,
)
from .reading_flags import add_reading_flags
from .stream_flags import add_stream_flags, asked_streams

AUTO = "auto"
"""Weights by what they are for."""
ANY_ROLL, MEDIAPIPE, BOTH = DETECTORS = ("any-roll", "mediapipe", "both")
VIDEOS_AT_ONCE_ON_GPU = 8
"""A CPU, which has no use for large batches, takes one video after the other."""
_DEMO_FOLDER = Path("demo-output")


def build_parser() -> argparse.ArgumentParser:
    """Every flag, in the groups of `--help`."""
    defaults = TrackerConfig()
    parser = argparse.ArgumentParser(
        prog="run_tracker.py",
        description="Track face landmarks, each with its uncertainty.",
        epilog="With neither an output nor --show, a window opens where there is a display. With "
        "several videos F is a folder; the files in it are named after the videos. Three words "
        "in place of a source are commands of their own, see their --help: 'check' says how good a "
        "camera, its light and this machine are, 'serve' shows a page with the browser's camera, "
        "'archive' tracks a list of videos on many machines.",
    )
    parser.add_argument(
        "source", nargs="+",
        help="camera by index (0, 1, ...) or name, video file, URL of a stream or of a remote "
        "store's file, - for the standard input, picture, folder of pictures, numbered pictures as "
        "frames/%%04d.png, or 'demo'; or several videos, folders of videos among them; or several "
        "pictures",
    )  # fmt: skip
    add_reading_flags(parser.add_argument_group("reading"))
    tracking = parser.add_argument_group("tracking")
    add_network_flags(tracking)
    tracking.add_argument(
        "--detector", choices=DETECTORS, default=DETECTORS[0],
        help="any-roll: ours, for small faces and heads at any roll; mediapipe, an extra; or both "
        "(default: %(default)s)",
    )  # fmt: skip
    tracking.add_argument(
        "--max-faces", type=positive, default=defaults.max_faces, metavar="N",
        help="follow at most this many faces; a much larger one takes the place of a smaller one "
        "(default: %(default)s)",
    )  # fmt: skip
    tracking.add_argument(
        "--faces", choices=FACES, default=defaults.faces,
        help="follow all faces, only the largest, or only the one nearest to the picture's centre; "
        "another takes over when it is clearly larger or nearer (default: %(default)s)",
    )  # fmt: skip
    tracking.add_argument(
        "--region", type=region, metavar="X0,Y0,X1,Y1",
        help="follow only faces whose centre lies in this part of the picture, in pixels",
    )  # fmt: skip
    tracking.add_argument(
        "--remember", type=seconds, default=defaults.remember_s, metavar="SECONDS",
        help="a face that comes back within this time keeps its id, after a film cut too where its "
        "appearance is known; 0 forgets at once (default: %(default)s)",
    )  # fmt: skip
    tracking.add_argument(
        "--smoothing", type=share, default=defaults.smoothing, metavar="0..1",
        help="trades jitter against lag: 0 follows every measurement, 1 is calmest in motion "
        "(default: %(default)s)",
    )  # fmt: skip
    tracking.add_argument(
        "--offline", action="store_true",
        help="for video files: smooth with what comes after each frame, too; reads the file twice",
    )  # fmt: skip
    tracking.add_argument(
        "--together", type=positive, metavar="N",
        help="of several videos track N at the same time; the network takes the faces of all as "
        f"one batch (default: 1, on a GPU {VIDEOS_AT_ONCE_ON_GPU})",
    )  # fmt: skip
    analysis = parser.add_argument_group("head pose, eyes and expression")
    analysis.add_argument(
        "--analyse", action="store_true",
        help="read them off every face, and write them into CSV, JSON lines and Parquet",
    )  # fmt: skip
    analysis.add_argument(
        "--axes", action="store_true", help="draw the axes of the head: right, down and ahead"
    )
    analysis.add_argument(
        "--fov", type=field_of_view, metavar="DEGREES|FILE",
        help="the camera's field of view along the longer side, which gives distances their "
        f"scale, or its calibration as OpenCV writes it (default: {DEFAULT_FOV_DEG:g}, or less "
        "where a face would be nearer than 70 cm)",
    )  # fmt: skip
    analysis.add_argument(
        "--calibrate-neutral", type=neutral, metavar="SECONDS|FILE",
        help="take every face for neutral in its first so many seconds, or as a file of "
        "--save-neutral has it (default: its neutral is "
        "learned from what it usually does)",
    )  # fmt: skip
    analysis.add_argument(
        "--save-neutral", type=Path, metavar="F",
        help="keep the neutral face of who was seen longest, as JSON; needs a single source",
    )  # fmt: skip
    output = parser.add_argument_group("output")
    output.add_argument(
        "--save-video", type=Path, metavar="F",
        help="write the overlay as MP4, .mov, .mkv or .avi, with the sound of a video file",
    )  # fmt: skip
    output.add_argument("--save-csv", type=Path, metavar="F", help="write landmarks as CSV")
    output.add_argument(
        "--save-jsonl", type=Path, metavar="F", help="write landmarks as JSON lines"
    )
    output.add_argument(
        "--save-parquet", type=Path, metavar="F",
        help="write landmarks as Parquet (needs the extra 'parquet')",
    )  # fmt: skip
    output.add_argument(
        "--save-coco", type=Path, metavar="F", help="write landmarks as COCO key points, JSON"
    )
    output.add_argument(
        "--save-pts", type=Path, metavar="FOLDER",
        help="write a .pts file for each face of each picture, as 300W has them",
    )  # fmt: skip
    output.add_argument(
        "--report", type=Path, metavar="FOLDER",
        help="write a page for each video that shows how it went, and one of all, worst first",
    )  # fmt: skip
    output.add_argument(
        "--compare", type=Path, metavar="F", help="write raw beside filtered, enlarged, as MP4"
    )
    output.add_argument(
        "--video-codec", choices=CODECS, default=Encoding().codec,
        help="of videos that are written (default: %(default)s; without its encoder mpeg4)",
    )  # fmt: skip
    output.add_argument(
        "--video-quality", type=quality, default=Encoding().quality, metavar="0..51",
        help="0 is best and largest (default: %(default)s)",
    )  # fmt: skip
    output.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    output.add_argument(
        "--resume", action="store_true",
        help="of several videos skip those that an earlier run finished, make the others anew",
    )  # fmt: skip
    output.add_argument("--raw", action="store_true", help="write unfiltered landmarks")
    output.add_argument(
        "--ellipses", action="store_true", help="draw where each landmark is with 95 %% probability"
    )
    output.add_argument("--show", action="store_true", help="open a live window; q ends, h helps")
    add_camera_flags(parser)
    add_stream_flags(parser)
    return parser


def add_network_flags(group: argparse._ArgumentGroup) -> None:
    """Which network, and what runs it."""
    group.add_argument(
        "--weights", default=AUTO, metavar="NAME_OR_PATH",
        help="'nano', 'lite', 'base' (from fast to accurate), 'lite-free' (no research data) or "
        "'lite-29'; a .safetensors or .onnx of ours, or a checkpoint of STAR's authors (default: "
        "auto, 'base' for pictures and --offline, else 'lite')",
    )  # fmt: skip
    group.add_argument(
        "--device",
        type=device,
        default="auto",
        help="auto, cpu, cuda, cuda:1, ... or mps (default: auto)",
    )
    group.add_argument(
        "--backend", choices=("auto", "onnx", "torch"), default="auto",
        help="what runs the network: ONNX Runtime or PyTorch (default: auto)",
    )  # fmt: skip


def asked_config(arguments: argparse.Namespace) -> TrackerConfig:
    """How to track, as the flags say."""
    return TrackerConfig(
        max_faces=arguments.max_faces,
        faces=arguments.faces,
        region=arguments.region,
        remember_s=arguments.remember,
        smoothing=arguments.smoothing,
    )


def asked_analysis(arguments: argparse.Namespace) -> AnalysisSettings | None:
    """What to read off the faces, as the flags say; None reads nothing.

    Raises:
        FaceTrackError: If a flag says how, and none that it is to be done.
    """
    if arguments.analyse or arguments.axes or asked_streams(arguments):
        asked = arguments.calibrate_neutral
        if isinstance(asked, KeptNeutral):
            return AnalysisSettings(arguments.fov, neutral=asked)
        return AnalysisSettings(arguments.fov, asked)
    for flag in ("fov", "calibrate-neutral", "save-neutral"):
        if getattr(arguments, flag.replace("-", "_")) is not None:
            raise FaceTrackError(f"--{flag} needs an analysis: add --analyse or --axes")
    return None


def asked_outputs(arguments: argparse.Namespace) -> Outputs:
    """What to write, as the flags say."""
    return Outputs(
        video=arguments.save_video,
        csv=arguments.save_csv,
        jsonl=arguments.save_jsonl,
        parquet=arguments.save_parquet,
        coco=arguments.save_coco,
        pts=arguments.save_pts,
        compare=arguments.compare,
        report=arguments.report,
        overwrite=arguments.overwrite,
        raw=arguments.raw,
        ellipses=arguments.ellipses,
        analysis=arguments.analyse,
        axes=arguments.axes,
        encoding=Encoding(arguments.video_codec, arguments.video_quality),
        window=arguments.show,
        are_streamed=bool(asked_streams(arguments)),
    )


def settings_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What of the flags changes the results; the same for the same results."""
    config = asdict(asked_config(arguments))
    flags = ("detector", "device", "backend", "offline", "raw", "ellipses", "video_codec",
             "video_quality", "stream", "fps", "analyse", "axes", "fov",
             "calibrate_neutral")  # fmt: skip
    settings = config | {name: getattr(arguments, name) for name in flags}
    kept = settings["calibrate_neutral"]
    return settings | {"calibrate_neutral": asdict(kept) if isinstance(kept, KeptNeutral) else kept}


def demo_outputs(asked: Outputs) -> Outputs:
    """The demo writes to its own folder, again and again, unless other outputs are asked for."""
    if asked.paths:
        return asked
    _DEMO_FOLDER.mkdir(exist_ok=True)
    video, csv = _DEMO_FOLDER / "overlay.mp4", _DEMO_FOLDER / "landmarks.csv"
    return replace(asked, video=video, csv=csv, overwrite=True)
