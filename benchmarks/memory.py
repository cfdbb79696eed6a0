"""Does memory stay flat while a clip goes round and round?

    python -m benchmarks.memory --minutes 60

Frames go through `run_tracker.py`'s threads into an overlay and a CSV; Linux only.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.table import Table

import models
from tracker.cli.progress import watch_on
from tracker.detection.mediapipe_detector import MediaPipeDetector
from tracker.io.drawing import draw_faces
from tracker.io.sources import open_source
from tracker.io.tables import CsvSink
from tracker.io.video_writer import VideoSink
from tracker.run.loop import run
from tracker.run.summary import StopRequest
from tracker.run.timed_tracker import TimedTracker
from tracker.types import Face, Frame, Image

from .latency_clips import write_one_face
from .measure import machine

_SETTLED_S = 10.0
"""The start is taken then: libraries allocate with the first frames."""


class Endless:
    """A clip again and again, until the time is up."""

    frame_count: int | None = None
    is_live = holds_stills = False

    def __init__(self, clip: Path, seconds: float) -> None:
        self._clip, self._seconds, self.name = clip, seconds, clip.name
        with open_source(str(clip)) as source:
            self.frame_rate = source.frame_rate

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing stays open."""

    def __iter__(self) -> Iterator[Frame]:
        ends, index = time.monotonic() + self._seconds, 0
        while True:
            with open_source(str(self._clip)) as source:
                for frame in source:
                    if time.monotonic() > ends:
                        return
                    yield Frame(index, index / self.frame_rate, frame.image)
                    index += 1


class ResidentMemory:
    """A sink that notes the process's memory once a second."""

    def __init__(self) -> None:
        self.notes: list[tuple[float, int, float]] = []
        """Seconds, frames and MB."""
        self._started, self._frames = time.monotonic(), 0

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Note, where a second has gone by."""
        self._frames += 1
        seconds = time.monotonic() - self._started
        if not self.notes or seconds - self.notes[-1][0] >= 1:
            self.notes.append((seconds, self._frames, resident_mb()))

    def close(self) -> None:
        """Nothing is open."""


def resident_mb() -> float:
    """Of this process, as Linux tells it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1000


def measure(clip: Path, weights: str, seconds: float, folder: Path) -> ResidentMemory:
    """Track the clip for so long and note the memory."""
    timed = TimedTracker(models.load_landmarker(weights, "cpu"), MediaPipeDetector())
    source, memory = Endless(clip, seconds), ResidentMemory()

    def overlay(frame: Frame, faces: list[Face]) -> Image:
        return draw_faces(frame.image, faces, timed.tracker.layout, ellipses=False)

    with (
        closing(VideoSink(folder / "out.mp4", source.frame_rate, overlay)) as video,
        closing(
            CsvSink(folder / "out.csv", timed.tracker.layout, by_name=False, raw=False)
        ) as rows,
    ):
        watch = watch_on(Console(quiet=True))
        run(source, timed, [video, rows, memory], watch, StopRequest())
    return memory


def main() -> None:
    """Print the memory at the start, in the middle and at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--clip", type=Path, help="(default: the demo's, 640x480)")
    parser.add_argument("--weights", default="lite", help="name or path")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        clip = arguments.clip
        if clip is None:
            clip = Path(name) / "clip.mp4"
            write_one_face(clip)
        memory = measure(clip, arguments.weights, 60 * arguments.minutes, Path(name))
    settled = [note for note in memory.notes if note[0] >= _SETTLED_S] or memory.notes[-1:]
    table = Table("", "seconds", "frames", "resident memory, MB", title=machine())
    for when, at in (("start", 0), ("middle", len(settled) // 2), ("end", -1)):
        seconds, frames, megabytes = settled[at]
        table.add_row(when, f"{seconds:.0f}", str(frames), f"{megabytes:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
