"""One self-contained page with the pictures and tables of `benchmarks.jitter`."""

import html
from collections.abc import Sequence
from io import StringIO
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..harness import Json
from .figure_tables import TABLES, filled
from .methods import DEFAULT
from .plots import draw_all
from .recordings import Recording

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; white-space: nowrap; }
tr.default td { background: #eef4ff; font-weight: 600; }
svg { max-width: 100%; height: auto; } p.note { color: #555; max-width: 60rem; }
"""
_METADATA = ("Creator", "Date", "Format", "Type")


def page(result: Json, clips: Sequence[Recording], settings: dict[str, Any]) -> str:
    """The whole document."""
    parts = [_heading(result)]
    for title, note, figure in draw_all(result, clips, settings):
        parts.append(f"<h2>{html.escape(title)}</h2>")
        parts.append(f'<p class="note">{html.escape(note)}</p>')
        parts.append(as_svg(figure))
    for title, columns in TABLES.items():
        parts.append(f"<h2>{html.escape(title)}</h2>")
        parts.append(_table(*filled(result, columns)))
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Jitter and lag</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def as_svg(figure: Figure) -> str:
    """The drawing as an element of a page."""
    stream = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "jitter"}):
        figure.savefig(stream, format="svg", metadata=dict.fromkeys(_METADATA))
    text = stream.getvalue()
    return text[text.index("<svg") :]


def sentences(result: Json) -> list[str]:
    """What was measured on, the comparisons, and what was left out."""
    lines = [
        f"{result['clips']} clips of {result['faces']} faces that were never trained on, "
        f"{result['videos']} videos without a known truth.",
        *(f"{each['sentence']}." for each in result["comparisons"].values()),
        f"Machine: {result['machine']}.",
    ]
    if result["lost"]:
        lines.append(f"Left out, not followed: {', '.join(result['lost'])}.")
    return [f"{line[0].upper()}{line[1:]}" for line in lines]


def _heading(result: Json) -> str:
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in sentences(result))
    return f"<h1>Jitter and lag of landmark filters</h1>{lines}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in headings)
    lines = []
    for row in rows:
        mark = ' class="default"' if row[0] == DEFAULT else ""
        cells = "".join(f"<td>{html.escape(text)}</td>" for text in row)
        lines.append(f"<tr{mark}>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
