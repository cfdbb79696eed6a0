"""What the terminal shows of one run: progress while it lasts, a table when it is over."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

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

from ..io.chosen_camera import ChosenCamera
from ..io.sources import Source
from ..run.summary import FrameDone, RunSummary, Watch
from .demo import DemoReport

_NAME_WIDTH, BAR_WIDTH = 14, 8
"""The whole line fits into 80 columns."""


def watch_on(console: Console) -> Watch:
    """How a run is watched that has the terminal for itself."""

    @contextmanager
    def watch(source: Source, summary: RunSummary) -> Iterator[FrameDone]:
        with progress(source, summary, console) as frame_done:
            yield frame_done

    return watch


@contextmanager
def progress(source: Source, summary: RunSummary, console: Console) -> Iterator[FrameDone]:
    """A bar with fps, age of results and time left for files, a status line for cameras."""
    columns: list[ProgressColumn] = [SpinnerColumn(), name_column()]
    if source.frame_count is not None:
        columns += [BarColumn(BAR_WIDTH), MofNCompleteColumn()]
    columns.append(TextColumn("{task.fields[fps]:5.1f} fps  {task.fields[faces]} faces"))
    columns.append(TextColumn("{task.fields[age]}"))
    columns.append(TimeRemainingColumn() if source.frame_count else TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(source.name, total=source.frame_count, fps=0.0, faces=0, age="")
        frames, started = 0, time.perf_counter()

        def frame_done(faces: int) -> None:
            nonlocal frames
            frames += 1
            fps = frames / max(time.perf_counter() - started, 1e-9)
            age = _age(summary)
            if summary.dropped is not None:
                age += f"  {summary.dropped} dropped"
            if isinstance(source, ChosenCamera) and str(source.health):
                age += f"  {source.health}"
            bar.update(task, advance=1, faces=faces, fps=fps, age=age)

        yield frame_done


def _age(summary: RunSummary) -> str:
    """Of the latest results; where they are sent, of the packets of the slowest stream."""
    packets = [ages.recent for ages in summary.packets.values() if ages]
    if not packets:
        return str(summary.ages.recent)
    return f"packet {max(packets, key=lambda recent: recent.p95_ms)}"


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
    if summary.ages:
        table.add_row("frame to result, median / 95 %", str(summary.ages.overall))
    for stream, ages in summary.packets.items():
        if ages:
            table.add_row(f"frame to packet, {stream}, median / 95 %", str(ages.overall))
    if summary.dropped is not None:
        table.add_row("frames dropped to stay live", str(summary.dropped))
    table.add_row("lost / re-acquired", f"{tally.lost} / {tally.reacquired}")
    if tally.cuts:
        table.add_row("film cuts", str(tally.cuts))
    if tally.left_out:
        table.add_row("faces beyond --max-faces in a frame", f"up to {tally.left_out}, left out")
    table.add_row("detector runs", str(tally.detections))
    for stage, spent in summary.milliseconds.items():
        table.add_row(f"{stage}, ms per frame", f"{spent:.1f}")
    return table


def say_losses(summary: RunSummary) -> None:
    """One line on standard error, where a part of the source could not be read."""
    if str(summary.losses):
        print(f"warning: {summary.name}: {summary.losses}", file=sys.stderr, flush=True)  # noqa: T201


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
