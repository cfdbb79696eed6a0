"""What the terminal shows of several videos, while they are tracked and when they are done."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..io.sources import Source
from ..run.several_videos import Report
from ..run.summary import FrameDone, RunSummary, SeveralSummary
from .progress import BAR_WIDTH, name_column, say_losses

_ESTIMATE_PERIOD_S = 1e9
"""The time left is estimated from all that was done so far; few videos end within seconds."""


class SeveralVideos:
    """A line for all runs, and one for each; a `tracker.run.several_videos.Report`.

    What is left is reckoned by the sizes of the files.

    Args:
        bar: As `progress_of_several` makes it.
        videos: All of them.
        also: Is told, too, how each video ended.
    """

    def __init__(self, bar: Progress, videos: Sequence[Path], also: Report | None = None) -> None:
        self._bar, self._also = bar, also
        self._sizes = {video.name: _size(video) for video in videos}
        self._task = bar.add_task("all videos", total=sum(self._sizes.values()), status="")
        self._frames, self._started, self._counting = 0, time.perf_counter(), Lock()
        self._ended = self._failed = 0
        self._advanced: dict[str, float] = {}

    @contextmanager
    def watch(self, source: Source, _summary: RunSummary) -> Iterator[FrameDone]:
        """A line of its own as long as the run lasts; from any thread."""
        task = self._bar.add_task(source.name, total=source.frame_count, status="")
        frames, started = 0, time.perf_counter()
        a_frame = self._sizes.get(source.name, 0.0) / (source.frame_count or float("inf"))

        def frame_done(faces: int) -> None:
            nonlocal frames
            frames += 1
            seen = f"{frames}/{source.frame_count or '?'}"
            status = f"{seen}  {_rate(frames, started)}  {faces} faces"
            self._bar.update(task, advance=1, status=status)
            with self._counting:
                self._frames += 1
                self._advance(source.name, a_frame)

        try:
            yield frame_done
        finally:
            self._bar.remove_task(task)

    def _advance(self, name: str, size: float) -> None:
        """Count part of a file as done, never more than there is of it."""
        before = self._advanced.get(name, 0.0)
        self._advanced[name] = min(before + size, self._sizes.get(name, 0.0))
        status = f"{self._standing}  {_rate(self._frames, self._started)}"
        self._bar.update(self._task, advance=self._advanced[name] - before, status=status)

    @property
    def _standing(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{self._ended}/{len(self._sizes)}{failed}"

    def end(self, video: Path, run: RunSummary) -> None:
        """One more video came to its end: a line for it stays above the others."""
        self._ended += 1
        with self._counting:
            self._advance(video.name, float("inf"))
        told = str(run) if self._bar.console.is_terminal else f"{run} ({self._told_left()})"
        self._bar.console.print(told, markup=False, highlight=False)
        say_losses(run)
        if self._also:
            self._also.end(video, run)

    def fail(self, video: Path, error: str) -> None:
        """One more video ended by an error."""
        self._ended, self._failed = self._ended + 1, self._failed + 1
        with self._counting:
            self._advance(video.name, float("inf"))
        print(f"error: {error}", file=sys.stderr, flush=True)  # noqa: T201
        if self._also:
            self._also.fail(video, error)

    def _told_left(self) -> str:
        """How many videos ended, and the time left, where no bar shows it."""
        done, total = sum(self._advanced.values()), sum(self._sizes.values())
        left_s = (time.perf_counter() - self._started) * (total / done - 1)
        minutes, seconds = divmod(round(left_s), 60)
        return f"{self._standing}, {minutes}:{seconds:02d} left"


def _size(video: Path) -> float:
    """Bytes; 1 of what is empty or gone."""
    return float(max(video.stat().st_size, 1)) if video.exists() else 1.0


def _rate(frames: int, started: float) -> str:
    return f"{frames / max(time.perf_counter() - started, 1e-9):5.1f} fps"


@contextmanager
def progress_of_several(
    videos: Sequence[Path], console: Console, also: Report | None = None
) -> Iterator[SeveralVideos]:
    """Bars with fps and time left; errors that are printed meanwhile stay above them."""
    columns = [
        SpinnerColumn(), name_column(), BarColumn(BAR_WIDTH), TextColumn("{task.fields[status]}"),
        TimeRemainingColumn(),
    ]  # fmt: skip
    with Progress(
        *columns,
        console=console,
        transient=True,
        redirect_stderr=sys.stderr.isatty(),  # else errors would not reach the file they go to
        speed_estimate_period=_ESTIMATE_PERIOD_S,
    ) as bar:
        yield SeveralVideos(bar, videos, also)


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
