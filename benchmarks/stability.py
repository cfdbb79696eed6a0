"""What does the filter take out of a still portrait, and what does it cost on a moving one?

    python -m benchmarks.stability

The clip of `run_tracker.py demo`, with several seeds of the sensor noise; the median counts.
"""

import argparse
import json
import statistics
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

import models
from tracker.cli.demo import DemoRecorder, DemoReport, demo_camera
from tracker.detection.mediapipe_detector import MediaPipeDetector
from tracker.face_tracker import FaceTracker

from .measure import machine


def measure(tracker: FaceTracker, seed: int) -> DemoReport | None:
    """Track the demo's clip under one draw of the noise; None if the face was lost."""
    camera = demo_camera(seed)
    recorder = DemoRecorder(camera, tracker.layout)
    tracker.reset()
    for frame in camera:
        recorder.write(frame, tracker.update(frame.image, frame.time_s))
    return recorder.report(tracker)


def main() -> None:
    """Print the median over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="lite", help="name or path")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    landmarker = models.load_landmarker(arguments.weights, "cpu")
    tracker = FaceTracker(landmarker, MediaPipeDetector())
    reports = [measure(tracker, seed) for seed in range(arguments.seeds)]
    rows = [asdict(report) for report in reports if report]
    medians = {key: round(statistics.median(row[key] for row in rows), 4) for key in rows[0]}
    table = Table("figure", f"median of {len(rows)}", title=machine())
    for name, value in medians.items():
        table.add_row(name.replace("_", " "), f"{value:.3f}")
    Console().print(table)
    if arguments.json:
        row = {"machine": machine(), "seeds": len(rows), **medians}
        arguments.json.write_text(json.dumps(row, indent=1) + "\n")


if __name__ == "__main__":
    main()
