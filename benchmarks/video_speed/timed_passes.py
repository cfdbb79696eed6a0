"""Reads a video, or reads and writes it, each time it is told to, and says how long it took.

Run by its path, with the checkout that is measured as PYTHONPATH: ours, or an earlier one, whose
modules had other names.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2

try:
    from tracker.io.sources import open_source
    from tracker.io.video_writer import VideoSink
except ImportError:  # before the tracker had rooms
    from tracker.sinks import VideoSink  # type: ignore[import-not-found, no-redef]
    from tracker.sources import open_source  # type: ignore[import-not-found, no-redef]


def read(video: str) -> int:
    """Every frame as RGB."""
    with open_source(video) as source:
        return sum(1 for _ in source)


def read_by_opencv(video: str) -> int:
    """The same without anything of ours."""
    capture, frames = cv2.VideoCapture(video), 0
    while (image := capture.read()[1]) is not None:
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
        frames += 1
    return frames


def read_and_write(video: str) -> int:
    """Every frame into another video, as it is."""
    with tempfile.TemporaryDirectory() as folder, open_source(video) as source:
        sink = VideoSink(Path(folder) / "x.mp4", source.frame_rate, lambda frame, _: frame.image)
        frames = 0
        for frame in source:
            sink.write(frame, [])
            frames += 1
        sink.close()
    return frames


PASSES: dict[str, Callable[[str], int]] = {
    "read": read, "opencv": read_by_opencv, "write": read_and_write,
}  # fmt: skip


def main() -> None:
    """One pass for each line of standard input: frames, seconds, seconds of all cores."""
    one_pass, video = PASSES[sys.argv[1]], sys.argv[2]
    for _ in sys.stdin:
        started, used = time.perf_counter(), time.process_time()
        frames = one_pass(video)
        print(frames, time.perf_counter() - started, time.process_time() - used, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
