"""How many faces does each detector find, how often is it wrong, and what does it cost?

    python -m benchmarks.detection --data ../shared/data --cases ../shared/cases \
        --yunet face_detection_yunet_2026may.onnx --json benchmarks/results/detection.json

A face is found where a square lies within 0.35 of its side of its centre, and is half to twice as
large. The pictures are held out from the training of our detector (`detection_pictures`); times are
medians over composed pictures 1,024 px wide, where all detectors take turns.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import cv2

from benchmarks.harness import machine, wide_console
from tracker.errors import FaceTrackError

from .compared_detectors import compared_detectors
from .detection_pictures import (
    ShownPicture,
    close_ups,
    composed,
    crowds,
    rendered_heads,
    small_faces,
    video_stills,
    without_faces,
)
from .detection_report import BY_SIZE, Result, markdown, show, summary, table, time_in_turns

_ROLLS_DEG = (45.0, 90.0, 135.0, 180.0)
_GAINS = (0.25, 0.06, 0.02)
_TIMED = 20


def shown_pictures(data: Path, cases: Path | None, scenes: int) -> Iterable[ShownPicture]:
    """Everything that is shown, kind by kind."""
    if cases:
        yield from small_faces(cases)
    yield from crowds(data)
    yield from rendered_heads(data)
    yield from video_stills(data, 10 * scenes)
    yield from close_ups(data, 2 * scenes)
    yield from composed(data, 2 * scenes, BY_SIZE)
    for roll_deg in _ROLLS_DEG:
        yield from composed(data, scenes, f"composed, roll {roll_deg:g}", roll_deg=roll_deg)
    for gain in _GAINS:
        yield from composed(data, scenes, f"composed, light {gain:g}", gain=gain)
    yield from without_faces(data)


def main(argv: list[str] | None = None) -> None:
    """Parse flags, show all to all, print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.detection",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with 300w, ytf68, …")
    parser.add_argument("--cases", type=Path, help="folder with small_faces.jpg and .csv")
    parser.add_argument("--weights", type=Path, metavar="F", help="our detector's .onnx")
    parser.add_argument("--yunet", type=Path, metavar="F", help="OpenCV's YuNet, to compare")
    parser.add_argument("--only", metavar="TEXT", help="detectors whose names begin so")
    parser.add_argument("--scenes", type=int, default=12, help="of each kind (%(default)s)")
    parser.add_argument("--markdown", type=Path, metavar="F", help="keep the table")
    parser.add_argument("--json", type=Path, metavar="F", help="keep the figures")
    arguments = parser.parse_args(argv)
    try:
        detectors = compared_detectors(arguments.weights, arguments.yunet)
        detectors = [d for d in detectors if d.name.startswith(arguments.only or "")]
        results = {detector.name: Result() for detector in detectors}
        cv2.setNumThreads(2)
        timed = list(composed(arguments.data, _TIMED, "timed"))
        time_in_turns(timed[:3], detectors, {name: Result() for name in results})
        time_in_turns(timed, detectors, results)
        show(shown_pictures(arguments.data, arguments.cases, arguments.scenes), detectors, results)
    except (FaceTrackError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    rows = summary(results)
    wide_console().print(table(rows))
    if arguments.markdown:
        arguments.markdown.write_text(markdown(rows), encoding="utf-8")
    if arguments.json:
        kept = {"machine": machine(), "scenes_of_each_kind": arguments.scenes, "detectors": rows}
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
