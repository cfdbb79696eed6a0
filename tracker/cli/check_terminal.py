"""What the terminal says while a check guides somebody, and when it is done."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from ..check.check_findings import Finding
from ..check.check_guide import Guide
from ..io.sources import Source
from ..run.summary import FrameDone, RunSummary, Watch

_SIGNS = {
    "good": Text("good", "green"),
    "fair": Text("fair", "yellow"),
    "poor": Text("poor", "bold red"),
    "unknown": Text("?", "dim"),
}


def guided_watch(console: Console, guide: Guide) -> Watch:
    """Say what to do: in a line that counts down, or where nobody sees one, once for each part."""

    @contextmanager
    def watch(_: Source, summary: RunSummary) -> Iterator[FrameDone]:
        columns = (
            SpinnerColumn(), TextColumn("[bold]{task.description}"),
            TextColumn("[dim]{task.fields[status]}"),
        )  # fmt: skip
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(guide.line(0.0), total=None, status="")
            before = ""

            def frame_done(faces: int) -> None:
                nonlocal before
                line = guide.line(guide.latest_s)
                asked = line.partition(":")[0]
                if asked != before:
                    before = asked
                    if console.is_terminal:
                        console.bell()  # for who looks elsewhere
                    else:
                        console.print(line, markup=False)
                status = f"{faces} faces, {summary.ages.recent}"
                bar.update(task, description=line, status=status)

            yield frame_done

    return watch


def findings_table(name: str, findings: Sequence[Finding]) -> Table:
    """A row for each thing that was looked at, with what to do below it."""
    table = Table(title=f"check of {name}", box=SIMPLE, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for finding in findings:
        said = Text(finding.measured)
        if finding.advice:
            said.append(f"\n→ {finding.advice}", "bold" if finding.verdict == "poor" else "")
        table.add_row(_SIGNS[finding.verdict], finding.title, said)
    return table
