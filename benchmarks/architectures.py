"""Which network is worth its milliseconds? Small ones of one family, side by side.

    python -m benchmarks.architectures --data 300w --pseudo-labels labels.npz --run runs/arch
    python -m benchmarks.architectures --data 300w --run runs/arch --report

Every network starts from the same seed, sees the same pictures and is judged on the held-out part
by the average of its weights, at each of `RUNGS`. The first rung has all of them; who is promoted
to a longer one, or to a trial with another seed, is named by `--only`, `--images` and `--seed`.
Training goes on where it stopped; what the results hold already and the folder does not is kept.
The time is that of one face by ONNX Runtime, as `run_tracker.py` runs it, the networks in turns.
"""

import argparse
import json
import statistics
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from matplotlib.figure import Figure
from rich.console import Console
from torch.utils.flop_counter import FlopCounterMode

from models.crop_reader import CropReader
from models.description import CheckpointInfo
from models.export import as_onnx, check_crops
from models.landmark_net import LandmarkNet
from models.onnx_landmarker import INPUT, session_options
from tracker.errors import FaceTrackError
from tracker.layouts import Layout
from train.datasets import open_data_set
from train.faces import Faces, gather
from train.fit import Limits, fit
from train.processes import Processes
from train.recipes import RECIPES, Recipe
from train.run import Execution, Run, architecture_of
from train.run_folder import RunFolder

from .measure import machine

RESULTS = Path(__file__).parent / "results"
RUNGS = (3_000, 9_000)
"""Pictures seen; a network is judged at each that it reaches."""
TRIALS = {"3000": "NME at 3k", "9000": "at 9k", "9000, seed 1": "at 9k, again"}
"""Columns of the table, by how a trial is called in the figures."""
SHIPPED = "stem 16"
"""What `lite` is."""
_NEVER = 1e-9
"""The share of a run in which the learning rate falls: it stays level, so that a run can go on."""

