"""Progress of a run: a live table in a terminal, lines elsewhere; TensorBoard."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from tracker.types import Image

from .datasets import DataError
from .recipes import Recipe
from .run_folder import Row

_SMOOTHING = 0.98
"""Share of the shown loss that is the loss shown before."""


class TrainingMonitor:
    """Shows a run and measures its speed."""

    def __init__(self, recipe: Recipe, images: int, console: Console, board: Any) -> None:
        self._recipe, self._console, self._board = recipe, console, board
        self._first, self._images, self._started = images, images, time.monotonic()
        self._losses: dict[str, float] = {}
        self._since: dict[str, float] = {}
        self._steps = 0
        self._row: Row = {}
        self._best = float("inf")
        self._bad = 0

    @property
    def images_per_s(self) -> float:
        return (self._images - self._first) / max(time.monotonic() - self._started, 1e-9)

    def step(self, images: int, losses: dict[str, float], bad: int) -> None:
        """One optimiser step was made."""
        self._images, self._bad = images, bad
        self._steps += 1
        for name, loss in losses.items():
            old = self._losses.get(name, loss)
            self._losses[name] = _SMOOTHING * old + (1 - _SMOOTHING) * loss
            self._since[name] = self._since.get(name, 0.0) + loss

    def mean_losses(self) -> dict[str, float]:
        """Mean of every part of the loss since this was last asked."""
        means = {name: total / self._steps for name, total in self._since.items()}
        self._since, self._steps = {}, 0
        return means

    def warn(self, *lines: str) -> None:
        """Print pictures that were skipped."""
        for line in lines:
            self._console.print(f"skipped: {line}", style="red", highlight=False, soft_wrap=True)

    def evaluated(self, row: Row, picture: Image) -> None:
        """The held-out parts were evaluated."""
        self._row, self._best = row, min(self._best, row["nme_percent"])
        if not self._console.is_terminal:
            self._console.print(json.dumps(row), highlight=False, soft_wrap=True)
        if self._board is not None:
            for name, value in row.items():
                self._board.add_scalar(name, value, row["images"])
            self._board.add_image("samples", picture, row["images"], dataformats="HWC")

    def __rich__(self) -> Table:
        left = self._recipe.images - self._images
        eta = timedelta(seconds=round(left / self.images_per_s)) if self.images_per_s else "…"
        progress = self._images / self._recipe.images
        table = Table(title=f"{100 * progress:.1f} %, {eta} left", show_header=False)
        table.add_row("pictures", f"{self._images:,} of {self._recipe.images:,}")
        table.add_row("pictures per second", f"{self.images_per_s:.1f}")
        table.add_row("crop", f"{self._recipe.size_at(progress)} px")
        table.add_row("learning rate", f"{self._recipe.learning_rate_at(progress):.2g}")
        for name, loss in self._losses.items():
            table.add_row(f"loss: {name.replace('_', ' ')}", f"{loss:.4f}")
        if self._row:
            shown = f"{self._row['nme_percent']:.3f} %, best {self._best:.3f} %"
            table.add_row("NME on the held-out faces", shown)
        if self._bad:
            table.add_row("unreadable pictures", str(self._bad), style="red")
        return table


@contextmanager
def monitored(recipe: Recipe, images: int, board_folder: Path | None) -> Iterator[TrainingMonitor]:
    """Show a run while it lasts.

    Raises:
        DataError: If TensorBoard is asked for and not installed.
    """
    console = Console()
    board = _board(board_folder) if board_folder else None
    monitor = TrainingMonitor(recipe, images, console, board)
    try:
        if console.is_terminal:
            with Live(monitor, console=console, refresh_per_second=2):
                yield monitor
        else:
            yield monitor
    finally:
        if board is not None:
            board.close()


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise DataError(
            "--tensorboard: not installed: python -m pip install 'star-tracker[watch]'"
        ) from error
    return SummaryWriter(str(folder))
