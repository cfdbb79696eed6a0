"""What a run shows in the terminal: progress, live status, closing tables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
from rich.table import Table

from .demo import DemoReport
from .pipeline import Tally
from .sources import Source

Advance = Callable[[int, float], None]
"""Call after each frame with the number of faces in it and the seconds since the start."""


@dataclass(slots=True)
class RunSummary:
    """How a run went."""

    name: str
    """Of the source."""
    tally: Tally
    seconds: float = 0.0
    """Wall time from the first frame to the last."""
    output_seconds: float = 0.0
    """Of these, spent in the sinks."""
    interrupted: bool = False

    @property
    def frames_per_second(self) -> float:
        return self.tally.frames / max(self.seconds, 1e-9)

    @property
    def milliseconds(self) -> dict[str, float]:
        """Per frame, by stage."""
        stages = {**self.tally.seconds, "output": self.output_seconds}
        stages["read"] = max(self.seconds - sum(stages.values()), 0.0)
        return {name: 1000 * spent / max(self.tally.frames, 1) for name, spent in stages.items()}


@contextmanager
def progress(source: Source, console: Console) -> Iterator[Advance]:
    """A bar with fps and time left for files, a status line for cameras."""
    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}")]
    if source.frame_count is not None:
        columns += [BarColumn(), MofNCompleteColumn()]
    columns.append(TextColumn("{task.fields[fps]:5.1f} fps  {task.fields[faces]} faces"))
    columns.append(TimeRemainingColumn() if source.frame_count else TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(source.name, total=source.frame_count, fps=0.0, faces=0)
        frames = 0

        def advance(faces: int, seconds: float) -> None:
            nonlocal frames
            frames += 1
            bar.update(task, advance=1, faces=faces, fps=frames / max(seconds, 1e-9))

        yield advance


def closing_table(summary: RunSummary) -> Table:
    """Frames, faces, speed, where the time went, what was lost."""
    tally = summary.tally
    table = Table(title=summary.name, show_header=False)
    table.add_row("frames", str(tally.frames))
    table.add_row("faces, by id", str(tally.ids))
    table.add_row("faces, over all frames", str(tally.faces))
    table.add_row("frames per second", f"{summary.frames_per_second:.1f}")
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
