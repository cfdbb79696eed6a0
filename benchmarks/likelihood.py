"""How likely does the filter find what the network measures, and which parameters find it likelier?

    python -m benchmarks.likelihood --data ../shared/data/300w [--climb]

Every parameter of `MotionConfig` is tried at half and at twice its value on virtual clips of
training photographs, never of those that `benchmarks.jitter` measures on. The likelihood is that of
each frame's innovations before the frame is taken in, in nats per frame. `--climb` goes on from the
best until nothing is likelier.
"""

import argparse
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tracker.errors import FaceTrackError
from tracker.filter.config import MotionConfig

from .jitter_clips import Studio, training_subjects
from .methods import tracker_filter
from .recordings import FOLDER, Recording

_KINDS = ("still", "pan", "drift", "zoom", "roll", "shake", "step", "blink", "mouth")
_FROM = 10
"""First frames of a clip that are left out: the noise of the track is not learned yet."""
_SCALES = ("independent_landmarks",)
"""How much the likelihood itself counts: likelihoods under two of these cannot be compared."""
_WORTH = 0.05
"""Nats per frame below which a climb does not count as one."""


def log_likelihood(config: MotionConfig, clips: Sequence[Recording]) -> float:
    """Nats per frame, the mean over the clips."""
    means = []
    for clip in clips:
        likely = tracker_filter(clip, config).log_likelihood
        assert likely is not None
        means.append(np.nanmean(likely[_FROM:]))
    return float(np.mean(means))


def changed(config: MotionConfig, name: str, place: int | None, factor: float) -> MotionConfig:
    """The config with one number multiplied; of `stay_probability`, its complement."""
    value: Any = getattr(config, name)
    if name == "stay_probability":
        changes: dict[str, Any] = {name: 1 - (1 - value) * factor}
    elif place is None:
        changes = {name: value * factor}
    else:
        turned = (one * factor if index == place else one for index, one in enumerate(value))
        changes = {name: tuple(turned)}
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
    """Coordinate by coordinate, by halves and doubles, until nothing is worth a step."""
    best, moved = log_likelihood(config, clips), True
    while moved:
        moved = False
        for name, place, _ in numbers_of(config):
            for factor in (0.5, 2.0):
                tried = changed(config, name, place, factor)
                if _is_proper(tried) and (likely := log_likelihood(tried, clips)) > best + _WORTH:
                    config, best, moved = tried, likely, True
                    console.print(f"{name} {getattr(config, name)}: {best:.2f}", highlight=False)
                    break
    return config


def _is_proper(config: MotionConfig) -> bool:
    """Chances stay below 1."""
    return (
        config.stay_probability < 1
        and config.jump_probability < 1
        and config.still_noise_share <= 1
    )


def main(command: Sequence[str] | None = None) -> None:
    """Parse flags and try."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--faces", type=int, default=4, help="of the training part (default: 4)")
    parser.add_argument("--weights", default="lite", help="name or path")
    parser.add_argument("--cache", type=Path, default=FOLDER, help="(default: runs/recordings)")
    parser.add_argument("--climb", action="store_true", help="go where it is likelier")
    arguments = parser.parse_args(command)
    console = Console()
    studio = Studio(weights=arguments.weights, folder=arguments.cache)
    try:
        faces = training_subjects(arguments.data, arguments.faces)
        wanted = [(face, kind) for face in faces for kind in _KINDS]
        clips = [studio.record(face, kind) for face, kind in track(wanted, "clips")]
    except FaceTrackError as error:
        parser.exit(2, f"error: {error}\n")
    clips = [clip for clip in clips if clip.seen.mean() > 0.5]
    config = MotionConfig()
    if arguments.climb:
        config = climb(config, clips, console)
    usual = log_likelihood(config, clips)
    table = Table("parameter", "value", "half", "twice", box=SIMPLE)
    for name, place, value in track(numbers_of(config), "parameters"):
        cells = []
        for factor in (0.5, 2.0):
            tried = changed(config, name, place, factor)
            likely = log_likelihood(tried, clips) - usual if _is_proper(tried) else np.nan
            cells.append("-" if np.isnan(likely) else f"{likely:+.2f}")
        table.add_row(name if place is None else f"{name}[{place}]", f"{value:g}", *cells)
    console.print(f"{len(clips)} clips, {usual:.2f} nats per frame; what a change adds:")
    console.print(table)


if __name__ == "__main__":
    main()
