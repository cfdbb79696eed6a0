"""The queue of trainings: what runs next, from which weights, and how far it is.

    python -m train.queue --data research                    # go on until the queue is done
    python -m train.queue --data research --until 17:30      # or until then, local time
    python -m train.queue --status

`train/queue.toml` lists the trainings and the labels that they need. At every pause, also after
Ctrl-C or SIGTERM, the weights (fp16) and the log of the training lie in `train/checkpoints`, to be
committed. On another machine the same command makes the labels anew and goes on from these weights
at their place of the schedule, with a fresh optimiser; on the same one it resumes its run folder.
"""

import argparse
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console

from models.checkpoint import CheckpointError, load_checkpoint
from models.torch_landmarker import choose_device
from tracker.errors import FaceTrackError

from .fit import train
from .fit_flags import build_parser as fit_parser
from .processes import Processes
from .queue_table import LabelFile, QueueTable, Training, read_table
from .recipes import RECIPES
from .run_folder import RunFolder
from .screening import screen_data_set
from .teacher import teach_pictures
from .turned_heads import turn_data_set
from .whole_file import write_whole

TABLE = Path(__file__).with_name("queue.toml")
CHECKPOINTS = Path(__file__).with_name("checkpoints")
WORK = Path("runs/queue")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePaths:
    """Where a queue reads and writes."""

    data: Path
    """Folder of research data, 300W in `300w` below it."""
    work: Path = WORK
    """Run folders and labels; never committed."""
    checkpoints: Path = CHECKPOINTS
    """Weights and logs of every training; committed."""
    mesh: Path | None = None
    """`face_landmarker.task`, for labels by the better mesh."""

    def run_folder(self, training: Training) -> Path:
        return self.work / training.name

    def checkpoint(self, training: Training) -> Path:
        return self.checkpoints / f"{training.name}.safetensors"

    def log(self, training: Training) -> Path:
        return self.checkpoints / f"{training.name}.jsonl"

    def labels(self, name: str) -> Path:
        return self.work / "labels" / f"{name}.npz"


def images_done(training: Training, paths: QueuePaths) -> int:
    """Pictures that a training has seen, by its run folder or its checkpoint.

    Raises:
        CheckpointError: If the checkpoint is damaged.
    """
    rows = RunFolder(paths.run_folder(training)).rows()
    done = int(rows[-1]["images"]) if rows else 0
    if paths.checkpoint(training).exists():
        _, info = load_checkpoint(paths.checkpoint(training))
        done = max(done, int(info.figures["images"]))
    return done


def next_training(table: QueueTable, paths: QueuePaths) -> Training | None:
    """The first training of the table that is not finished; None if all are."""
    for training in table.trainings:
        if images_done(training, paths) < RECIPES[training.config].images:
            return training
    return None


def publish(training: Training, paths: QueuePaths) -> None:
    """Copy weights and log of a run folder to the checkpoints, if there are any."""
    weights = paths.run_folder(training) / "last.safetensors"
    if weights.exists():
        paths.checkpoints.mkdir(parents=True, exist_ok=True)
        write_whole(paths.checkpoint(training), weights.read_bytes())
        write_whole(paths.log(training), (weights.parent / "log.jsonl").read_bytes())


def advance(
    training: Training,
    table: QueueTable,
    paths: QueuePaths,
    machine: list[str],
    stop: Callable[[], bool],
) -> None:
    """Make the labels that are missing, then train until the end or until `stop` says so.

    Args:
        training: Of the table.
        table: Names the labels.
        paths: Where everything lies.
        machine: Further flags of `train.fit`: workers, device, precision.
        stop: Asked after every batch.

    Raises:
        FaceTrackError: If data are missing or the training cannot go on; the last state is kept.
    """
    for name in training.label_files:
        if not paths.labels(name).exists() and not stop():
            make_labels(table.labels[name], paths)
    if stop():
        return
    flags = ["--data", str(paths.data / "300w"), "--config", training.config, *machine]
    flags += ["--run-folder", str(paths.run_folder(training)), *_beginning(training, table, paths)]
    if training.pseudo_labels:
        flags += ["--pseudo-labels", str(paths.labels(training.pseudo_labels))]
    if training.further:
        flags += ["--further", *(str(paths.labels(name)) for name in training.further)]
    arguments = fit_parser().parse_args(flags)
    try:
        train(arguments, Processes(choose_device(arguments.device)), stop)
    finally:
        publish(training, paths)


