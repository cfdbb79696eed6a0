"""The smallest kit, by which CI sees that our own figures have not become worse.

    python -m benchmarks.jitter.smallest_kit        # measure several seeds, store their intervals

A figure of another seed lies within the stored interval, the 95 % prediction interval of Student's
t, unless the tracker has changed.
"""

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import t as student

from ..harness import RESULTS, Json, argument_parser, machine, run_command, save_json
from .figure_definitions import BY_KEY
from .kit.kit_command import takes, write_kit
from .kit.kit_folder import Kit, read_kit
from .kit.kit_people import free_people
from .plugins.example_trackers import ours
from .plugins.tracker_runs import run_tracker
from .score.scoreboard import score, summary

KINDS, SECONDS = ("still", "pan", "blink"), 2.0
SEEDS = range(1, 9)
"""Of the stored intervals; CI measures seed 0."""
WATCHED = ("jitter", "lag_ms", "moving_error", "blink_kept", "nmf", "found")
STORED = RESULTS / "stability_kit.json"
_LEAST_WIDTH = 0.05
"""Of an interval, as a share of its middle, and 0.01 at least: digits of another machine."""


def smallest_kit(folder: Path, seed: int) -> Kit:
    """Two people, three clips of two seconds of each."""
    people = free_people()
    write_kit(folder, people, takes(people, KINDS, SECONDS, seed), "smallest", seed)
    return read_kit(folder)


def our_figures(kit: Kit) -> dict[str, float]:
    """What is watched of our tracker with its default filter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over frames without a track
        found = summary(score(kit, run_tracker(kit, "ours", ours)))
    return {key: found[key]["value"] for key in WATCHED if key in found}


def intervals(of_seeds: Sequence[dict[str, float]]) -> Json:
    """By figure: mean, and where one more seed lies 19 times of 20.

    A short clip may show no whole blink: each figure is of the seeds that have it.
    """
    found = {}
    for key in dict.fromkeys(key for figures in of_seeds for key in figures):
        values = np.array([figures[key] for figures in of_seeds if key in figures])
        count, mean = len(values), float(values.mean())
        reach = float(student.ppf(0.975, count - 1)) * np.sqrt(1 + 1 / count)
        half = max(reach * float(values.std(ddof=1)), _LEAST_WIDTH * abs(mean), 0.01)
        found[key] = {"value": mean, "low": mean - half, "high": mean + half}
    return found


def worse(figures: dict[str, float], stored: Json) -> list[str]:
    """A line for each stored figure that is missing, or worse than its interval."""
    lines = []
    for key, interval in stored["figures"].items():
        if key not in figures:
            lines.append(f"{key} is missing")
            continue
        is_higher_better = BY_KEY[key].better == "higher"
        limit = interval["low"] if is_higher_better else interval["high"]
        if (figures[key] < limit) if is_higher_better else (figures[key] > limit):
            lines.append(f"{key} is {figures[key]:.4f}, and {limit:.4f} was the worst to expect")
    return lines


def store(_: argparse.Namespace) -> None:
    """Measure all seeds and write their intervals.

    Raises:
        FaceTrackError: If scikit-image is not installed.
    """
    of_seeds = []
    for seed in SEEDS:
        with TemporaryDirectory() as folder:
            of_seeds.append(our_figures(smallest_kit(Path(folder), seed)))
    result = {"machine": machine(), "seeds": len(SEEDS), "figures": intervals(of_seeds)}
    save_json(STORED, result, digits=4)


def main() -> None:
    """Parse the flags and store."""
    run_command(argument_parser("jitter.smallest_kit", __doc__), store)


if __name__ == "__main__":
    main()
