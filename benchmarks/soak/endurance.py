"""Runs that last: whether memory, threads and descriptors stay level."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from benchmarks.harness import Json
from models import load_landmarker
from tracker.face_tracker import FaceTracker
from tracker.io.outputs import Outputs
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from tracker.io.sinks import open_sinks
from tracker.io.sources import open_source
from tracker.io.video_writer import SoundOf, VideoSink

from .process_figures import Held, growth, held_now

_SAMPLE_S = 2.0
_CLIP_S = 4.0


def write_clip(path: Path, seconds: float = _CLIP_S) -> Path:
    """The portrait, still and then moving, at 25 frames per second."""
    camera = SimulatedCamera(portrait()[::3, ::3].copy(), still_then_moving(seconds / 2), seconds)
    sink = VideoSink(path, 25.0, lambda frame, _: frame.image)
    for frame in camera:
        sink.write(frame, [])
    sink.close()
    return path


def endure(folder: Path, minutes: float) -> Json:
    """Track a clip again and again with one network, and write all tables and a report.

    Returns:
        Frames, and what was held and grew.
    """
    clip, landmarker = write_clip(folder / "clip.mp4"), load_landmarker()
    out = Outputs(
        csv=folder / "x.csv", jsonl=folder / "x.jsonl", video=folder / "x.mp4",
        report=folder / "x.html", overwrite=True,
    )  # fmt: skip
    started, frames, samples = time.monotonic(), 0, []
    due_s = 0.0
    while (now_s := time.monotonic() - started) < 60 * minutes:
        with ExitStack() as opened:
            source = opened.enter_context(open_source(clip))
            faces = opened.enter_context(FaceTracker(landmarker))
            sinks = []
            for sink in open_sinks(out, source, faces.layout, SoundOf(clip)):
                opened.callback(sink.close)
                sinks.append(sink)
            for frame in source:
                found = faces.update(frame.image, frame.time_s)
                frames += 1
                for sink in sinks:
                    sink.write(frame, found)
        if now_s >= due_s:
            samples.append(held_now(now_s))
            due_s = now_s + _SAMPLE_S
    return {"minutes": minutes, "frames": frames, **_told(samples)}


def open_and_close(folder: Path, times: int) -> Json:
    """Open a source, read one frame and close it, so many times."""
    clip = write_clip(folder / "clip.mp4", 1.0)

    def once() -> None:
        with open_source(clip) as source:
            next(iter(source))

    return _repeated(once, times)


def make_and_drop(times: int) -> Json:
    """Load a network, make a tracker, track a picture and drop both, so many times."""
    image = portrait()[::3, ::3].copy()

    def once() -> None:
        with FaceTracker(load_landmarker()) as faces:
            faces.update(image, 0.0)

    return _repeated(once, times)


def _repeated(once: Callable[[], None], times: int) -> Json:
    samples = []
    for number in range(times):
        once()
        gc.collect()
        samples.append(held_now(number))
    return {"times": times, **_told(samples)}


def _told(samples: list[Held]) -> Json:
    grown = growth(samples)
    grown["mb_at_the_end"] = samples[-1].megabytes
    return {name: round(value, 1) for name, value in grown.items()}


def numbered(folder: Path, clips: int) -> Iterator[Path]:
    """Clips of different lengths."""
    for number in count():
        if number == clips:
            return
        yield write_clip(folder / f"clip{number}.mp4", 1.0 + 0.5 * number)