BASE = replace(
    RECIPES["lite"],
    sizes=(),
    stem_width=32,
    warmup=0.0,
    decay=_NEVER,
    batch=8,
    evaluate_every=RUNGS[0],
    ema_half_life=2_000,
)
NETWORKS: dict[str, dict[str, Any]] = {
    "stem 32": {},
    "width 64": {"width": 64},
    "width 96": {"width": 96},
    "width 192": {"width": 192},
    SHIPPED: {"stem_width": 16},
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


def recipe_of(name: str, images: int, seed: int = 0) -> Recipe:
    """How a network is trained up to a rung."""
    return replace(BASE, images=images, seed=seed, **NETWORKS[name])


def folder_of(root: Path, name: str, seed: int = 0) -> RunFolder:
    """Where its run is."""
    return RunFolder(root / (name.replace(", ", "-") + (f"-seed-{seed}" if seed else "")))


def train_all(faces: Faces, root: Path, names: list[str], images: int, seed: int) -> None:
    """Bring these networks to a rung."""
    for name in names:
        recipe, folder = recipe_of(name, images, seed), folder_of(root, name, seed)
        torch.compiler.reset()  # it gives up after some shapes of one class
        processes = Processes(torch.device("cpu"))
        run = Run(recipe, faces.layout, processes, Execution(compiled=True))
        if folder.state.exists():
            run.load(folder.state)
        if run.images >= images:
            continue
        print(f"{name}: {run.images} of {images}", flush=True)  # noqa: T201 - a script's progress
        folder.begin(recipe, faces.described, run.images)
        fit(run, faces, folder, Limits(workers=0), None)


def rows_of(root: Path, layout: Layout, known: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Size, operations and the error in every trial, of each network.

    Args:
        root: The folder of the runs.
        layout: Of the landmarks.
        known: Errors of earlier runs, by network and trial; those in the folder count more.
    """
    rows = []
    for name in NETWORKS:
        recipe = recipe_of(name, RUNGS[0])
        network, info = untrained(recipe, layout)
        errors = known.get(name, {}) | _errors(root, name, 0) | _errors(root, name, 1)
        rows.append(
            {
                "network": name,
                "stacks": recipe.stacks,
                "width": recipe.width,
                "stem": recipe.stem_width,
                "depth": recipe.depth,
                "block": recipe.block,
                "input_px": recipe.input_px,
                "map": recipe.input_px // network.config.stride,
                "parameters": sum(p.numel() for p in network.parameters()),
                "mega_mac": round(_flop(network, info) / 2e6, 1),
                "nme_percent": errors,
            }
        )
    return rows


def _errors(root: Path, name: str, seed: int) -> dict[str, float]:
    """By trial."""
    found = {
        f"{row['images']:.0f}" + (f", seed {seed}" if seed else ""): row["nme_percent"]
        for row in folder_of(root, name, seed).rows()
    }
    return {trial: error for trial, error in found.items() if trial in TRIALS}


def untrained(recipe: Recipe, layout: Layout) -> tuple[LandmarkNet, CheckpointInfo]:
    """A network of a recipe's shape, and what describes it."""
    network = LandmarkNet(architecture_of(recipe, layout)).eval()
    info = CheckpointInfo(
        architecture=network.config,
        layout=layout.name,
        input_px=recipe.input_px,
        margin=recipe.margin,
    )
    return network, info


def _flop(network: LandmarkNet, info: CheckpointInfo) -> float:
    crops = torch.zeros(1, info.input_px, info.input_px, 3, dtype=torch.uint8)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        CropReader(network, info)(crops)
    return float(counter.get_total_flops())


def times_ms(layout: Layout, rounds: int) -> dict[str, float]:
    """Median time of one face through every network; what its weights are changes nothing."""
    sessions = {}
    for name in NETWORKS:
        network, info = untrained(recipe_of(name, RUNGS[0]), layout)
        content = as_onnx(CropReader(network, info), info, "")
        sessions[name] = (
            onnxruntime.InferenceSession(
                content, session_options(), providers=["CPUExecutionProvider"]
            ),
            {INPUT: check_crops(info.input_px, 1)},
        )
    taken: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(rounds):
        for name, (session, crops) in sessions.items():
            session.run(None, crops)  # finds the caches full of another network
            started = time.perf_counter()
            session.run(None, crops)
            taken[name].append(time.perf_counter() - started)
    return {name: round(1e3 * statistics.median(each), 2) for name, each in taken.items()}


def frontier(rows: list[dict[str, Any]], trial: str) -> set[str]:
    """Networks than which none is both faster and more accurate in a trial."""
    there = [
        (row["ms"], row["nme_percent"][trial], row["network"])
        for row in rows
        if trial in row["nme_percent"]
    ]
    return {
        name
        for ms, nme, name in there
        if not any(m <= ms and e <= nme and (m, e) != (ms, nme) for m, e, _ in there)
    }


def as_markdown(result: dict[str, Any]) -> str:
    """The table, the fastest first; bold is on the curve of its rung."""
    rows = sorted(result["rows"], key=lambda row: row["ms"])
    curves = {trial: frontier(rows, trial) for trial in TRIALS}
    lines = [
        "# Which network is worth its milliseconds?",
        "",
        f"{result['trained_on']}. All from one seed, batch {BASE.batch}, learning rate "
        f"{BASE.learning_rate:g} and level, no falling end: figures compare networks, "
        "they are not what a full training reaches. NME in % of the outer eye distance on the "
        "held-out part, exact crops, after so many thousand pictures; in bold what no network "
        "beats in both time and error. 'Again' is another seed, with pictures mirrored by the axis "
        "of their annotations and better pseudo-labels, which all errors profit from. "
        f"Time: one face, ONNX Runtime, median of turns. `lite` is '{SHIPPED}'.",
        "",
        f"| network | stacks | width | stem | depth | block | input | map | M parameters | M MAC "
        f"| ms | {' | '.join(TRIALS.values())} |",
        "|---|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|" + "--:|" * len(TRIALS),
    ]
    for row in rows:
        errors = [_cell(row, trial, curves[trial]) for trial in TRIALS]
        lines.append(
            f"| {row['network']} | {row['stacks']} | {row['width']} | {row['stem']} "
            f"| {row['depth']} | {row['block']} | {row['input_px']} | {row['map']} "
            f"| {row['parameters'] / 1e6:.2f} | {row['mega_mac']:.0f} | {row['ms']:.1f} "
            f"| {' | '.join(errors)} |"
        )
    return "\n".join([*lines, "", f"Machine: {result['machine']}.", ""])


def _cell(row: dict[str, Any], trial: str, curve: set[str]) -> str:
    if trial not in row["nme_percent"]:
        return ""
    shown = f"{row['nme_percent'][trial]:.2f}"
    return f"**{shown}**" if row["network"] in curve else shown


def drawn(rows: list[dict[str, Any]]) -> Figure:
    """Error against time, one curve for each trial."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.add_subplot()
    for trial, colour in zip(TRIALS, ("#b0b0b0", "#1f5fd0", "#d07020"), strict=True):
        there = [row for row in rows if trial in row["nme_percent"]]
        points = {r["network"]: (r["ms"], r["nme_percent"][trial]) for r in there}
        if not points:
            continue
        axes.plot(*zip(*points.values(), strict=True), ".", color=colour)
        curve = sorted(points[name] for name in frontier(rows, trial))
        label = TRIALS[trial]
        axes.plot(*zip(*curve, strict=True), color=colour, drawstyle="steps-post", label=label)
        for name, point in points.items():
            axes.annotate(name, point, (3, 3), textcoords="offset points", fontsize=7)
    axes.set(xlabel="ms for one face", ylabel="NME of held-out faces, %")
    axes.legend()
    return figure


def main() -> None:
    """Train, or print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--pseudo-labels", type=Path, help="what train.teacher wrote")
    parser.add_argument("--run", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--images", type=int, choices=RUNGS, default=RUNGS[0], help="train up to")
    parser.add_argument("--seed", type=int, choices=(0, 1), default=0, help="(default: 0)")
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--report", action="store_true", help="do not train: time, and write")
    arguments = parser.parse_args()
    if arguments.seed and arguments.images != RUNGS[-1]:
        parser.error(f"another seed goes to {RUNGS[-1]} pictures: add --images {RUNGS[-1]}")
    try:
        faces = gather(open_data_set(arguments.data), arguments.pseudo_labels, select_on_test=False)
        if not arguments.report:
            train_all(faces, arguments.run, arguments.only, arguments.images, arguments.seed)
            return
    except FaceTrackError as error:
        parser.exit(2, f"error: {error}\n")
    report(faces, arguments.run)


def report(faces: Faces, root: Path) -> None:
    """Time every network; print the table; write it, its figures and its curve."""
    path, times = RESULTS / "architectures.json", times_ms(faces.layout, rounds=60)
    before = json.loads(path.read_text())["rows"] if path.exists() else []
    known = {row["network"]: row["nme_percent"] for row in before}
    rows = [row | {"ms": times[row["network"]]} for row in rows_of(root, faces.layout, known)]
    result = {
        "machine": machine(),
        "trained_on": faces.described,
        "recipe": asdict(BASE),
        "rows": rows,
    }
    path.write_text(json.dumps(result, indent=1) + "\n")
    page = as_markdown(result)
    path.with_suffix(".md").write_text(page, encoding="utf-8")
    drawn(rows).savefig(path.with_suffix(".png"), dpi=130)
    Console().print(page, highlight=False, markup=False)


if __name__ == "__main__":
    main()
