"""The tables of `benchmarks.jitter`, on a terminal and in README, from the figures of its JSON."""

from collections.abc import Sequence

from rich.table import Table

from ..harness import Json, rich_table
from .figures import RIGID

Columns = Sequence[tuple[str, str, str, int]]
"""Figure, kind of clip, heading and digits of each column."""

README_COLUMNS = (
    ("jitter", "still", "jitter, median over still clips, %", 3),
    ("jitter_reduction", "still", "jitter reduced, factor", 1),
    ("jitter_settling_s", "still", "jitter settles, s", 2),
    ("error_settling_s", "still", "error settles, s", 2),
    ("acceleration_reduction", "still", "acceleration reduced, still, factor", 1),
    ("acceleration_without_rigid_reduction", "moving", "moving, rigid motion removed, factor", 1),
    ("acceleration_without_rigid_reduction", "real", "videos, rigid motion removed, factor", 1),
    ("lag_ms", "pan", "lag, ms", 1),
    ("step_90_ms", "step", "step to 90 %, ms", 0),
    ("error", "moving", "error in motion, %", 2),
    ("amplitude_of_raw", "blink", "blink amplitude, % of raw", 0),
    ("amplitude_of_raw", "mouth", "mouth amplitude, % of raw", 0),
)
TABLES: dict[str, Columns] = {
    "Still faces; medians over the clips, lengths in % of the eye distance": README_COLUMNS[:5],
    "Faces in motion": README_COLUMNS[5:],
    "Lag by kind of clip": tuple(("lag_ms", kind, f"{kind}, ms", 1) for kind in RIGID),
    "Consistency of covariances: 1 is right": (
        ("nees", "still", "NEES, still", 2),
        ("nees", "moving", "NEES, moving", 2),
        ("nis_landmarks", "still", "NIS, still", 2),
        ("nis_landmarks", "moving", "NIS, moving", 2),
        ("nis_landmarks_inside", "all", "% of clips in the 95 % band", 0),
        ("nis_head", "still", "head: NIS, still", 2),
        ("nis_head", "moving", "head: NIS, moving", 2),
        ("nis_head_inside", "all", "head: % in band", 0),
    ),
}


def filled(result: Json, columns: Columns) -> tuple[list[str], list[list[str]]]:
    """Headings, and a row for each method with any of these figures; a dash stands for none."""
    rows = []
    for method, figures in result["figures"].items():
        cells = [_cell(figures, figure, kind, digits) for figure, kind, _, digits in columns]
        if set(cells) != {"-"}:
            rows.append([method, *cells])
    return ["method", *(heading for _, _, heading, _ in columns)], rows


def _cell(figures: Json, figure: str, kind: str, digits: int) -> str:
    value = figures.get(kind, {}).get(figure)
    return "-" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def tables(result: Json) -> list[Table]:
    """Everything, for a terminal; columns and tables without a figure are left out."""
    made = []
    for title, columns in TABLES.items():
        headings, rows = filled(result, columns)
        known = [i for i, cells in enumerate(zip(*rows, strict=True)) if set(cells) != {"-"}]
        if rows:
            shown = [[row[index] for index in known] for row in rows]
            made.append(rich_table([headings[index] for index in known], shown, title=title))
    return made


def sentences(result: Json) -> list[str]:
    """The recordings and the machine."""
    lines = [
        f"{result['clips']} clips of {result['faces']} faces that were never trained on, "
        f"{result['videos']} videos without a known truth.",
        f"Machine: {result['machine']}.",
    ]
    lost = [f"Left out, not followed: {', '.join(result['lost'])}."] if result["lost"] else []
    return lines + lost


def for_storage(result: Json) -> Json:
    """The result with those figures alone that a table prints."""
    wanted = {(kind, figure) for table in TABLES.values() for figure, kind, _, _ in table}
    figures = {
        method: {
            kind: kept
            for kind, of_kind in by_kind.items()
            if (kept := {name: v for name, v in of_kind.items() if (kind, name) in wanted})
        }
        for method, by_kind in result["figures"].items()
    }
    return result | {"figures": figures}
