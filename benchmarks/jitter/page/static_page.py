"""The frame of a page: its style, its few lines of script, and tables that sort by a click."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class PageCell:
    """What stands in a table, and the number by which it sorts."""

    text: str
    order: float | str | None = None
    note: str = ""
    """Smaller, below."""
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class PageColumn:
    """A heading with what it means."""

    title: str
    unit: str = ""
    about: str = ""


def page(title: str, sections: Sequence[str]) -> str:
    """A whole HTML document that needs nothing else."""
    style, script = ((_HERE / name).read_text("utf-8") for name in ("page.css", "page.js"))
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style}</style>\n"
        f"<main>\n<h1>{html.escape(title)}</h1>\n" + "\n".join(sections) + "\n</main>\n"
        f"<script>\n{script}</script>\n</html>\n"
    )


def section(heading: str, *parts: str) -> str:
    """A part of the page with its heading."""
    return f"<section><h2>{html.escape(heading)}</h2>\n" + "\n".join(parts) + "</section>"


def paragraph(text: str, kind: str = "") -> str:
    """Text; `kind` is a class of the style."""
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{html.escape(text)}</p>"


def table(columns: Sequence[PageColumn], rows: Sequence[Sequence[PageCell]]) -> str:
    """A table that sorts by a click on a heading; the first column stays in view."""
    head = "".join(
        f'<th scope="col"><button title="{html.escape(column.about)}">{html.escape(column.title)}'
        f"<small>{html.escape(column.unit)}</small></button></th>"
        for column in columns
    )
    body = "".join(
        "<tr>" + "".join(_cell(cell, not place) for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    rows_of_table = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="wide"><table>{rows_of_table}</table></div>'


def _cell(cell: PageCell, first: bool) -> str:
    order = "" if cell.order is None else f' data-order="{html.escape(str(cell.order))}"'
    note = f"<small>{html.escape(cell.note)}</small>" if cell.note else ""
    name = 'th scope="row"' if first else "td"
    order += ' class="best"' if cell.is_best else ""
    return f"<{name}{order}>{html.escape(cell.text)}{note}</{name[:2]}>"
