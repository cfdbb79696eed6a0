"""One page with the pictures of `benchmarks.jitter`; everything is inside it."""

import html
from collections.abc import Sequence
from io import StringIO
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from .jitter_plots import drawn
from .jitter_tables import TABLES, filled
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
_SAID_BY_MATPLOTLIB = ("Creator", "Date", "Format", "Type")


def page(result: dict[str, Any], clips: Sequence[Recording], knobs: dict[str, Any]) -> str:
    """The whole document."""
    parts = [_heading(result)]
    for title, note, figure in drawn(result, clips, knobs):
        parts.append(f"<h2>{html.escape(title)}</h2>")
        parts.append(f'<p class="note">{html.escape(note)}</p>')
        parts.append(as_svg(figure))
    for title, columns in TABLES.items():
        heads = ["method", *(text for _, _, text, _ in columns)]
        parts.append(f"<h2>{html.escape(title)}</h2>")
        parts.append(_table(heads, filled(result, columns)))
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
        figure.savefig(stream, format="svg", metadata=dict.fromkeys(_SAID_BY_MATPLOTLIB))
    text = stream.getvalue()
    return text[text.index("<svg") :]


def _heading(result: dict[str, Any]) -> str:
    lines = [
        f"{result['clips']} clips of {result['faces']} faces that were never trained on, "
        f"{sum(row['kind'] == 'real' for row in result['tracking'])} films.",
        *(f"{verdict[0].upper()}{verdict[1:]}." for verdict in result["verdicts"]),
        f"Machine: {result['machine']}.",
    ]
    if result["missed"]:
        lines.append(f"Left out, not followed: {', '.join(result['missed'])}.")
    told = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f"<h1>Jitter and lag of landmark filters</h1>{told}"


def _table(heads: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    lines = []
    for row in rows:
        mark = ' class="default"' if row[0] == "default" else ""
        cells = "".join(f"<td>{html.escape(text)}</td>" for text in row)
        lines.append(f"<tr{mark}>{cells}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
