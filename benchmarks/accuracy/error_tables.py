"""The tables of `benchmarks.accuracy`."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from rich.markup import escape
from rich.table import Table

from .published import Published, published
from .split_errors import PERCENTILES, SplitErrors, name_from, thresholds

SHOWN_FAILURES = 20
_RIGHT: Final = "right"


def main_table(scores: list[SplitErrors], title: str, caption: str) -> Table:
    """By the data set's own normaliser and threshold, with published lines below each split."""
    data, normaliser = scores[0].data, scores[0].normaliser
    at = f"{100 * thresholds(data.name)[0]:g}"
    table = Table(title=escape(title), caption=escape(caption))
    table.add_column("split, method", no_wrap=True)
    table.add_column("crop")
    headings = ("faces", "missed", f"NME {normaliser} %", "to STAR", f"FR {at} %", f"AUC {at} %")
    for heading in (*headings, *(f"P{percentile}" for percentile in PERCENTILES)):
        table.add_column(heading, justify=_RIGHT)
    for split, rows in groupby(scores, key=lambda row: row.split):
        for row in rows:
            table.add_row(*_main_cells(row), style="bold")
        for line in published(data.name, split, normaliser):
            table.add_row(f"  {line.method} {line.year}", *_published_cells(line), style="dim")
    return table


def _main_cells(row: SplitErrors) -> Iterator[str]:
    threshold = thresholds(row.data.name)[0]
    part = "" if len(row.samples) == row.whole else f" of {row.whole}"
    yield from (row.split, row.crop, f"{len(row.samples)}{part}", str(len(row.missed)))
    yield _percent(row.nme_percent())
    yield _difference(row.behind_star_percent)
    yield _percent(row.failures_percent(threshold))
    yield f"{row.area(threshold):.4f}"
    for percentile in PERCENTILES:
        yield _percent(row.percentile_percent(percentile))


def _published_cells(line: Published) -> Iterator[str]:
    yield from ("", "", "", _percent(line.nme_percent), "")
    yield "" if line.failures_percent is None else _percent(line.failures_percent)
    yield "" if line.area is None else f"{line.area:.3f}"


def _difference(percent: float | None) -> str:
    if percent is None:
        return ""
    rounded = round(percent, 2)
    if rounded == 0:
        return "equal"
    return f"[red]{rounded:+.2f} worse[/]" if rounded > 0 else f"[green]{rounded:+.2f} better[/]"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def other_table(scores: list[SplitErrors]) -> Table:
    """By the other normalisers, and failures and area at the other thresholds."""
    data = scores[0].data
    others = list(scores[0].errors)[1:]
    at = thresholds(data.name)[1:]
    table = Table("split, method", "crop", title="other normalisers and thresholds")
    for name in others:
        table.add_column(f"NME {name} %", justify=_RIGHT)
    for threshold in at:
        table.add_column(f"FR {100 * threshold:g} %", justify=_RIGHT)
        table.add_column(f"AUC {100 * threshold:g} %", justify=_RIGHT)
    for split, rows in groupby(scores, key=lambda row: row.split):
        for row in rows:
            errors = (_percent(row.nme_percent(name)) for name in others)
            curve = (
                cell
                for t in at
                for cell in (_percent(row.failures_percent(t)), f"{row.area(t):.4f}")
            )
            table.add_row(split, row.crop, *errors, *curve, style="bold")
        for name in others:
            for line in published(data.name, split, name):
                cells = [_percent(line.nme_percent) if name == other else "" for other in others]
                table.add_row(f"  {line.method} {line.year}", "", *cells, style="dim")
    return table


def robustness_table(
    exact: list[SplitErrors], disturbed: dict[str, list[list[SplitErrors]]]
) -> Table:
    """Mean error over disturbed crops, and its rise over that in the exact crop."""
    table = Table("split", title="NME % in disturbed crops, and its rise over the exact crop")
    for name in ("exact", *disturbed):
        table.add_column(name, justify=_RIGHT)
    for index, row in enumerate(exact):
        cells = [_percent(row.nme_percent())]
        for views in disturbed.values():
            mean, rise = mean_and_rise(row, [view[index] for view in views])
            cells.append("-" if mean is None or rise is None else f"{mean:.2f}  {rise:+.1f} %")
        table.add_row(row.split, *cells)
    return table


def mean_and_rise(
    exact: SplitErrors, views: list[SplitErrors]
) -> tuple[float | None, float | None]:
    """Mean error in per cent over the disturbed crops of one split, and its rise in per cent."""
    errors = [view.nme_percent() for view in views]
    known = [error for error in errors if error is not None]
    reference = exact.nme_percent()
    if len(known) < len(errors) or not reference:
        return None, None
    mean = sum(known) / len(known)
    return mean, 100 * (mean / reference - 1)


def failure_lines(row: SplitErrors, root: Path) -> Iterator[str]:
    """Missed faces and those beyond the threshold, the worst first and not all of many."""
    for sample in row.missed[:SHOWN_FAILURES]:
        yield f"{row.split}, {row.crop}: missed {name_from(sample, root)}"
    if len(row.missed) > SHOWN_FAILURES:
        yield f"{row.split}, {row.crop}: and {len(row.missed) - SHOWN_FAILURES} more missed"
    beyond = f"over {100 * thresholds(row.data.name)[0]:g} %"
    for sample, error in row.failed[:SHOWN_FAILURES]:
        yield f"{row.split}, {row.crop}: {100 * error:.2f} % {name_from(sample, root)}"
    if len(row.failed) > SHOWN_FAILURES:
        yield f"{row.split}, {row.crop}: and {len(row.failed) - SHOWN_FAILURES} more {beyond}"
