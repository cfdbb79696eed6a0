"""Does the STAR loss beat the plain distance, all else equal? The paper's claim, at small scale.

    python -m benchmarks.ablation --data 300w --run runs/ablation

One small network of the published kind (normalised heat maps, Adam), one budget, several seeds:
smooth-L1 against STAR version 2, with and without the attention maps, judged on the held-out part
by the last state of every run, so that nothing is selected. Give the command again to go on after
an interruption; `--report` only prints what is there.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from rich.console import Console

from tracker.errors import FaceTrackError
from train.datasets import open_data_set
from train.faces import Faces, gather
from train.fit import Limits, fit
from train.losses import StarConfig
from train.processes import Processes
from train.recipes import Recipe
from train.run import Run
from train.run_folder import RunFolder

from .measure import machine

RESULTS = Path(__file__).parent / "results"
SEEDS = 3
BUDGET = 18_000
BASE = Recipe(
    stacks=1,
    width=64,
    stem_width=32,
    depth=3,
    heatmap="instance-relu",
    input_px=96,
    margin=1.0,
    batch=16,
    images=BUDGET,
    evaluate_every=3_000,
    optimizer="adam",
    learning_rate=1e-3,
    weight_decay=0.0,
    schedule="trapezoid",
    cross_entropy_weight=0.0,
    ema_half_life=2_000,
)
LOSSES: dict[str, dict[str, Any]] = {
    "smooth-L1": {"star": None, "plain": "smooth-l1"},
    "STAR v2, smooth-L1": {"star": StarConfig(), "plain": None},
}
ATTENTION = {"without attention maps": False, "with attention maps": True}


def variants() -> Iterator[tuple[str, str, int, Recipe]]:
    """Loss, attention, seed and recipe of every run; a seed of all variants before the next."""
    for seed, (loss, fields), (attention, on) in product(
        range(SEEDS), LOSSES.items(), ATTENTION.items()
    ):
        yield loss, attention, seed, replace(BASE, seed=seed, attention=on, **fields)


def folder_of(root: Path, recipe: Recipe) -> Path:
    """Where one run lives."""
    loss = "plain" if recipe.star is None else "star"
    return root / f"{loss}-{'attention' if recipe.attention else 'bare'}-{recipe.seed}"


def train_all(faces: Faces, root: Path) -> None:
    """Train what is not yet trained."""
    for loss, attention, seed, recipe in variants():
        folder = RunFolder(folder_of(root, recipe))
        run = Run(recipe, faces.layout, Processes(torch.device("cpu")))
        if folder.state.exists():
            run.load(folder.state)
        if run.images >= recipe.images:
            continue
        print(f"{loss}, {attention}, seed {seed}", flush=True)  # noqa: T201 - a script's progress
        folder.begin(recipe, faces.described, run.images)
        fit(run, faces, folder, Limits(workers=0), None)


def figures(root: Path) -> list[dict[str, Any]]:
    """NME of the last state of every finished run, by variant."""
    found: dict[tuple[str, str], list[float]] = {}
    for loss, attention, _, recipe in variants():
        rows = RunFolder(folder_of(root, recipe)).rows()
        if rows and rows[-1]["images"] >= recipe.images:
            found.setdefault((loss, attention), []).append(rows[-1]["nme_percent"])
    return [
        {
            "loss": loss,
            "attention": attention,
            "nme_percent": errors,
            "mean": round(mean(errors), 3),
            "spread": round(stdev(errors), 3) if len(errors) > 1 else None,
        }
        for (loss, attention), errors in found.items()
    ]


def as_markdown(rows: list[dict[str, Any]], described: str) -> str:
    """The table, and what it is a table of."""
    lines = [
        "# Ablation: the STAR loss at small scale",
        "",
        f"{described}. One stack of width {BASE.width}, input {BASE.input_px} px, "
        f"{BASE.images:,} pictures, batch {BASE.batch}; NME in % of the outer eye distance on the "
        "held-out part, last state of every run; spread is the standard deviation over seeds.",
        "",
        "| loss | attention maps | mean NME | spread | each seed |",
        "|---|---|--:|--:|---|",
    ]
    for row in rows:
        spread = "" if row["spread"] is None else f"{row['spread']:.3f}"
        each = ", ".join(f"{error:.3f}" for error in row["nme_percent"])
        attention = row["attention"].split()[0]
        lines.append(f"| {row['loss']} | {attention} | {row['mean']:.3f} | {spread} | {each} |")
    return "\n".join([*lines, "", f"Machine: {machine()}.", ""])


def main() -> None:
    """Train, then print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--run", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--report", action="store_true", help="do not train")
    arguments = parser.parse_args()
    try:
        faces = gather(open_data_set(arguments.data), None, select_on_test=False)
        if not arguments.report:
            train_all(faces, arguments.run)
    except FaceTrackError as error:
        parser.exit(2, f"error: {error}\n")
    rows = figures(arguments.run)
    if not rows:
        parser.exit(2, f"error: {arguments.run}: no finished run there: leave out --report\n")
    page = as_markdown(rows, faces.described)
    (RESULTS / "ablation.md").write_text(page, encoding="utf-8")
    described = {"machine": machine(), "recipe": asdict(BASE), "rows": rows}
    (RESULTS / "ablation.json").write_text(json.dumps(described, indent=1) + "\n")
    Console().print(page, highlight=False, markup=False)


if __name__ == "__main__":
    main()
