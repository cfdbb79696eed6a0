"""The time of every stage of a frame, one after the other in one thread, so that it adds up."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np

import models
from tracker.cli.arguments import asked_outputs, build_parser
from tracker.detection.both_detectors import BothDetectors
from tracker.io.sinks import Sink, open_sinks
from tracker.io.sources import Source, open_source
from tracker.run.timed_tracker import TimedTracker

STAGES = ("read", "detect", "crop", "network", "filter", "write", "whole frame")
"""Heat maps are decoded inside the network's graph: "network" has both. "filter" is the rest of
tracking; "write" draws the overlay, encodes it and writes the CSV."""
_WARM_FRAMES = 5
"""Not counted: libraries set up in their first calls."""

StageTimes = dict[str, list[float]]
"""StageTimes by stage; of the detector only the frames it ran in."""


def output_flags(folder: Path) -> list[str]:
    """The flags of `run_tracker.py` for an overlay and a CSV."""
    video, table = folder / "out.mp4", folder / "out.csv"
    return ["--overwrite", "--save-csv", str(table), "--save-video", str(video)]


def time_stages(clip: Path, weights: str, folder: Path) -> StageTimes:
    """Every frame of the clip from the file to the written overlay and CSV."""
    arguments = build_parser().parse_args([str(clip), *output_flags(folder)])
    asked = asked_outputs(arguments)
    landmarker = models.load_landmarker(weights, "cpu")
    detector = BothDetectors(models.load_face_detector())
    timed = TimedTracker(landmarker, detector)
    taken: StageTimes = {stage: [] for stage in STAGES}
    with ExitStack() as opened:
        source = opened.enter_context(open_source(str(clip)))
        sinks = list(open_sinks(asked, source, timed.tracker.layout))
        for sink in sinks:
            opened.callback(sink.close)
        for of_frame in islice(_frames(source, timed, sinks), _WARM_FRAMES, None):
            for stage, seconds in of_frame.items():
                taken[stage].append(1000 * seconds)
    return taken


def _frames(source: Source, timed: TimedTracker, sinks: list[Sink]) -> Iterator[dict[str, float]]:
    """The seconds of each stage, frame by frame."""
    frames, began = iter(source), time.perf_counter()
    while (frame := next(frames, None)) is not None:
        read, before = time.perf_counter(), dict(timed.seconds)
        faces = timed.take(frame)
        tracked = time.perf_counter()
        for sink in sinks:
            sink.write(frame, faces)
        ended = time.perf_counter()
        seconds = {stage: sum_s - before[stage] for stage, sum_s in timed.seconds.items()}
        if not seconds["detect"]:
            del seconds["detect"]  # it did not run
        yield seconds | {
            "read": read - began, "write": ended - tracked, "whole frame": ended - began
        }  # fmt: skip
        began = time.perf_counter()


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    """Half of the values, 95 and 99 % of them are at most this."""
    shares = (50, 95, 99)
    found = np.percentile(milliseconds, shares) if milliseconds else [float("nan")] * 3
    return {f"p{share}": round(float(ms), 2) for share, ms in zip(shares, found, strict=True)}


def summarised(runs: list[StageTimes]) -> list[dict[str, object]]:
    """A row per stage, over the frames of all runs."""
    pooled = {stage: [ms for run in runs for ms in run[stage]] for stage in STAGES}
    frames = len(pooled["whole frame"])
    return [
        {"stage": stage, "of_frames": round(len(ms) / max(frames, 1), 3), **percentiles(ms)}
        for stage, ms in pooled.items()
    ]
