"""Jitter and lag of one face, the demo's portrait: first still, then moving.

    python -m benchmarks.jitter.still_portrait

The clip of `run_tracker.py demo` with several seeds of the sensor noise; medians over the seeds.
`benchmarks.jitter` has the same jitter of several faces.
"""

import argparse
import statistics
from dataclasses import asdict
from pathlib import Path

import models
from tracker.cli.demo import DemoRecorder, DemoReport, demo_camera
from tracker.errors import FaceTrackError
from tracker.face_tracker import FaceTracker

from ..harness import argument_parser, machine, rich_table, run_command, save_json, wide_console


def measure(tracker: FaceTracker, seed: int) -> DemoReport | None:
    """Track the demo's clip under one draw of the noise; None if the face was lost."""
    camera = demo_camera(seed)
    recorder = DemoRecorder(camera, tracker.layout)
    tracker.reset()
    for frame in camera:
        recorder.write(frame, tracker.update(frame.image, frame.time_s))
    return recorder.report(tracker)


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure, print, write.

    Raises:
        FaceTrackError: If the face is lost under every seed.
        CheckpointError: If the weights cannot be read.
    """
    landmarker = models.load_landmarker(arguments.weights, "cpu")
    tracker = FaceTracker(landmarker)
    reports = [measure(tracker, seed) for seed in range(arguments.seeds)]
    rows = [asdict(report) for report in reports if report]
    if not rows:
        raise FaceTrackError(f"{arguments.weights}: the portrait's face was lost: no figures")
    medians = {key: round(statistics.median(row[key] for row in rows), 4) for key in rows[0]}
    cells = [(name.replace("_", " "), f"{value:.3f}") for name, value in medians.items()]
    headings = ("one portrait", f"median of {len(rows)} seeds")
    wide_console().print(rich_table(headings, cells, title=machine()))
    save_json(arguments.json, {"machine": machine(), "seeds": len(rows), **medians})


def main() -> None:
    """Parse the flags and measure."""
    parser = argument_parser("jitter.still_portrait", __doc__)
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    run_command(parser, benchmark)


if __name__ == "__main__":
    main()
