"""What several videos show in the terminal, while they are tracked and when they are done."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from .quiet import tell
from .sources import Source
from .terminal import BAR_WIDTH, RunSummary, Watched, name_column

_LONG_S = 1e9
"""All videos so far tell the time left; in the last seconds hardly one came to its end."""


@dataclass(slots=True)
class SeveralSummary:
    """How the runs of several videos went."""

    videos: int
    done: int = 0
    """From their first frame to their last."""
    failed: int = 0
    frames: int = 0
    faces: int = 0
    """By id, summed over the videos."""
    seconds: float = 0.0
    """Wall time of all."""
    interrupted: bool = False

    def add(self, run: RunSummary) -> None:
        """Count a run that did not fail."""
        self.done += not run.interrupted
        self.frames += run.tally.frames
        self.faces += run.tally.ids


class SeveralVideos:
    """What several runs at the same time show: a line for all of them, and one for each.

    Args:
        bar: As `progress_of_several` makes it.
        count: Of the videos.
        interrupted: As in `Watched`, for all of them.
        abandoned: Likewise.
    """

    def __init__(self, bar: Progress, count: int, interrupted: Event, abandoned: Event) -> None:
        self._bar, self._interrupted, self._abandoned = bar, interrupted, abandoned
        self._task = bar.add_task("all videos", total=count, status="")
        self._frames, self._started, self._counting = 0, time.perf_counter(), Lock()

    @contextmanager
    def watch(self, source: Source, _summary: RunSummary) -> Iterator[Watched]:
        """A line of its own as long as the run lasts; from any thread."""
        task = self._bar.add_task(source.name, total=source.frame_count, status="")
        frames, started = 0, time.perf_counter()

        def advance(faces: int) -> None:
            nonlocal frames
            frames += 1
            status = f"{_rate(frames, started)}  {faces} faces"
            self._bar.update(task, advance=1, status=status)
            with self._counting:
                self._frames += 1
            self._bar.update(self._task, status=_rate(self._frames, self._started))

        try:
            yield Watched(advance, self._interrupted, self._abandoned)
        finally:
            self._bar.remove_task(task)

    def end(self, run: RunSummary) -> None:
        """One video more has come to its end: a line for it stays above the others."""
        self._bar.advance(self._task)
        self._bar.console.print(str(run), markup=False, highlight=False)

    def fail(self, error: str) -> None:
        """One video more has come to its end, by an error."""
        self._bar.advance(self._task)
        tell(f"error: {error}")


def _rate(frames: int, started: float) -> str:
    return f"{frames / max(time.perf_counter() - started, 1e-9):5.1f} fps"


@contextmanager
def progress_of_several(
    count: int, interrupted: Event, abandoned: Event, console: Console
) -> Iterator[SeveralVideos]:
    """Bars with fps and time left; errors that are printed meanwhile stay above them."""
    columns = [
        SpinnerColumn(), name_column(), BarColumn(BAR_WIDTH), MofNCompleteColumn(),
        TextColumn("{task.fields[status]}"), TimeRemainingColumn(),
    ]  # fmt: skip
    with Progress(
        *columns,
        console=console,
        transient=True,
        redirect_stderr=sys.stderr.isatty(),  # else errors would not reach the file they go to
        speed_estimate_period=_LONG_S,
    ) as bar:
        yield SeveralVideos(bar, count, interrupted, abandoned)


def table_of_several(summary: SeveralSummary) -> Table:
    """How many videos, frames and faces, and how fast."""
    table = Table(title="all videos", show_header=False)
    table.add_row("videos done", f"{summary.done} of {summary.videos}")
    table.add_row("videos failed", str(summary.failed))
    table.add_row("frames", str(summary.frames))
    table.add_row("faces, by id", str(summary.faces))
    table.add_row("frames per second", f"{summary.frames / max(summary.seconds, 1e-9):.1f}")
    return table
