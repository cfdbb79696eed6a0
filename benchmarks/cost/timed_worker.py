"""Times a tracker on frames of a file; run by `benchmarks.cost` in the folder of any checkout.

It stands alone, and knows two states of the public door: `FaceTracker.update(image, time_s)`, and
`FaceTracker.step(frame)` of before. A line on the standard input holds the first and last frame to
track; the answer is one JSON list with [wall, processor] milliseconds of each frame.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path[0] = str(Path.cwd())


def tracked_frame() -> Callable[[int, np.ndarray, float], int]:
    """Tracks one frame with the default tracker of the checkout; returns the number of faces."""
    import models  # noqa: PLC0415 - those of the folder where this runs
    import tracker  # noqa: PLC0415

    landmarker = models.load_landmarker()
    if hasattr(tracker.FaceTracker, "update"):
        faces = tracker.FaceTracker(landmarker)
        return lambda index, image, time_s: len(faces.update(image, time_s))
    older: Any = tracker
    stepped = older.FaceTracker(landmarker, older.MediaPipeDetector())
    return lambda index, image, time_s: len(stepped.step(older.Frame(index, time_s, image)))


def main(frames_file: str, rate: str) -> None:
    """Answer until the input ends."""
    frames = np.load(frames_file, mmap_mode="r")
    track = tracked_frame()
    for line in sys.stdin:
        first, last = map(int, line.split())
        answer = []
        for index in range(first, last + 1):
            image = np.ascontiguousarray(frames[index])
            wall, processor = time.perf_counter(), time.process_time()
            faces = track(index, image, index / float(rate))
            spent = time.perf_counter() - wall, time.process_time() - processor
            answer.append([1e3 * spent[0], 1e3 * spent[1], faces])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
