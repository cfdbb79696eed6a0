"""What helps when training goes on from `lite`? Each extra on its own, at equal pictures.

    python -m benchmarks.extras --data 300w --pseudo-labels labels.npz --run runs/extras

Every run starts from the default weights and goes on as the recipe `lite-video` does, but for one
thing. The average of its weights at the end is judged on the held-out part, so that nothing is
selected: by NME in exact crops, and by flicker between two looks at a face at rest. A second seed
tells what chance alone does. Give the command again to go on after an interruption; `--report`
only prints what is there.
"""

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from models.torch_landmarker import load_torch_landmarker
from models.weight_files import NAMED_WEIGHTS
from tracker.errors import FaceTrackError
from train.datasets import open_data_set
from train.faces import Faces, gather
from train.fit import Limits, fit
from train.processes import Processes
from train.recipes import RECIPES, Recipe
from train.run import Execution, Run, write_whole
from train.run_folder import RunFolder

from .int8 import judge
from .measure import machine

RESULTS = Path(__file__).parent / "results"
WEIGHTS = "lite"
START, CONTROL = "start", "control"
BASE = replace(RECIPES["lite-video"], images=8_000, evaluate_every=2_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One run."""

    title: str
    recipe: Recipe = BASE
    all_certain: bool = False
    """Believe every pseudo-label in full, whatever its teacher doubted."""
    plain_mirror: bool = False
    """Mirror pictures about their middle, wherever the annotations have it."""


VARIANTS = {
    CONTROL: Variant(title="as lite-video"),
    "other-seed": Variant(title="another seed", recipe=replace(BASE, seed=1)),
    "plain-mirror": Variant(title="mirrored about the middle of the picture", plain_mirror=True),
    # At this weight the gradient of consistency is about as long as that of STAR.
    "pairs": Variant(
        title="a quarter second views, to err alike",
        recipe=replace(BASE, pair_share=0.25, consistency_weight=15.0),
    ),
    "labelled-only": Variant(title="no pseudo-labels", recipe=replace(BASE, pseudo_share=0.0)),
    "all-certain": Variant(title="pseudo-labels without certainty", all_certain=True),
    "unspoilt": Variant(
        title="no blinks, nothing that video spoils",
        recipe=replace(BASE, augment=RECIPES[WEIGHTS].augment),
    ),
}


def train_all(faces: Faces, data: Path, root: Path, names: list[str]) -> None:
    """Train and judge what is not yet trained and judged."""
    _judge(NAMED_WEIGHTS[WEIGHTS], data, root / START)
    for name in names:
        _train(faces, VARIANTS[name], root / name)
        _judge(root / name / "last.safetensors", data, root / name)


def _train(faces: Faces, variant: Variant, path: Path) -> None:
    folder, recipe = RunFolder(path), variant.recipe
    torch.compiler.reset()
    run = Run(recipe, faces.layout, Processes(torch.device("cpu")), Execution(compiled=True))
    if folder.state.exists():
        run.load(folder.state)
    else:
        run.start_from(NAMED_WEIGHTS[WEIGHTS])
    if run.images >= recipe.images:
        return
    print(variant.title, flush=True)  # noqa: T201 - a script's progress
    if variant.all_certain:
        faces = replace(faces, pseudo=[replace(face, certainty=None) for face in faces.pseudo])
    if variant.plain_mirror:
        training, pseudo = (
            [replace(face, first_pixel=0.0) for face in part]
            for part in (faces.training, faces.pseudo)
        )
        faces = replace(faces, training=training, pseudo=pseudo)
    folder.begin(recipe, faces.described, run.images)
    fit(run, faces, folder, Limits(workers=0), None)


def _judge(weights: Path, data: Path, folder: Path) -> None:
    """Keep in the folder what the network does on the held-out faces."""
    kept = folder / "judged.json"
    if kept.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    judged = judge(load_torch_landmarker(weights, "cpu"), data)  # type: ignore[arg-type] # any will do
    write_whole(kept, json.dumps(asdict(judged)).encode())


def figures(root: Path) -> list[dict[str, Any]]:
    """What every run that is finished came to, the weights that all start from first."""
    titles = {START: f"`{WEIGHTS}`, where all start"}
    titles |= {name: variant.title for name, variant in VARIANTS.items()}
    return [
        {"run": name, "title": title, **json.loads(kept.read_text())}
        for name, title in titles.items()
        if (kept := root / name / "judged.json").exists()
    ]


def as_markdown(rows: list[dict[str, Any]], described: str) -> str:
    """The table, and what it is a table of."""
    control = next((row for row in rows if row["run"] == CONTROL), None)
    lines = [
        "# What helps when training goes on",
        "",
        f"{described}. {BASE.images:,} pictures from the weights `{WEIGHTS}` on, one run each. NME "
        "in % of the outer eye distance, flicker in % of the crop's side, on the held-out part; in "
        f"brackets the change against '{VARIANTS[CONTROL].title}'; what another seed changes is "
        "chance.",
        "",
        "| training goes on | NME % | flicker % |",
        "|---|--:|--:|",
    ]
    for row in rows:
        cells = [
            f"{row[figure]:.{digits}f}{_change(row, control, figure)}"
            for figure, digits in (("nme_percent", 3), ("flicker_percent", 4))
        ]
        lines.append(f"| {row['title']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Machine: {machine()}.", ""])


def _change(row: dict[str, Any], control: dict[str, Any] | None, figure: str) -> str:
    if control is None or row is control:
        return ""
    return f" ({100 * (row[figure] / control[figure] - 1):+.1f} %)"


def main() -> None:
    """Train, then print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="of train.teacher")
    parser.add_argument("--run", type=Path, required=True, help="folder for the runs")
    parser.add_argument(
        "--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS), help="train only these"
    )
    parser.add_argument("--report", action="store_true", help="do not train")
    arguments = parser.parse_args()
    try:
        data = open_data_set(arguments.data)
        faces = gather(data, arguments.pseudo_labels, select_on_test=False)
        if not arguments.report:
            train_all(faces, arguments.data, arguments.run, arguments.only)
    except FaceTrackError as error:
        parser.exit(2, f"error: {error}\n")
    rows = figures(arguments.run)
    if not rows:
        parser.exit(2, f"error: {arguments.run}: no finished run there: leave out --report\n")
    page = as_markdown(rows, faces.described)
    (RESULTS / "extras.md").write_text(page, encoding="utf-8")
    described = {"machine": machine(), "recipe": asdict(BASE), "rows": rows}
    (RESULTS / "extras.json").write_text(json.dumps(described, indent=1) + "\n")
    Console().print(page, highlight=False, markup=False)


if __name__ == "__main__":
    main()
