"""The tables of `benchmarks.jitter`, on a terminal and in README, from what its JSON holds."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from .jitter_figures import RIGID

Json = dict[str, Any]
Columns = Sequence[tuple[str, str, str, int]]
"""Figure, kind of clip, head and digits of each column."""

VIRTUAL = (
    ("jitter", "still", "jitter, %", 3),
    ("times_quieter", "still", "times quieter", 1),
    ("settle_s", "still", "settled, s", 2),
    ("calm_s", "still", "calm, s", 2),
    ("lag_ms", "pan", "lag, ms", 1),
    ("half_ms", "step", "step 50 %, ms", 0),
    ("ninety_ms", "step", "step 90 %, ms", 0),
    ("stop_settle_s", "step", "stopped, s", 2),
    ("error", "moving", "moving error, %", 2),
    ("nmf", "moving", "NMF, %", 3),
)
GESTURES = tuple(
    (figure, kind, f"{kind} {text}", digits)
    for kind in ("blink", "mouth")
    for figure, text, digits in (
        ("kept", "kept, % of truth", 0),
        ("kept_of_raw", "kept, % of raw", 0),
        ("late_ms", "late, ms", 0),
    )
)
LAGS = tuple(("lag_ms", kind, f"{kind}, ms", 1) for kind in RIGID)


def _calm(kind: str) -> Columns:
    return tuple(
        (f"{figure}{suffix}", kind, f"{text}{of}", digits)
        for suffix, of in (("", ""), ("_without_rigid", ", rigid removed"))
        for figure, text, digits in (
            ("acceleration", "acceleration", 0),
            ("times_smoother", "times less", 1),
            ("jerk", "jerk", 0),
            ("high_frequency", "above 5 Hz, %", 4),
            ("high_frequency_share", "its share", 2),
        )
    )


CONSISTENCY = (
    ("nees", "still", "NEES, still", 2),
    ("nees", "moving", "NEES, moving", 2),
    ("nis_landmarks", "still", "NIS, still", 2),
    ("nis_landmarks", "moving", "NIS, moving", 2),
    ("nis_landmarks_inside", "all", "% of clips in band", 0),
    ("nis_head", "still", "head: NIS, still", 2),
    ("nis_head", "moving", "head: NIS, moving", 2),
    ("nis_head_inside", "all", "head: % in band", 0),
    ("innovation_correlation", "all", "lag-1 correlation", 2),
)
TABLES = {
    "Jitter and lag; lengths in % of the eye distance": VIRTUAL,
    "Lag by kind of clip": LAGS,
    "Gestures": GESTURES,
    "Calm of a still face; RMS, % of the eye distance / s^2 and / s^3": _calm("still"),
    "Calm in films": _calm("real"),
    "Consistency: 1 is right": CONSISTENCY,
}


def cell(figures: Json, figure: str, kind: str, digits: int) -> str:
    """A median as printed; a dash where it cannot be had."""
    value = figures.get(kind, {}).get(figure)
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def filled(result: Json, columns: Columns) -> list[tuple[str, ...]]:
    """A row for each method that has any of these figures."""
    rows = []
    for method, figures in result["figures"].items():
        cells = [cell(figures, figure, kind, digits) for figure, kind, _, digits in columns]
        if set(cells) != {"-"}:
            rows.append((method, *cells))
    return rows


def tables(result: Json) -> list[Table]:
    """Everything, for a terminal."""
    made = []
    for title, columns in TABLES.items():
        rows = filled(result, columns)
        known = [i for i, cells in enumerate(zip(*rows, strict=True)) if set(cells) != {"-"}]
        heads = ["method", *(text for _, _, text, _ in columns)]
        table = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0))
        for index in known:
            table.add_column(heads[index], no_wrap=not index, justify="right" if index else "left")
        for row in rows:
            table.add_row(*(row[index] for index in known))
        made += [table] if rows else []
    tracking = _tracking(result)
    return [*made, tracking] if tracking.row_count else made


def _tracking(result: Json) -> Table:
    """Films, and the clips in which not all went well."""
    heads = ("frames", "measured, %", "ids", "id changes", "lost", "found again")
    table = Table("film or clip", *heads, title="Tracking", box=SIMPLE)
    for row in result["tracking"]:
        smooth = row["seen"] == 1 and not row["id_changes"]
        if row["kind"] == "real" or not smooth:
            name = row["name"] if row["kind"] == "real" else f"{row['name']}, {row['kind']}"
            figures = (row[key] for key in ("ids", "id_changes", "lost", "reacquired"))
            cells = (row["frames"], f"{100 * row['seen']:.0f}", *figures)
            table.add_row(name, *map(str, cells))
    return table


def readme_rows(result: Json) -> list[tuple[str, ...]]:
    """Head, then a row for each method: what README shows of `benchmarks/results/jitter.json`."""
    shown = (
        ("jitter", "still", "still: jitter, %", 3),
        ("times_quieter", "still", "times quieter", 1),
        ("calm_s", "still", "calm, s", 2),
        ("settle_s", "still", "settled, s", 2),
        ("times_smoother", "still", "acceleration, times less", 1),
        ("times_smoother_without_rigid", "moving", "within a moving head", 1),
        ("times_smoother_without_rigid", "real", "in films", 1),
        ("lag_ms", "pan", "lag, ms", 1),
        ("ninety_ms", "step", "step 90 %, ms", 0),
        ("error", "moving", "moving error, %", 2),
        ("kept_of_raw", "blink", "blink kept, % of raw", 0),
        ("kept_of_raw", "mouth", "mouth kept, % of raw", 0),
    )
    return [("method", *(text for _, _, text, _ in shown)), *filled(result, shown)]
