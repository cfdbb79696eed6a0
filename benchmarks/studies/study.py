"""A training study: a list of variants over a recipe, their runs, and the table of their errors.

A variant is a row of the table, a trial (a budget and a seed) a column of errors. Every run is
judged on the held-out part by the average of its weights at the end of the trial, so that nothing
is selected.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from train.execution import Execution
from train.faces import Faces
from train.fit import Limits, fit
from train.processes import Processes
from train.recipes import Recipe
from train.run_folder import RunFolder
from train.training_run import Run

from ..harness import RESULTS, Json, machine, markdown_table, read_json, save_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One row of the table."""

    name: str
    """Also of its run folders and in the stored figures."""
    recipe: Recipe
    labels: tuple[str, ...] = ()
    """First cells of the row; the name if there are none."""
    prepare: Callable[[Faces], Faces] = lambda faces: faces
    """Changes the training faces."""
    is_trained: bool = True
    """False for the weights that the others start from."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One budget and seed."""

    images: int
    seed: int = 0

    @property
    def name(self) -> str:
        """As the stored figures call it."""
        return f"{self.images}" + (f", seed {self.seed}" if self.seed else "")


Column = tuple[str, Callable[[Json, list[Json]], str]]
"""Heading, and the cell of a row among all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is compared, and how its table looks."""

    name: str
    title: str
    base: Recipe
    variants: Sequence[Variant]
    trials: Sequence[Trial]
    note: str
    """What the table is a table of; `{data}` stands for the training faces."""
    columns: Sequence[Column]
    labels: Sequence[str]
    """Headings of the variants' labels."""
    start_from: Path | None = None
    """Weights from which all runs start."""
    compiled: bool = False
    sort_by: str = ""
    """The figure by which rows are sorted; the order of the variants if empty."""
    measure: Callable[[Path, Path], Json] | None = None
    """Further figures of one run, from its weights and the folder of the data set."""
    describe: Callable[[Sequence[Variant], Faces], dict[str, Json]] | None = None
    """Further figures by variant that need no training."""


def train(study: Study, faces: Faces, root: Path, names: list[str], trials: list[Trial]) -> None:
    """Bring the named variants to the end of these trials, from where they stopped.

    Raises:
        FaceTrackError: If a run cannot go on.
    """
    for trial in trials:
        for variant in study.variants:
            if variant.name in names and variant.is_trained:
                _train_one(study, variant, trial, faces, folder_of(root, variant, trial))


def _train_one(
    study: Study, variant: Variant, trial: Trial, faces: Faces, folder: RunFolder
) -> None:
    seed = trial.seed or variant.recipe.seed
    recipe = replace(variant.recipe, images=trial.images, seed=seed)
    torch.compiler.reset()  # it gives up after some shapes of one class
    execution = Execution(compiled=study.compiled)
    run = Run(recipe, faces.layout, Processes(torch.device("cpu")), execution)
    if folder.state.exists():
        run.load(folder.state)
    elif study.start_from:
        run.start_from(study.start_from)
    if run.images >= trial.images:
        return
    print(f"{variant.name}, {trial.name}: from {run.images}", flush=True)  # noqa: T201 - progress
    folder.begin(recipe, faces.described, run.images)
    fit(run, variant.prepare(faces), folder, Limits(workers=0), None)


def folder_of(root: Path, variant: Variant, trial: Trial) -> RunFolder:
    """Where a run lies; the trials of one seed are one run that goes on."""
    seed = f"-seed-{trial.seed}" if trial.seed else ""
    return RunFolder(root / (variant.name.replace(", ", "-") + seed))


def errors(study: Study, root: Path, variant: Variant) -> dict[str, float]:
    """NME in per cent at the end of every trial that was finished, from the logs."""
    found = {}
    for trial in study.trials:
        rows = folder_of(root, variant, trial).rows()
        reached = (row["nme_percent"] for row in rows if row["images"] >= trial.images)
        if (error := next(reached, None)) is not None:
            found[trial.name] = error
    return found


def collect(study: Study, faces: Faces, root: Path, data: Path) -> Json:
    """The stored figures, brought up to date by the runs of a folder."""
    stored = {row["variant"]: row for row in read_json(RESULTS / f"{study.name}.json")["rows"]}
    described = study.describe(study.variants, faces) if study.describe else {}
    rows = []
    for variant in study.variants:
        row = stored.get(variant.name, {"variant": variant.name, "nme_percent": {}})
        known = row["nme_percent"] | errors(study, root, variant)
        row |= {"nme_percent": known} | described.get(variant.name, {})
        rows.append(row | _measured(study, root, variant, data))
    return {
        "machine": machine(),
        "data": faces.described,
        "recipe": asdict(study.base),
        "rows": rows,
    }


def _measured(study: Study, root: Path, variant: Variant, data: Path) -> Json:
    folder = folder_of(root, variant, study.trials[0]).path
    weights = folder / "last.safetensors" if variant.is_trained else study.start_from
    if study.measure is None or weights is None or not weights.exists():
        return {}
    kept = folder / "figures.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        save_json(kept, study.measure(weights, data))
    return read_json(kept)


def table(study: Study, result: Json) -> tuple[list[str], list[list[str]]]:
    """Headings and rows; variants without an error are left out."""
    rows = [row for row in result["rows"] if row["nme_percent"]]
    if study.sort_by:
        rows.sort(key=lambda row: row[study.sort_by])
    labels = {variant.name: variant.labels or (variant.name,) for variant in study.variants}
    headings = [*study.labels, *(heading for heading, _ in study.columns)]
    cells = [
        [*labels[row["variant"]], *(cell(row, rows) for _, cell in study.columns)] for row in rows
    ]
    return headings, cells


def as_markdown(study: Study, result: Json) -> str:
    """The table as a page."""
    lines = markdown_table(*table(study, result), text=len(study.labels))
    note = study.note.format(data=result["data"])
    page = [f"# {study.title}", "", note, "", *lines, "", f"Machine: {result['machine']}.", ""]
    return "\n".join(page)
