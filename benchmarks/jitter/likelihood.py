"""How well do the filter's parameters fit the measurements, by the likelihood of its innovations?

    python -m benchmarks.jitter.likelihood --data 300w [--climb]

Every parameter of `MotionConfig` is tried at half and at twice its value on virtual clips of
training photographs, never of those that `benchmarks.jitter` measures on. The likelihood is that of
each frame's innovations given the frames before, in nats per frame. `--climb` ascends coordinate
by coordinate until nothing improves.
"""

import argparse
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from tracker.filter.config import MotionConfig

from ..harness import argument_parser, rich_table, run_command
from .methods import tracker_filter
from .recordings import FOLDER, Recording
from .virtual_clips import RecordingCache, recordings_of, training_subjects

_KINDS = ("still", "pan", "drift", "zoom", "roll", "shake", "step", "blink", "mouth")
_SKIPPED_FRAMES = 10
"""First frames of a clip that are left out: the noise of the track is not estimated yet."""
_SCALES = ("independent_landmarks",)
"""Parameters that scale the likelihood itself: under two values it cannot be compared."""
_NEARLY_SURE = ("stay_probability", "still_at_first")
_LEAST_GAIN = 0.05
"""Nats per frame: a smaller improvement ends the ascent."""


def log_likelihood(config: MotionConfig, clips: Sequence[Recording]) -> float:
    """Nats per frame, the mean over the clips."""
    means = []
    for clip in clips:
        nats = tracker_filter(clip, config).log_likelihood
        assert nats is not None
        means.append(np.nanmean(nats[_SKIPPED_FRAMES:]))
    return float(np.mean(means))


def changed(config: MotionConfig, name: str, place: int | None, factor: float) -> MotionConfig:
    """The config with one number multiplied; of probabilities near 1, their complement."""
    value: Any = getattr(config, name)
    if name in _NEARLY_SURE:
        changes: dict[str, Any] = {name: 1 - (1 - value) * factor}
    elif place is None:
        changes = {name: value * factor}
    else:
        multiplied = (one * factor if index == place else one for index, one in enumerate(value))
        changes = {name: tuple(multiplied)}
    return replace(config, **changes)


def numbers_of(config: MotionConfig) -> list[tuple[str, int | None, float]]:
    """Every number that can be tried: its name, its place in a tuple, its value."""
    found: list[tuple[str, int | None, float]] = []
    for name in (field.name for field in fields(config) if field.name not in _SCALES):
        value = getattr(config, name)
        if isinstance(value, tuple):
            found += [(name, place, one) for place, one in enumerate(value)]
        else:
            found.append((name, None, value))
    return found


def climb(config: MotionConfig, clips: Sequence[Recording], console: Console) -> MotionConfig:
    """Coordinate ascent by halves and doubles until nothing improves."""
    best, moved = log_likelihood(config, clips), True
    while moved:
        moved = False
        for name, place, _ in numbers_of(config):
            for factor in (0.5, 2.0):
                tried = changed(config, name, place, factor)
                nats = log_likelihood(tried, clips) if _is_proper(tried) else -np.inf
                if nats > best + _LEAST_GAIN:
                    config, best, moved = tried, nats, True
                    console.print(f"{name} {getattr(config, name)}: {best:.2f}", highlight=False)
                    break
    return config


def _is_proper(config: MotionConfig) -> bool:
    """Probabilities stay below 1."""
    return (
        config.stay_probability < 1
        and config.jump_probability < 1
        and config.still_noise_share <= 1
    )


def benchmark(arguments: argparse.Namespace) -> None:
    """Record, try every parameter, print.

    Raises:
        FaceTrackError: If the data set cannot be read.
    """
    console, config = Console(), MotionConfig()
    cache = RecordingCache(weights=arguments.weights, folder=arguments.cache)
    faces = training_subjects(arguments.data, arguments.faces)
    clips = [clip for clip in recordings_of(cache, faces, _KINDS) if clip.is_measured.mean() > 0.5]
    if arguments.climb:
        config = climb(config, clips, console)
    usual, rows = log_likelihood(config, clips), []
    for name, place, value in track(numbers_of(config), "parameters"):
        cells = []
        for factor in (0.5, 2.0):
            tried = changed(config, name, place, factor)
            gain = log_likelihood(tried, clips) - usual if _is_proper(tried) else np.nan
            cells.append("-" if np.isnan(gain) else f"{gain:+.2f}")
        rows.append([name if place is None else f"{name}[{place}]", f"{value:g}", *cells])
    console.print(f"{len(clips)} clips, {usual:.2f} nats per frame; change by each parameter:")
    console.print(rich_table(("parameter", "value", "half", "twice"), rows))


def main(command: Sequence[str] | None = None) -> None:
    """Parse the flags and try."""
    parser = argument_parser("jitter.likelihood", __doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of 300W")
    parser.add_argument("--faces", type=int, default=4, help="of the training part (default: 4)")
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=FOLDER, help="(default: runs/recordings)")
    parser.add_argument("--climb", action="store_true", help="ascend to the most likely parameters")
    run_command(parser, benchmark, command)


if __name__ == "__main__":
    main()
