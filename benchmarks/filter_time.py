"""How long does the filter take, without the network?

    OMP_NUM_THREADS=1 python -m benchmarks.filter_time

Made-up faces sway and blink. "step" is the filter's step alone; "frame" is all that a tracker does
with it in a frame: where faces are expected, what they are after their measurement, what is told
of each.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.table import Table

from tracker.filter.config import MotionConfig
from tracker.filter.head_filter import HeadFilter
from tracker.layouts import IBUG_68, WFLW_98, Layout
from tracker.track import begin, estimates, expected, updated
from tracker.types import LandmarkEstimate, Measurement

from .measure import machine

_CASES = ((1, IBUG_68), (4, IBUG_68), (16, WFLW_98))
_RATE, _EYE_PX, _NOISE_PX, _BLINK_PX = 30, 100, 0.2, 8
_WARM_UP = 30
"""Frames that are not counted."""
_BLINK_EVERY, _BLINK_FRAMES = 60, 6

Clip = Float[np.ndarray, "frames faces landmarks xy=2"]


@dataclass(frozen=True, slots=True)
class Times:
    """Of one function over many frames."""

    median_ms: float
    p95_ms: float


def main() -> None:
    """Print the times of each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    table = Table("faces x landmarks", title=machine())
    for column in ("step, ms", "p95", "frame, ms", "p95"):
        table.add_column(column, justify="right")
    figures: dict[str, dict[str, float]] = {}
    for faces, layout in _CASES:
        clip = swaying(layout, faces, _WARM_UP + arguments.frames, np.random.default_rng(faces))
        step, frame = time_of_step(layout, clip), time_of_frame(layout, clip)
        shown = [step.median_ms, step.p95_ms, frame.median_ms, frame.p95_ms]
        names = ("step_median_ms", "step_p95_ms", "frame_median_ms", "frame_p95_ms")
        name = f"{faces} x {layout.count}"
        figures[name] = {key: round(value, 3) for key, value in zip(names, shown, strict=True)}
        table.add_row(name, *(f"{value:.2f}" for value in shown))
    Console().print(table)
    if arguments.json:
        row = {"machine": machine(), "frames": arguments.frames, "cases": figures}
        arguments.json.write_text(json.dumps(row, indent=1) + "\n")


def swaying(layout: Layout, faces: int, frames: int, rng: np.random.Generator) -> Clip:
    """Measurements of faces that sway, each at its own time, and blink one after the other."""
    points = rng.uniform(0, 2 * _EYE_PX, (faces, layout.count, 2))
    right, left = layout.eye_corners
    points[:, right], points[:, left] = (50, 80), (50 + _EYE_PX, 80)
    time = np.arange(frames)[:, None] + np.linspace(0, _BLINK_EVERY, faces, endpoint=False)
    clip = np.tile(points, (frames, 1, 1, 1))
    clip[..., 0] += 20 * np.sin(2 * np.pi * time / (2 * _RATE))[..., None]
    lids = [
        member for line in layout.outlines if line.name.endswith("eye") for member in line.members
    ]
    clip[:, :, lids, 1] += _BLINK_PX * (time % _BLINK_EVERY < _BLINK_FRAMES)[..., None]
    return clip + rng.normal(0, _NOISE_PX, clip.shape)


def time_of_step(layout: Layout, clip: Clip) -> Times:
    """`HeadFilter.update` alone."""
    motion, noise = HeadFilter(layout, MotionConfig()), _noise(*clip.shape[1:3])
    state, dt_s, seconds = motion.start(clip[0], noise), np.full(clip.shape[1], 1 / _RATE), []
    for measured in clip[1:]:
        started = perf_counter()
        state, _ = motion.update(state, measured, noise, dt_s)
        seconds.append(perf_counter() - started)
    return _times(seconds)


def time_of_frame(layout: Layout, clip: Clip) -> Times:
    """The way of a frame through `tracker.track`."""
    head_filter = HeadFilter(layout, MotionConfig())
    noise, seconds = _noise(*clip.shape[1:3])[0], []
    seen = [
        [Measurement(LandmarkEstimate(face, 2 * noise), noise, 1.0) for face in faces]
        for faces in clip
    ]
    tracks = [begin(index, one, 0.0, head_filter) for index, one in enumerate(seen[0])]
    for frame, measurements in enumerate(seen[1:], 1):
        time_s, started = frame / _RATE, perf_counter()
        expected(tracks, time_s, head_filter)
        tracks = updated(tracks, measurements, time_s, head_filter)
        estimates(tracks, head_filter)
        seconds.append(perf_counter() - started)
    return _times(seconds)


def _noise(faces: int, landmarks: int) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
    return np.tile(_NOISE_PX**2 * np.eye(2), (faces, landmarks, 1, 1))


def _times(seconds: list[float]) -> Times:
    median, p95 = 1e3 * np.quantile(seconds[_WARM_UP:], (0.5, 0.95))
    return Times(float(median), float(p95))


if __name__ == "__main__":
    main()
