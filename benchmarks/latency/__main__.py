"""How long does a frame take, how many a second, how soon is the first, and who is faster?

    python -m benchmarks.latency [--rivals] [--json benchmarks/results/latency.json]
    python -m benchmarks.latency --clip mine.mp4 --faces 2 --rivals --openseeface ~/OpenSeeFace

Frames per second are those of `run_tracker.py` itself, where reading, tracking and writing overlap.
All measurements are interleaved, round after round, so that other load on the machine disturbs all
alike; medians are reported. The clips are made of the demo's portrait. Last comes what a receiver
of packets sees of a camera, from the glass to the packet: --only-glass measures nothing else, and
--only-filter what the filter alone takes of the processor.
"""

import argparse
import os
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import torch
from rich.console import Console
from rich.progress import track

import models
from tracker.cli.arguments import build_parser
from tracker.cli.one_source import run_one
from tracker.run.summary import StopRequest

from ..harness import Json, argument_parser, machine, run_command, save_json, wide_console
from .filter_times import time_filter
from .glass_to_packet import measure_glass_to_packet
from .latency_tables import print_filter, print_glass, print_tables
from .peak_arithmetic import cpu_share, gpu_throughput
from .rivals import Rival, Throughput, available, rivals, time_rival
from .stage_times import StageTimes, output_flags, summarised, time_stages
from .startup import Startup, time_startup
from .timed_clips import FOUR_FACES, ONE_FACE, TimedClip, write_clips

_ROUNDS_OF_PEAK, _PACKETS = 100, 300


@dataclass(slots=True)
class Samples:
    """What each round measured."""

    runs: dict[str, list[Throughput]] = field(default_factory=lambda: defaultdict(list))
    """Of `run_tracker.py`, by clip."""
    stages: list[StageTimes] = field(default_factory=list)
    startups: list[Startup] = field(default_factory=list)
    rivals: dict[tuple[str, str], list[Throughput]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By clip and tracker."""


def whole_run(clip: Path, weights: str, folder: Path) -> Throughput:
    """One run of `run_tracker.py` on the CPU, overlay and CSV written."""
    flags = ["--weights", weights, "--device", "cpu", *output_flags(folder)]
    arguments = build_parser().parse_args([str(clip), *flags])
    done = run_one(arguments, models, StopRequest(), Console(quiet=True))
    return Throughput(done.frames_per_second, done.tally.faces / max(done.tally.frames, 1))


def run_round(
    clips: list[TimedClip], present: list[Rival], weights: str, folder: Path, samples: Samples
) -> None:
    """Each measurement once."""
    samples.startups.append(time_startup(clips[0].path, weights))
    samples.stages.append(time_stages(clips[0].path, weights, folder))
    for clip in clips:
        samples.runs[clip.name].append(whole_run(clip.path, weights, folder))
        for rival in present:
            samples.rivals[clip.name, rival.name].append(time_rival(rival, clip))


def summary(samples: Samples) -> Json:
    """Medians over the rounds; first those that README quotes, where they were measured."""
    clips = [{"clip": clip, **_medians(runs)} for clip, runs in samples.runs.items()]
    fps = {row["clip"]: row["fps"] for row in clips}
    stages = summarised(samples.stages)
    memory = [s.peak_memory_mb for s in samples.startups if s.peak_memory_mb is not None]
    start = {
        "first_result_s": round(median(s.first_result_s for s in samples.startups), 2),
        "peak_memory_mb": round(median(memory), 1) if memory else None,
    }
    quoted: Json = {}
    if ONE_FACE in fps:
        network = next(row["p50"] for row in stages if row["stage"] == "network")
        quoted = {"fps": fps[ONE_FACE], "fps_four_faces": fps[FOUR_FACES], "network": network}
    return quoted | {"clips": clips, "stages": stages, "start": start}


def _medians(samples: list[Throughput]) -> Json:
    return {
        "fps": round(median(sample.fps for sample in samples), 2),
        "faces_per_frame": round(median(sample.faces_per_frame for sample in samples), 3),
    }


def rival_rows(
    samples: dict[tuple[str, str], list[Throughput]], absent: dict[str, str]
) -> list[Json]:
    """A row per clip and tracker, and one for each tracker that is not installed."""
    rows: list[Json] = [
        {"clip": clip, "tracker": tracker, **_medians(of_one)}
        for (clip, tracker), of_one in samples.items()
    ]
    return rows + [{"tracker": name, "absent": needs} for name, needs in absent.items()]


def measure(arguments: argparse.Namespace, folder: Path) -> Json:
    """All rounds, then the share of the arithmetic peak.

    Raises:
        FaceTrackError: If a clip cannot be tracked.
        CheckpointError: If the weights cannot be read.
    """
    weights, samples = arguments.weights, Samples()
    clips = write_clips(folder)
    if arguments.clip:
        clips = [TimedClip(arguments.clip.name, arguments.clip, arguments.faces)]
    present: list[Rival] = []
    absent: dict[str, str] = {}
    if arguments.rivals:
        known = rivals(weights, arguments.openseeface, arguments.dlib_shape)
        present, absent = available(known, clips[0])
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    for _ in track(range(arguments.runs), "rounds", console=Console(stderr=True)):
        run_round(clips, present, weights, folder, samples)
    result = {
        "machine": machine(), "load_average": load, "runs": arguments.runs, **summary(samples)
    }  # fmt: skip
    if arguments.rivals:
        result["rivals"] = rival_rows(samples.rivals, absent)
    result["glass_to_packet"] = measure_glass_to_packet(weights, _PACKETS)
    result["arithmetic"] = cpu_share(weights, _ROUNDS_OF_PEAK)
    result["gpu"] = gpu_throughput(weights, _ROUNDS_OF_PEAK) if torch.cuda.is_available() else []
    return result


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure, print, write."""
    if arguments.only_glass:
        print_glass(measure_glass_to_packet(arguments.weights, _PACKETS), wide_console())
        return
    if arguments.only_filter:
        print_filter(time_filter(arguments.weights, arguments.runs), wide_console())
        return
    with tempfile.TemporaryDirectory() as name:
        result = measure(arguments, Path(name))
    print_tables(result, wide_console())
    save_json(arguments.json, result)


def main() -> None:
    """Parse the flags and measure."""
    parser = argument_parser("latency", __doc__)
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="rounds (default: %(default)s)")
    parser.add_argument("--clip", type=Path, metavar="F", help="a video of yours, in place of ours")
    parser.add_argument("--faces", type=int, default=1, help="in that video (default: %(default)s)")
    parser.add_argument("--only-glass", action="store_true", help="from the glass to the packet")
    parser.add_argument("--only-filter", action="store_true", help="of 1, 4 and 16 faces")
    parser.add_argument("--rivals", action="store_true", help="other trackers on the same clips")
    parser.add_argument("--openseeface", type=Path, metavar="DIR", help="a checkout of it")
    parser.add_argument("--dlib-shape", type=Path, metavar="F", help="dlib's 68-point predictor")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    run_command(parser, benchmark)


if __name__ == "__main__":
    main()
