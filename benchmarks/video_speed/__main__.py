"""Times reading and writing a video in interleaved pairs, and prints ratios.

python -m benchmarks.video_speed                        # reading, paired with OpenCV
git worktree add ../before ab17b9e
python -m benchmarks.video_speed --against ../before    # and with an earlier one, writing too
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from benchmarks.harness import (
    Json,
    argument_parser,
    machine,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from tracker.errors import FaceTrackError
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from tracker.io.video_writer import VideoSink
from tracker.types import Frame

ROOT = Path(__file__).parents[2]
_CLIP_S = 12.0
_SIZE = (640, 480)


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of a pair."""

    name: str
    checkout: Path
    one_pass: str


def main() -> None:
    """Run the pairs, print them and keep them."""
    parser = argument_parser("video_speed", __doc__)
    parser.add_argument("video", nargs="?", type=Path, help="default: a portrait, 640x480, H.264")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="an earlier one")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    run_command(parser, _measure)


def _measure(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        video = arguments.video or _plain_clip(Path(folder) / "clip.mp4")
        result: Json = {"machine": machine(), "pairs": arguments.pairs}
        for name, ours, other in _pairs(arguments.against):
            result[name] = _figures(_paired(ours, other, video, arguments.pairs))
            save_json(arguments.json, result, digits=3)
    rows = [
        [name, *(f"{result[name][key]:.2f}" for key in ("wall", "least", "most", "cores", "best"))]
        for name in result if name not in ("machine", "pairs")
    ]  # fmt: skip
    console = wide_console()
    headings = ["our time over that of", "median", "25 %", "75 %", "of all cores", "best of each"]
    console.print(rich_table(headings, rows, title=f"{arguments.pairs} pairs", caption=machine()))


def _pairs(against: Path | None) -> Iterator[tuple[str, Contender, Contender]]:
    read, write = (Contender("ours", ROOT, one_pass) for one_pass in ("read", "write"))
    yield "OpenCV, reading", read, Contender("OpenCV", ROOT, "opencv")
    if against:
        yield "earlier, reading", read, Contender("earlier", against, "read")
        yield "earlier, reading and writing", write, Contender("earlier", against, "write")


def _plain_clip(path: Path) -> Path:
    """What cameras write: H.264 without turns, at 25 frames per second."""
    sink = VideoSink(path, 25.0, _small)
    for frame in SimulatedCamera(portrait(), still_then_moving(_CLIP_S / 2), _CLIP_S):
        sink.write(frame, [])
    sink.close()
    return path


def _small(frame: Frame, _: object) -> np.ndarray:
    return np.asarray(cv2.resize(frame.image, _SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def _paired(
    ours: Contender, other: Contender, video: Path, pairs: int
) -> Float[np.ndarray, "pairs ours_other=2 wall_cores=2"]:
    """Seconds of each pass; both in turns, each of them first in every other pair."""
    with ExitStack() as started:
        both = [started.enter_context(_waiting(one, video)) for one in (ours, other)]
        frames = [_one_pass(one)[0] for one in both]  # also the first, which is slow
        if frames[0] != frames[1]:
            raise FaceTrackError(f"{video}: {ours.name} read {frames[0]} frames, "
                                 f"{other.name} {frames[1]}")  # fmt: skip
        seconds = np.zeros((pairs, 2, 2))
        for number in range(pairs):
            for which in (0, 1) if number % 2 else (1, 0):
                seconds[number, which] = _one_pass(both[which])[1:]
    return seconds


@contextmanager
def _waiting(contender: Contender, video: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that does one pass for each line."""
    program = str(Path(__file__).with_name("timed_passes.py"))
    process = subprocess.Popen(
        [sys.executable, program, contender.one_pass, str(video.absolute())],
        env=os.environ | {"PYTHONPATH": str(contender.checkout.absolute())},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _one_pass(process: subprocess.Popen[str]) -> list[float]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    said = process.stdout.readline()
    if not said:
        raise FaceTrackError("a pass failed: its error is above")
    return [float(word) for word in said.split()]


def _figures(seconds: Float[np.ndarray, "pairs ours_other=2 wall_cores=2"]) -> Json:
    """Ratios of ours to the other."""
    ratios = seconds[:, 0] / seconds[:, 1]
    best = seconds[..., 0].min(0)
    return {
        "wall": float(np.median(ratios[:, 0])),
        "least": float(np.quantile(ratios[:, 0], 0.25)),
        "most": float(np.quantile(ratios[:, 0], 0.75)),
        "cores": float(np.median(ratios[:, 1])),
        "best": float(best[0] / best[1]),
        "ours_s": float(np.median(seconds[:, 0, 0])),
        "other_s": float(np.median(seconds[:, 1, 0])),
    }


if __name__ == "__main__":
    main()
