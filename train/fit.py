r"""Train a landmark network, from a folder of annotated faces to a weight file.

    python -m train.fit --data 300w --config lite --run-folder runs/lite
    torchrun --nproc-per-node 4 -m train.fit --data WFLW --config star-wflw \
        --run-folder runs/wflw

Run the same command again after an interruption and it goes on where it stopped. The run folder is
described in `train.run_folder`; `best.safetensors` is what `run_tracker.py --weights`
reads.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console

from models.checkpoint import CheckpointError, CheckpointInfo
from models.landmark_net import LandmarkNet
from models.torch_landmarker import choose_device
from models.weight_files import NAMED_WEIGHTS
from tracker.errors import FaceTrackError
from tracker.layouts import layout_table

from .clock import Clock
from .datasets import DataError, open_data_set
from .evaluator import Evaluator
from .execution import Execution
from .faces import Faces, gather
from .fit_flags import build_parser
from .loader import load_views, pooled_views
from .monitor import TrainingMonitor, monitored
from .processes import Processes, joined
from .recipes import RECIPES, Recipe
from .run_folder import Row, RunFolder
from .training_run import Run
from .views import TrainingView


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What ends a run before its recipe does, and what it may use."""

    workers: int = 1
    in_memory: bool = False
    """Decode all pictures once, beforehand."""
    minutes: float = float("inf")
    by_clock: bool = False
    """The schedule follows the minutes, not the pictures."""
    pool: int = 0
    """Views that are kept on the device and shown again; 0: each is shown once."""
    stop: Callable[[], bool] = lambda: False
    """Asked after every batch."""


def fit(
    run: Run, faces: Faces, folder: RunFolder, limits: Limits, board_folder: Path | None
) -> None:
    """Train to the end of the recipe, evaluating and saving as it goes.

    Args:
        run: New or resumed.
        faces: Trained and evaluated on.
        folder: Written to.
        limits: What ends the run before its recipe does.
        board_folder: For TensorBoard, if wanted.

    Raises:
        TrainingError: If the loss is no number or the disk is full; the last good state is kept.
        DataError: If too many pictures cannot be read.
    """
    recipe, first = run.recipe, run.processes.is_first
    evaluators = {
        part.name: Evaluator(part, faces.layout, recipe, run.processes.device)
        for part in faces.held_out_parts
    }
    clock = Clock(60 * limits.minutes)
    if limits.by_clock:
        run.clock = clock
    with monitored(recipe, run.images, board_folder if first else None) as monitor:
        for batch in _batches(run, faces, limits):
            losses = run.step(batch)
            if bad := {line for lines in batch.bad for line in lines.splitlines()} - run.bad:
                run.bad |= bad
                monitor.warn(*bad)
                faces.check_bad(run.bad)
            monitor.step(run.images, losses, len(run.bad))
            over = run.progress >= 1 or run.processes.any_of(clock() >= 1 or limits.stop())
            if first and (over or run.images % recipe.evaluate_every < recipe.batch):
                report(run, faces, evaluators, folder, monitor)
            if over:
                break
    if first and folder.rows():
        bad = run.bad.union(*(evaluator.bad for evaluator in evaluators.values()))
        folder.report(recipe, faces.described, faces.selected_on, bad)


def _batches(run: Run, faces: Faces, limits: Limits) -> Iterator[TrainingView]:
    if limits.pool:
        return pooled_views(run, faces, limits.workers, limits.pool, in_memory=limits.in_memory)
    return load_views(run, faces, limits.workers, in_memory=limits.in_memory)


def report(
    run: Run,
    faces: Faces,
    evaluators: dict[str, Evaluator],
    folder: RunFolder,
    monitor: TrainingMonitor,
) -> None:
    """Evaluate on every held-out part; write the log, the weights and the state, in this order.

    Args:
        run: Its weights are evaluated.
        faces: For the description in the weight file.
        evaluators: By name of the held-out part; weights are selected on the first.
        folder: Written to.
        monitor: Shows the row.

    Raises:
        TrainingError: If something cannot be written.
    """
    recipe = run.recipe
    size_px = run.size_px
    candidates = {"average": run.average}
    if recipe.evaluate_raw:
        candidates["raw"] = run.network
    evaluator, *others = evaluators.values()
    errors = {name: evaluator.nme(network, size_px) for name, network in candidates.items()}
    chosen = min(errors, key=lambda name: float(errors[name].mean()))
    nme = 100 * float(errors[chosen].mean())
    row: Row = {
        "images": float(run.images),
        "size_px": float(size_px),
        "nme_percent": round(nme, 4),
        "over_8_percent": round(100 * float((errors[chosen] > 0.08).mean()), 2),
        "chosen_is_average": float(chosen == "average"),
        **{
            f"nme_{other.name}_percent": round(
                100 * float(other.nme(candidates[chosen], size_px).mean()), 4
            )
            for other in others
        },
        **{name: round(value, 6) for name, value in monitor.mean_losses().items()},
        "images_per_s": round(monitor.images_per_s, 2),
    }
    folder.log(row)
    picture = evaluator.sample_sheet(candidates[chosen], size_px)
    folder.save_picture(picture)
    _save_weights(run, faces, folder, candidates[chosen], row)
    folder.save_state(run)
    monitor.evaluated(row, picture)


