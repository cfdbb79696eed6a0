"""What a run shows in the terminal, and Ctrl-C: progress, live status, closing tables."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from threading import Event
from types import FrameType
from typing import NamedTuple

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table

from .demo import DemoReport
from .latency import Latency
from .pipeline import Tally
from .sources import Source

Advance = Callable[[int], None]
"""Call after each frame with the number of faces in it."""
_NAME_WIDTH, BAR_WIDTH = 14, 8
"""The whole line fits into 80 columns."""


@dataclass(slots=True)
class RunSummary:
    """How a run went."""

    name: str
    """Of the source."""
    tally: Tally
    seconds: float = 0.0
    """Wall time from the first frame to the last."""
    read_seconds: float = 0.0
    """Spent in the source, beside the tracking."""
    output_seconds: float = 0.0
    """Spent in the sinks, beside the tracking."""
    latency: Latency = field(default_factory=Latency)
    dropped: int | None = None
    """Frames of a camera that came too fast; None where all are waited for."""
    interrupted: bool = False

    @property
    def frames_per_second(self) -> float:
        return self.tally.frames / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        ended = f"interrupted after {self.tally.frames}" if self.interrupted else self.tally.frames
        rate, faces = f"{self.frames_per_second:.1f} fps", f"faces by id: {self.tally.ids}"
        return f"{self.name}: {ended} frames, {rate}, {faces}"

    @property
    def milliseconds(self) -> dict[str, float]:
        """Per frame, by stage; reading and output overlap with the rest."""
        stages = {
            **self.tally.seconds, "output": self.output_seconds, "read": self.read_seconds
        }  # fmt: skip
        return {name: 1000 * spent / max(self.tally.frames, 1) for name, spent in stages.items()}


class Watched(NamedTuple):
    """What a run tells whoever watches it, and is told."""

    advance: Advance
    interrupted: Event
    """Set where the run shall end after the frame it has, and write what is tracked."""
    abandoned: Event
    """Set where it shall not even write that."""


Watch = Callable[[Source, RunSummary], AbstractContextManager[Watched]]
"""Opened around a run."""


def alone(console: Console) -> Watch:
    """How a run is watched that has the terminal for itself."""

    @contextmanager
    def watch(source: Source, summary: RunSummary) -> Iterator[Watched]:
        with progress(source, summary, console) as advance, interruption() as interrupted:
            yield Watched(advance, interrupted, Event())  # who insists ends this very thread

    return watch


@contextmanager
def interruption() -> Iterator[Event]:
    """An event that Ctrl-C sets, so that a run ends between frames.

    A second Ctrl-C is a KeyboardInterrupt as usual; other threads still finish their frame.
    """
    interrupted = Event()

    def handle(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress(source: Source, summary: RunSummary, console: Console) -> Iterator[Advance]:
    """A bar with fps, latency and time left for files, a status line for cameras."""
    columns: list[ProgressColumn] = [SpinnerColumn(), name_column()]
    if source.frame_count is not None:
        columns += [BarColumn(BAR_WIDTH), MofNCompleteColumn()]
    columns.append(TextColumn("{task.fields[fps]:5.1f} fps  {task.fields[faces]} faces"))
    columns.append(TextColumn("{task.fields[latency]}"))
    columns.append(TimeRemainingColumn() if source.frame_count else TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(source.name, total=source.frame_count, fps=0.0, faces=0, latency="")
        frames, started = 0, time.perf_counter()

        def advance(faces: int) -> None:
            nonlocal frames
            frames += 1
            fps = frames / max(time.perf_counter() - started, 1e-9)
            latency = str(summary.latency.recent)
            if summary.dropped is not None:
                latency += f"  {summary.dropped} dropped"
            bar.update(task, advance=1, faces=faces, fps=fps, latency=latency)

        yield advance


def name_column() -> TextColumn:
    """The source's, cut off where it is long; brackets in it mean nothing."""
    column = Column(max_width=_NAME_WIDTH, no_wrap=True, overflow="ellipsis")
    return TextColumn("{task.description}", markup=False, table_column=column)


def closing_table(summary: RunSummary) -> Table:
    """Frames, faces, speed, where the time went, what was lost."""
    tally = summary.tally
    table = Table(title=summary.name, show_header=False)
    table.add_row("frames", str(tally.frames))
    table.add_row("faces, by id", str(tally.ids))
    table.add_row("faces, over all frames", str(tally.faces))
    table.add_row("frames per second", f"{summary.frames_per_second:.1f}")
    if summary.latency:
        table.add_row("frame to result, median / 95 %", str(summary.latency.overall))
    if summary.dropped is not None:
        table.add_row("frames dropped to stay live", str(summary.dropped))
    table.add_row("lost / re-acquired", f"{tally.lost} / {tally.reacquired}")
    table.add_row("detector runs", str(tally.detections))
    for stage, spent in summary.milliseconds.items():
        table.add_row(f"{stage}, ms per frame", f"{spent:.1f}")
    return table


def demo_table(report: DemoReport | None) -> Table | str:
    """What the filter took out of the demo clip."""
    if report is None:
        return "the face was not seen in every frame: nothing to compare"
    table = Table("", "raw", "filtered", title="still portrait, then a moving one")
    table.add_row(
        "jitter while still, % of eye distance",
        f"{report.raw_jitter_percent:.3f}",
        f"{report.filtered_jitter_percent:.3f}  ({report.times_quieter:.1f}x less)",
    )
    table.add_row(
        "lag while moving, frames",
        f"{report.raw_lag_frames:.2f}",
        f"{report.filtered_lag_frames:.2f}",
    )
    return table
