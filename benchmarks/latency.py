"""How long does a frame take, from the file to the written overlay and CSV?

    python -m benchmarks.latency

A 640x480 clip with one face goes through `run_tracker.py` several times; the median counts.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table

import run_tracker
from tracker.demo import demo_camera

from .measure import machine

_STAGES = ("detect", "crop", "network", "filter", "output", "read")


def write_clip(path: Path) -> int:
    """Encode the demo's clip; returns its number of frames."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30.0, (640, 480))
    count = 0
    for frame in demo_camera():
        writer.write(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
        count += 1
    writer.release()
    return count


def measure(clip: Path, weights: str, folder: Path) -> dict[str, float]:
    """One whole run: frames per second and milliseconds per frame of each stage."""
    outputs = ["--save-csv", str(folder / "out.csv"), "--save-video", str(folder / "out.mp4")]
    flags = ["--weights", weights, "--device", "cpu", "--overwrite", *outputs]
    arguments = run_tracker.build_parser().parse_args([str(clip), *flags])
    summary = run_tracker.run(arguments, Console(quiet=True))
    return {"fps": summary.frames_per_second, **summary.milliseconds}


def main() -> None:
    """Print the median over the runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="lite", help="name or path")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clip(folder / "clip.mp4")
        runs = [
            measure(folder / "clip.mp4", arguments.weights, folder) for _ in range(arguments.runs)
        ]
    medians = {key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]}
    table = Table("640x480, one face", "median", title=machine())
    table.add_row("frames per second, overlay and CSV written", f"{medians['fps']:.1f}")
    for stage in _STAGES:
        table.add_row(f"{stage}, ms per frame", f"{medians[stage]:.1f}")
    Console().print(table)
    if arguments.json:
        row = {"machine": machine(), "runs": arguments.runs, **medians}
        arguments.json.write_text(json.dumps(row, indent=1) + "\n")


if __name__ == "__main__":
    main()
