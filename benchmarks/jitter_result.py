"""From recordings to what `benchmarks.jitter` prints and writes: figures, medians, verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.progress import track

from train.synthetic.kinds import CLIPS

from . import jitter_figures as figures
from .jitter_figures import CurvePoint, Row
from .measure import machine
from .methods import DEFAULT, METHODS, RAW, RIVALS, USUAL
from .recordings import Recording

_GROUPS = {
    "moving": (*figures.RIGID, "step"),
    "all": tuple(CLIPS),
    "real": ("real",),
    **{kind: (kind,) for kind in CLIPS},
}


@dataclass(frozen=True, slots=True)
class Material:
    """All that is measured on."""

    clips: list[Recording]
    films: list[Recording]
    missed: list[str]
    """Clips in which the tracker did not follow the face."""


def measured(material: Material, knobs: dict[str, Any]) -> list[Row]:
    """Every method on every recording."""
    rows = []
    for recording in track([*material.clips, *material.films], "filters"):
        for name, method in METHODS.items():
            smoothed = method.smooth(recording, knobs[name])
            found = figures.measure(recording, smoothed)
            rows.append(Row(name, recording.name, recording.kind, found))
    return rows


def with_ratios(rows: list[Row], raw: str, methods: Sequence[str]) -> list[Row]:
    """Each figure that is read against the raw measurements of the same clip, added."""
    before = {(row.name, row.kind): row.figures for row in rows if row.method == raw}
    return [
        replace(row, figures=row.figures | _ratios(row.figures, before[row.name, row.kind]))
        if row.method in methods
        else row
        for row in rows
    ]


def _ratios(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    ratios = {}
    if after.get("jitter") and "jitter" in before:
        ratios["times_quieter"] = before["jitter"] / after["jitter"]
    for suffix in ("", "_without_rigid"):
        name = f"acceleration{suffix}"
        if after.get(name) and name in before:
            ratios[f"times_smoother{suffix}"] = before[name] / after[name]
    if "kept" in after and before.get("kept"):
        ratios["kept_of_raw"] = 100 * after["kept"] / before["kept"]
    return ratios


def medians(rows: list[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Method, kind or group of kinds, figure: the median over the clips."""
    names = sorted({figure for row in rows for figure in row.figures})
    found: dict[str, dict[str, dict[str, float]]] = {}
    for method in dict.fromkeys(row.method for row in rows):
        for group, kinds in _GROUPS.items():
            middle = {n: figures.median_of(rows, method, kinds, n) for n in names}
            kept = {n: round(value, 5) for n, value in middle.items() if value is not None}
            for figure in (f"nis_{of}_inside" for of in figures.DIMENSIONS):
                if figure in kept:  # a share of the clips, not a median
                    kept[figure] = round(figures.mean_of(rows, method, kinds, figure), 1)
            if kept:
                found.setdefault(method, {})[group] = kept
    return found


def result_of(
    material: Material, extra: list[Row], every: int = 1
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All figures as JSON takes them, and the knobs of the methods.

    Args:
        material: What is measured on.
        extra: Rows of methods with landmarks of their own.
        every: Try only each so many-th knob.
    """
    default, usual = (figures.point_of(name, material.clips) for name in (DEFAULT, USUAL))
    curves = {
        name: figures.curve(method, material.clips, every)
        for name, method in track(METHODS.items(), "curves")
        if method.tuning
    }
    knobs = figures.chosen_knobs(curves, usual.jitter)
    rows = with_ratios(measured(material, knobs), RAW, list(METHODS)) + extra
    verdicts = [
        figures.compare(curves[DEFAULT], curves[name], usual.jitter, name) for name in RIVALS
    ]
    result = {
        "machine": machine(),
        "clips": len(material.clips),
        "faces": len({r.name for r in material.clips}),
        "missed": material.missed,
        "knobs": {name: figures.described(knob) for name, knob in knobs.items()},
        "figures": medians(rows),
        "verdicts": [str(verdict) for verdict in verdicts],
        "against": {verdict.rival: _verdict(verdict) for verdict in verdicts},
        "curves": {name: [_as_json(p) for p in points] for name, points in curves.items()},
        "as_used": {DEFAULT: _as_json(default), USUAL: _as_json(usual)},
        "tracking": [
            {
                "name": r.name,
                "kind": r.kind,
                "seen": round(float(r.seen.mean()), 3),
                "id_changes": r.id_changes,
                **(r.tally or {}),
            }
            for r in [*material.clips, *material.films]
        ],
        "rows": [
            [r.method, r.name, r.kind, {k: round(v, 5) for k, v in r.figures.items()}] for r in rows
        ],
    }
    return result, knobs


def _verdict(verdict: figures.Verdict) -> dict[str, Any]:
    ours, theirs = (None if np.isnan(lag) else round(lag, 2) for lag in verdict.lags_ms)
    return {
        "outside": verdict.is_outside,
        "jitter_ratio": round(verdict.jitter_ratio, 3),
        "lag_ms_as_calm": ours,
        "its_lag_ms_as_calm": theirs,
    }


def _as_json(point: CurvePoint) -> dict[str, Any]:
    return {
        "knob": figures.described(point.knob),
        "jitter": round(point.jitter, 5),
        "lag_ms": round(point.lag_ms, 3),
        "error": round(point.error, 4),
    }
