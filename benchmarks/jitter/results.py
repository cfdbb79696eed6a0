"""From recordings to what `benchmarks.jitter` prints and writes: medians over the clips."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.progress import track

from train.synthetic.kinds import CLIPS

from ..harness import Json, machine
from .figures import DIMENSIONS, RIGID, FigureRow, Figures, measure
from .methods import BASELINE, METHODS, RAW
from .recordings import Recording
from .tradeoff import CurvePoint, as_json, chosen_settings, curve, point

_GROUPS = {
    "moving": (*RIGID, "step"),
    "all": tuple(CLIPS),
    "real": ("real",),
    **{kind: (kind,) for kind in CLIPS},
}


@dataclass(frozen=True, slots=True)
class Material:
    """All recordings."""

    clips: list[Recording]
    videos: list[Recording]
    lost: list[str]
    """Clips in which the tracker did not follow the face."""


def measured(material: Material, settings: dict[str, Any]) -> list[FigureRow]:
    """Every method on every recording."""
    return [
        FigureRow(name, r.name, r.kind, measure(r, method.smooth(r, settings[name])))
        for r in track([*material.clips, *material.videos], "filters")
        for name, method in METHODS.items()
    ]


def with_ratios(rows: list[FigureRow], raw: str, methods: Sequence[str]) -> list[FigureRow]:
    """Figures relative to the raw measurements of the same clip, added."""
    before = {(row.name, row.kind): row.figures for row in rows if row.method == raw}
    return [
        replace(row, figures=row.figures | _ratios(row.figures, before[row.name, row.kind]))
        if row.method in methods
        else row
        for row in rows
    ]


def _ratios(after: Figures, before: Figures) -> Figures:
    ratios = {}
    for name in ("jitter", "acceleration", "acceleration_without_rigid"):
        if after.get(name) and name in before:
            ratios[f"{name}_reduction"] = before[name] / after[name]
    if "amplitude" in after and before.get("amplitude"):
        ratios["amplitude_of_raw"] = 100 * after["amplitude"] / before["amplitude"]
    return ratios


def medians(rows: list[FigureRow]) -> dict[str, dict[str, Figures]]:
    """Method, kind or group of kinds, figure: the median over the clips."""
    names = sorted({figure for row in rows for figure in row.figures})
    found: dict[str, dict[str, Figures]] = {}
    for method in dict.fromkeys(row.method for row in rows):
        for group, kinds in _GROUPS.items():
            kept = {}
            for name in names:
                if values := _values(rows, method, kinds, name):
                    kept[name] = round(statistics.median(values), 5)
                    if name in (f"nis_{of}_inside" for of in DIMENSIONS):  # a share of the clips
                        kept[name] = round(statistics.fmean(values), 1)
            if kept:
                found.setdefault(method, {})[group] = kept
    return found


def _values(
    rows: Iterable[FigureRow], method: str, kinds: Sequence[str], figure: str
) -> list[float]:
    return [
        row.figures[figure]
        for row in rows
        if row.method == method and row.kind in kinds and figure in row.figures
    ]


def result_of(
    material: Material, extra: list[FigureRow], every: int = 1
) -> tuple[Json, dict[str, list[CurvePoint]], dict[str, Any]]:
    """Tune the methods and measure all of them.

    Args:
        material: The recordings.
        extra: Rows of methods with landmarks of their own.
        every: Try only each n-th setting.

    Returns:
        All figures as JSON takes them, the curves of the tuned methods, the settings of all.
    """
    clips, baseline = material.clips, METHODS[BASELINE]
    curves = {
        name: curve(method, clips, every)
        for name, method in track(METHODS.items(), "curves")
        if method.tried
    }
    settings = chosen_settings(curves, point(baseline, baseline.setting, clips).jitter)
    rows = with_ratios(measured(material, settings), RAW, list(METHODS)) + extra
    result = {
        "machine": machine(),
        "clips": len(clips),
        "faces": len({r.name for r in clips}),
        "videos": len(material.videos),
        "lost": material.lost,
        "settings": {name: as_json(setting) for name, setting in settings.items()},
        "figures": medians(rows),
    }
    return result, curves, settings
