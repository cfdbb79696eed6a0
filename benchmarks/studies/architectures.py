"""Which network is worth its milliseconds? Small ones of one family, side by side.

All networks start from the same seed and see the same pictures. The first trial has all of them;
who is promoted to a longer one, or to another seed, is named by `--only` and `--trials`. The time
is that of one face by ONNX Runtime, as `run_tracker.py` runs it, all networks interleaved.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from train.faces import Faces
from train.recipes import RECIPES

from ..harness import Json
from .network_cost import describe_network, times_ms
from .study import Column, Study, Trial, Variant

_FIRST = Trial(3_000)
TRIALS = {_FIRST: "NME at 3k", Trial(9_000): "at 9k", Trial(9_000, seed=1): "at 9k, again"}
_SHIPPED = "stem 16"
"""What `lite` is."""
_NEVER = 1e-9
"""The share of a run in which the learning rate falls: it stays level, so that a run can go on."""
_ROUNDS = 60

_BASE = replace(
    RECIPES["lite"],
    sizes=(),
    stem_width=32,
    warmup=0.0,
    decay=_NEVER,
    batch=8,
    evaluate_every=_FIRST.images,
    ema_half_life=2_000,
)
_NETWORKS: dict[str, dict[str, Any]] = {
    "stem 32": {},
    "width 64": {"width": 64},
    "width 96": {"width": 96},
    "width 192": {"width": 192},
    _SHIPPED: {"stem_width": 16},
    "stem halves early": {"stem_pools": (0,)},
    "depth 2": {"depth": 2},
    "depth 4": {"depth": 4},
    "2 stacks, width 64": {"stacks": 2, "width": 64},
    "4 stacks, width 64": {"stacks": 4, "width": 64},
    "separable": {"block": "separable"},
    "separable, width 192": {"block": "separable", "width": 192},
    "separable, width 192, stem 16": {"block": "separable", "width": 192, "stem_width": 16},
    "input 192": {"input_px": 192, "width": 96},
    "input 256, map 32": {"input_px": 256, "width": 96, "stem_width": 16, "stem_pools": (0, 2)},
    "map 64": {"width": 64, "stem_width": 16, "stem_pools": (), "depth": 4},
}
"""By what they differ from a network of one stack, 128 wide, with a stem of 32."""


def pareto_front(rows: list[Json], trial: str) -> set[str]:
    """Networks than which none is both faster and more accurate in a trial."""
    there = [
        (row["ms"], row["nme_percent"][trial], row["variant"])
        for row in rows
        if trial in row["nme_percent"]
    ]
    return {
        name
        for ms, nme, name in there
        if not any(m <= ms and e <= nme and (m, e) != (ms, nme) for m, e, _ in there)
    }


def _describe(variants: Sequence[Variant], faces: Faces) -> dict[str, Json]:
    recipes = {variant.name: variant.recipe for variant in variants}
    times = times_ms(recipes, faces.layout, _ROUNDS)
    return {
        name: describe_network(recipe, faces.layout) | {"ms": times[name]}
        for name, recipe in recipes.items()
    }


def _figure(key: str, form: str = "", scale: float = 1) -> Callable[[Json, list[Json]], str]:
    return lambda row, _: format(scale * row[key], form) if form else str(row[key])


def _error_column(trial: Trial, heading: str) -> Column:
    def cell(row: Json, rows: list[Json]) -> str:
        if trial.name not in row["nme_percent"]:
            return ""
        error = f"{row['nme_percent'][trial.name]:.2f}"
        return f"**{error}**" if row["variant"] in pareto_front(rows, trial.name) else error

    return heading, cell


ARCHITECTURES = Study(
    name="architectures",
    title="Which network is worth its milliseconds?",
    base=_BASE,
    compiled=True,
    variants=[
        Variant(name=name, recipe=replace(_BASE, **changes)) for name, changes in _NETWORKS.items()
    ],
    trials=list(TRIALS),
    describe=_describe,
    sort_by="ms",
    note=(
        f"{{data}}. All from one seed, batch {_BASE.batch}, learning rate {_BASE.learning_rate:g} "
        "and level, no falling end: figures compare networks, they are not what a full training "
        "reaches. NME in % of the outer eye distance on the held-out part, exact crops, after so "
        "many thousand pictures; in bold the Pareto front: what no network beats in both time and "
        "error. 'Again' is another seed, with pictures mirrored by the axis of their annotations "
        "and better pseudo-labels, which all errors profit from. Time: one face, ONNX Runtime, "
        f"median of interleaved calls. `lite` is '{_SHIPPED}'."
    ),
    labels=("network",),
    columns=(
        ("stacks", _figure("stacks")),
        ("width", _figure("width")),
        ("stem", _figure("stem")),
        ("depth", _figure("depth")),
        ("block", _figure("block")),
        ("input", _figure("input_px")),
        ("map", _figure("map")),
        ("M parameters", _figure("parameters", ".2f", 1e-6)),
        ("M MAC", _figure("mega_mac", ".0f")),
        ("ms", _figure("ms", ".1f")),
        *(_error_column(trial, heading) for trial, heading in TRIALS.items()),
    ),
)
