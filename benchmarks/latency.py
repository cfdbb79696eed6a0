"""How long does a frame take, how many a second, how soon is the first, and who is faster?

    python -m benchmarks.latency [--rivals] [--json benchmarks/results/latency.json]
    python -m benchmarks.latency --clip mine.mp4 --faces 2 --rivals --openseeface ~/OpenSeeFace

Frames per second are those of `run_tracker.py` itself, where reading, tracking and writing overlap.
Everything takes turns, round after round, so that what else the machine does disturbs all alike;
the median counts. The clips are made of the demo's portrait.
"""

import argparse
import json
import os
import statistics
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

import models
from tracker.cli.arguments import build_parser
from tracker.cli.command import run_one
from tracker.errors import FaceTrackError
from tracker.run.summary import StopRequest

from .first_result import Start, time_start
from .latency_clips import FOUR_FACES, ONE_FACE, TimedClip, write_clips
from .latency_rivals import Rival, Turn, rivals, sort_out, take_turn
from .latency_stages import Milliseconds, outputs, summed_up, time_stages
from .latency_tables import tell
from .measure import machine, wide_console
from .roof import cpu_roof, forward_table, gpu_is_there

_ROOF_ROUNDS = 100

Turns = dict[tuple[str, str], list[Turn]]
"""By clip and tracker."""


@dataclass(slots=True)
class Seen:
    """What the rounds gave so far."""

    runs: dict[str, list[Turn]] = field(default_factory=lambda: defaultdict(list))
    """Of `run_tracker.py`, by clip."""
    stages: list[Milliseconds] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    turns: Turns = field(default_factory=lambda: defaultdict(list))


def whole_run(clip: Path, weights: str, folder: Path) -> Turn:
    """One run of `run_tracker.py` on the CPU, overlay and CSV written."""
    flags = ["--weights", weights, "--device", "cpu", *outputs(folder)]
    arguments = build_parser().parse_args([str(clip), *flags])
    load = partial(models.load_landmarker, weights, "cpu")
    done = run_one(arguments, load, StopRequest(), Console(quiet=True))
    return Turn(done.frames_per_second, done.tally.faces / max(done.tally.frames, 1))


def take_round(
    clips: list[TimedClip], present: list[Rival], weights: str, folder: Path, seen: Seen
) -> None:
    """Each measurement once."""
    seen.starts.append(time_start(clips[0].path, weights))
    seen.stages.append(time_stages(clips[0].path, weights, folder))
    for clip in clips:
        seen.runs[clip.name].append(whole_run(clip.path, weights, folder))
        for rival in present:
            seen.turns[clip.name, rival.name].append(take_turn(rival, clip))


def summary(seen: Seen) -> dict[str, Any]:
    """Medians over the rounds; on top what README quotes, where it was measured."""
    clips = [{"clip": clip, **_medians(runs)} for clip, runs in seen.runs.items()]
    fps = {row["clip"]: row["fps"] for row in clips}
    stages = summed_up(seen.stages)
    memory = [start.peak_memory_mb for start in seen.starts if start.peak_memory_mb is not None]
    start = {
        "first_result_s": round(statistics.median(s.first_result_s for s in seen.starts), 2),
        "peak_memory_mb": round(statistics.median(memory), 1) if memory else None,
    }
    quoted: dict[str, Any] = {}
    if ONE_FACE in fps:
        network = next(row["p50"] for row in stages if row["stage"] == "network")
        quoted = {"fps": fps[ONE_FACE], "fps_four_faces": fps[FOUR_FACES], "network": network}
    return quoted | {"clips": clips, "stages": stages, "start": start}


def _medians(turns: list[Turn]) -> dict[str, Any]:
    return {
        "fps": round(statistics.median(turn.fps for turn in turns), 2),
        "faces_per_frame": round(statistics.median(turn.faces_per_frame for turn in turns), 3),
    }


def rival_rows(turns: Turns, absent: dict[str, str]) -> list[dict[str, Any]]:
    """A row per clip and tracker, and one for each that is not here."""
    rows: list[dict[str, Any]] = [
        {"clip": clip, "tracker": tracker, **_medians(taken)}
        for (clip, tracker), taken in turns.items()
    ]
    return rows + [{"tracker": name, "absent": needs} for name, needs in absent.items()]


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All rounds, then the roof."""
    weights, seen = arguments.weights, Seen()
    clips = write_clips(folder)
    if arguments.clip:
        clips = [TimedClip(arguments.clip.name, arguments.clip, arguments.faces)]
    present: list[Rival] = []
    absent: dict[str, str] = {}
    if arguments.rivals:
        known = rivals(weights, arguments.openseeface, arguments.dlib_shape)
        present, absent = sort_out(known, clips[0])
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    for _ in track(range(arguments.runs), "rounds", console=Console(stderr=True)):
        take_round(clips, present, weights, folder, seen)
    result = {"machine": machine(), "load_average": load, "runs": arguments.runs, **summary(seen)}
    if arguments.rivals:
        result["rivals"] = rival_rows(seen.turns, absent)
    result["roof"] = cpu_roof(weights, _ROOF_ROUNDS)
    result["forward"] = forward_table(weights, _ROOF_ROUNDS) if gpu_is_there() else []
    return result


def main() -> None:
    """Measure, tell, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="lite", help="name or path")
    parser.add_argument("--runs", type=int, default=5, help="rounds (default: %(default)s)")
    parser.add_argument("--clip", type=Path, metavar="F", help="a video of yours, in place of ours")
    parser.add_argument("--faces", type=int, default=1, help="in that video (default: %(default)s)")
    parser.add_argument("--rivals", action="store_true", help="other trackers on the same clips")
    parser.add_argument("--openseeface", type=Path, metavar="DIR", help="a checkout of it")
    parser.add_argument("--dlib-shape", type=Path, metavar="F", help="dlib's 68-point predictor")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as name:
            result = measure(arguments, Path(name))
    except (FaceTrackError, models.CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")
    tell(result, wide_console())
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