def _save_weights(
    run: Run, faces: Faces, folder: RunFolder, network: LandmarkNet, row: Row
) -> None:
    recipe = run.recipe
    info = CheckpointInfo(
        architecture=network.config,
        layout=faces.layout.name,
        layout_table=layout_table(faces.layout),
        input_px=int(row["size_px"]),
        margin=recipe.margin,
        colour=recipe.colour,
        antialiased=recipe.antialiased,
        trained_on=faces.described,
        licence="that of the data: " + faces.data.name,
        figures={"nme_percent": row["nme_percent"], "images": row["images"]},
        selected_on=faces.selected_on,
    )
    folder.save_weights("last", network, info)
    # A state of smaller crops is never the best of a run that ends with larger ones.
    is_final_size = row["size_px"] == recipe.size_at(1.0)
    if row["nme_percent"] < run.best or not is_final_size:
        run.best = row["nme_percent"] if is_final_size else float("inf")
        folder.save_weights("best", network, info)
    if recipe.keep_every and run.images % recipe.keep_every < recipe.batch:
        folder.save_weights(f"kept/{run.images:09d}", network, info)


def resolved(
    recipe: Recipe, faces: Faces, images: int | None, processes: Processes, accumulate: int
) -> Recipe:
    """The recipe with what depends on the data filled in.

    Args:
        recipe: As named on the command line.
        faces: Of the run.
        images: In place of the recipe's, if wanted.
        processes: That share a batch.
        accumulate: Parts of a process' share of a batch.

    Raises:
        DataError: If it is for another data set, or the batch cannot be shared out.
    """
    if recipe.data and recipe.data != faces.data.name:
        raise DataError(
            f"{faces.data.name}: this recipe is published for {recipe.data}: "
            "choose the --config of this data set, or 'full' or 'lite'"
        )
    epoch = len(faces.training)
    images = images or recipe.epochs * epoch or recipe.images
    parts = processes.count * accumulate
    if recipe.batch % (2 * parts if recipe.pair_share else parts):
        how = " in pairs" if recipe.pair_share else ""
        raise DataError(
            f"a batch of {recipe.batch} cannot be shared out evenly{how}: {processes.count} "
            f"processes, --accumulate {accumulate}"
        )
    return replace(recipe, images=images, evaluate_every=recipe.evaluate_every or epoch)


def main() -> None:
    """Parse flags, build or resume the run, train."""
    parser = build_parser()
    arguments = parser.parse_args()
    try:
        with joined(choose_device(arguments.device)) as processes:
            train(arguments, processes)
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


def train(
    arguments: argparse.Namespace,
    processes: Processes,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Everything between the command line and the loop.

    Args:
        arguments: Of `build_parser`.
        processes: That train together.
        stop: Asked after every batch; then the run is evaluated, saved and left.
    """
    data = open_data_set(
        arguments.data, pictures=arguments.pictures, lose_first_row=arguments.lose_first_row
    )
    faces = gather(
        data,
        arguments.pseudo_labels,
        select_on_test=arguments.select_on_test,
        further=arguments.further,
    )
    faces.check_bad(set())
    recipe = resolved(
        RECIPES[arguments.config], faces, arguments.images, processes, arguments.accumulate
    )
    if arguments.evaluate_every:
        recipe = replace(recipe, evaluate_every=arguments.evaluate_every)
    execution = Execution(
        precision=arguments.precision,
        compiled=arguments.compile,
        accumulate=arguments.accumulate,
        graph=arguments.graph,
    )
    if processes.device.type == "cuda":
        torch.backends.cudnn.benchmark = True  # crops come in few sizes
    run = Run(recipe, faces.layout, processes, execution)
    if execution.graph:
        run.record_all()
    folder = RunFolder(arguments.run_folder)
    _begin(run, folder, arguments)
    if processes.is_first:
        folder.begin(recipe, faces.described, run.images)
    board_folder = arguments.run_folder / "tensorboard" if arguments.tensorboard else None
    limits = Limits(
        workers=arguments.workers,
        in_memory=arguments.in_memory,
        minutes=arguments.minutes,
        by_clock=arguments.by_clock,
        pool=arguments.pool,
        stop=stop,
    )
    fit(run, faces, folder, limits, board_folder)


def _begin(run: Run, folder: RunFolder, arguments: argparse.Namespace) -> None:
    """Load the state of the run, or the weights that it starts with."""
    if folder.state.exists():
        run.load(folder.state)
    elif arguments.go_on_from:
        run.go_on_from(arguments.go_on_from)
    elif arguments.start_from:
        at_random = run.start_from(
            NAMED_WEIGHTS.get(arguments.start_from, Path(arguments.start_from))
        )
        if at_random and run.processes.is_first:
            Console().print(
                f"{arguments.start_from} lacks {', '.join(at_random)}: they start at random"
            )


if __name__ == "__main__":
    main()
