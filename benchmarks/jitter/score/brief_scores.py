"""What is kept of scores in the repository, and its table in README."""

from ...harness import Json, markdown_table
from ..figure_definitions import BY_KEY
from ..page.score_page import LAGS_MS, least_jitter

README_FIGURES = ("jitter", "settling_ms", "lag_ms", "step_90_ms", "moving_error", "turned_error",
                  "blink_kept", "mouth_kept", "nmf", "found")  # fmt: skip


def brief(result: Json) -> Json:
    """Figures with their intervals and the least jitter at equal lag; no clips, no curves.

    Args:
        result: As `score --json` writes it.
    """
    kit = result["kit"]
    return {
        "kit": kit | {"people": len(kit["people"])},
        "command": result["command"],
        "machine": result["machine"],
        "methods": result["methods"],
        "equal_lag": {
            name: {f"{lag:g}": least_jitter(points, lag) for lag in LAGS_MS}
            for name, points in result["curves"]["filters"].items()
        },
    }


def readme_table(stored: Json) -> list[str]:
    """Each figure with its interval below it, in Markdown."""
    known = [
        key
        for key in README_FIGURES
        if any(key in figures for figures in stored["methods"].values())
    ]
    headings = ["tracks", *(f"{BY_KEY[key].title}, {BY_KEY[key].unit}" for key in known)]
    rows = [
        [name, *(_cell(figures.get(key), BY_KEY[key].digits) for key in known)]
        for name, figures in stored["methods"].items()
    ]
    return markdown_table(headings, rows)


def _cell(found: Json | None, digits: int) -> str:
    if found is None:
        return "-"
    value = f"{found['value'] + 0.0:.{digits}f}"
    if found["low"] is None:
        return value
    return f"{value} ({found['low'] + 0.0:.{digits}f} to {found['high'] + 0.0:.{digits}f})"
