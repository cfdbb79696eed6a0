"""What the terminal shows of several videos, while they are tracked and when they are done."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

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

from ..io.sources import Source
from ..run.summary import FrameDone, RunSummary, SeveralSummary
from .progress import BAR_WIDTH, name_column, say_losses

_ESTIMATE_PERIOD_S = 1e9
"""The time left is estimated from all videos so far: in the last seconds hardly one ended."""


class SeveralVideos:
    """A line for all runs, and one for each; a `tracker.run.several_videos.Report`.

    Args:
        bar: As `progress_of_several` makes it.
        count: Of the videos.
    """

    def __init__(self, bar: Progress, count: int) -> None:
        self._bar = bar
        self._task = bar.add_task("all videos", total=count, status="")
        self._frames, self._started, self._counting = 0, time.perf_counter(), Lock()

    @contextmanager
    def watch(self, source: Source, _summary: RunSummary) -> Iterator[FrameDone]:
        """A line of its own as long as the run lasts; from any thread."""
        task = self._bar.add_task(source.name, total=source.frame_count, status="")
        frames, started = 0, time.perf_counter()

        def frame_done(faces: int) -> None:
            nonlocal frames
            frames += 1
            status = f"{_rate(frames, started)}  {faces} faces"
            self._bar.update(task, advance=1, status=status)
            with self._counting:
                self._frames += 1
            self._bar.update(self._task, status=_rate(self._frames, self._started))

        try:
            yield frame_done
        finally:
            self._bar.remove_task(task)

    def end(self, run: RunSummary) -> None:
        """One more video came to its end: a line for it stays above the others."""
        self._bar.advance(self._task)
        self._bar.console.print(str(run), markup=False, highlight=False)
        say_losses(run)

    def fail(self, error: str) -> None:
        """One more video ended by an error."""
        self._bar.advance(self._task)
        print(f"error: {error}", file=sys.stderr, flush=True)  # noqa: T201


def _rate(frames: int, started: float) -> str:
    return f"{frames / max(time.perf_counter() - started, 1e-9):5.1f} fps"


@contextmanager
def progress_of_several(count: int, console: Console) -> Iterator[SeveralVideos]:
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
        speed_estimate_period=_ESTIMATE_PERIOD_S,
    ) as bar:
        yield SeveralVideos(bar, count)


def table_of_several(summary: SeveralSummary) -> Table:
    """How many videos, frames and faces, and how fast."""
    table = Table(title="all videos", show_header=False)
    table.add_row("videos done", f"{summary.done} of {summary.videos}")
    table.add_row("videos failed", str(summary.failed))
    if summary.incomplete:
        table.add_row("videos cut off or much damaged", str(summary.incomplete))
    table.add_row("frames", str(summary.frames))
    table.add_row("faces, by id", str(summary.faces))
    table.add_row("frames per second", f"{summary.frames / max(summary.seconds, 1e-9):.1f}")
    return table
