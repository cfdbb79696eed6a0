"""What all benchmarks share: flags, errors, tables, stored figures and the machine's name."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import torch
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.checkpoint import CheckpointError
from tracker.errors import FaceTrackError
from train.run_folder import commit
from train.whole_file import write_whole

RESULTS = Path(__file__).parent / "results"
"""Figures that README and the model cards quote."""
_WIDTH_OF_PIPES = 140
"""Tables are wider than the 80 columns that files and pipes get."""

Json = dict[str, Any]
Cells = Sequence[str]
Task = TypeVar("Task")
Answer = TypeVar("Answer")


def argument_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for `python -m benchmarks.NAME` that prints the module's docstring as help."""
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run_command(
    parser: argparse.ArgumentParser,
    benchmark: Callable[[argparse.Namespace], None],
    command: Sequence[str] | None = None,
) -> None:
    """Parse the flags and run; a user's mistake ends in one line and exit status 2."""
    arguments = parser.parse_args(command)
    try:
        benchmark(arguments)
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


def save_json(path: Path | None, result: Json, digits: int | None = None) -> None:
    """Write figures, each to so many digits after the point; without a path do nothing."""
    if path is None:
        return
    if digits is not None:
        result = json.loads(json.dumps(result), parse_float=lambda text: round(float(text), digits))
    write_whole(path, (json.dumps(result, indent=1) + "\n").encode())


def read_json(path: Path) -> Json:
    """Figures that `save_json` wrote."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def wide_console() -> Console:
    """A console that gives tables room in files and pipes, too."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH_OF_PIPES)


def rich_table(
    headings: Cells, rows: Sequence[Cells], *, title: str = "", caption: str = "", text: int = 1
) -> Table:
    """A table for the terminal; the first `text` columns are aligned left, figures right."""
    table = Table(title=title, caption=caption, box=SIMPLE, padding=(0, 1, 0, 0))
    for index, heading in enumerate(headings):
        is_text = index < text
        table.add_column(heading, justify="left" if is_text else "right", no_wrap=not index)
    for row in rows:
        table.add_row(*row)
    return table


def side_by_side(work: Callable[[Task], Answer], tasks: Sequence[Task], about: str) -> list[Answer]:
    """What a function answers to all tasks, in their order: by a process for each core.

    Args:
        work: A function of a module; tasks and answers travel between processes.
        tasks: As they are given to it.
        about: For the bar that shows the progress.
    """
    jobs = min(len(tasks), os.cpu_count() or 1)
    if jobs < 2:
        return [work(task) for task in tasks]
    # Forked, a process would inherit the threads of networks and hang.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(track(pool.map(work, tasks), about, total=len(tasks)))


def markdown_table(headings: Cells, rows: Sequence[Cells], text: int = 1) -> list[str]:
    """The same as lines of Markdown."""
    rule = ["---" if index < text else "--:" for index in range(len(headings))]
    return ["| " + " | ".join(cells) + " |" for cells in (headings, rule, *rows)]


def processor_s() -> float:
    """Seconds of processor time so far, user and system, with those of processes that ended.

    It hangs little on what else the machine does.
    """
    return sum(os.times()[:4])


def machine() -> str:
    """Cores, processor, GPU and commit in one line."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} cores, {_processor()}, {gpu}, commit {commit()}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    except OSError:
        return platform.processor() or platform.machine()
    return names[0] if names else platform.machine()