def _beginning(training: Training, table: QueueTable, paths: QueuePaths) -> list[str]:
    """Flags that say which weights a run folder without a state begins with."""
    folder = RunFolder(paths.run_folder(training))
    if folder.state.exists():
        return []
    if paths.checkpoint(training).exists():
        folder.path.mkdir(parents=True, exist_ok=True)
        write_whole(folder.path / "log.jsonl", paths.log(training).read_bytes())
        return ["--go-on-from", str(paths.checkpoint(training))]
    if not training.start_from:
        return []
    earlier = {other.name: paths.checkpoint(other) for other in table.trainings}
    return ["--start-from", str(earlier.get(training.start_from, training.start_from))]


def make_labels(labels: LabelFile, paths: QueuePaths) -> None:
    """Write one file of machine-made labels.

    Raises:
        FaceTrackError: If its data are not there.
    """
    output, annotated = paths.labels(labels.name), paths.data / "300w"
    if labels.pictures:
        pictures = paths.data / labels.pictures
        teach_pictures(annotated, pictures, output, weights=labels.weights, mesh=paths.mesh)
    elif labels.turned:
        turn_data_set(paths.data / labels.turned, output, paths.mesh)
    else:
        source = paths.data / labels.data
        screen_data_set(source, annotated, output, labels.weights, labels.certainty)


@contextmanager
def stopping(until: datetime | None) -> Iterator[Callable[[], bool]]:
    """Something to ask whether to stop: at a time, or after Ctrl-C or SIGTERM."""
    asked = threading.Event()
    ends = time.monotonic() + (until - datetime.now()).total_seconds() if until else float("inf")
    before = {
        number: signal.signal(number, lambda *_: asked.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield lambda: asked.is_set() or time.monotonic() >= ends
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_queue(
    table: QueueTable, paths: QueuePaths, machine: list[str], stop: Callable[[], bool]
) -> None:
    """Go through the table until it is done or `stop` says so.

    Args:
        table: Trainings in their order.
        paths: Where everything lies.
        machine: Further flags of `train.fit`.
        stop: Asked after every batch.

    Raises:
        FaceTrackError: If data are missing or a training cannot go on.
        CheckpointError: If a checkpoint is damaged.
    """
    for training in table.trainings:
        publish(training, paths)  # what a kill kept from being published
    while not stop() and (following := next_training(table, paths)):
        advance(following, table, paths, machine, stop)


def report_status(table: QueueTable, paths: QueuePaths, console: Console) -> None:
    """Print how far each training is."""
    following = next_training(table, paths)
    for training in table.trainings:
        done, whole = images_done(training, paths), RECIPES[training.config].images
        mark = "next" if training is following else "done" if done >= whole else "waits"
        start = training.start_from or "random weights"
        console.print(f"{mark:5} {training.name}: {done:,} of {whole:,} pictures, from {start}")


def main() -> None:
    """Parse flags and go on with the queue."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("research"), help="research data")
    parser.add_argument("--until", type=_time_of_day, help="local time to pause at, as 17:30")
    parser.add_argument("--status", action="store_true", help="only say how far everything is")
    parser.add_argument("--mesh", type=Path, help="face_landmarker.task, for better labels")
    parser.add_argument("--work", type=Path, default=WORK, help="run folders and labels")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    parser.add_argument("--workers", default="1", help="processes that cut crops")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16", "fp16"])
    arguments = parser.parse_args()
    paths = QueuePaths(
        data=arguments.data,
        work=arguments.work,
        checkpoints=arguments.checkpoints,
        mesh=arguments.mesh,
    )
    machine = ["--workers", arguments.workers, "--device", arguments.device]
    machine += ["--precision", arguments.precision]
    try:
        table = read_table(arguments.table)
        if not arguments.status:
            with stopping(arguments.until) as stop:
                run_queue(table, paths, machine, stop)
        report_status(table, paths, Console())
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


def _time_of_day(text: str) -> datetime:
    """The next time that the clock shows this."""
    hour, minute = (int(part) for part in text.split(":"))
    now = datetime.now()
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return then if then > now else then + timedelta(days=1)


if __name__ == "__main__":
    main()
