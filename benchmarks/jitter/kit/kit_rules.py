"""The page of rules: all that somebody must know to score a tracker, in Markdown and HTML."""

import html
from collections.abc import Sequence
from pathlib import Path

from ...harness import Json, markdown_table
from ..figure_definitions import ALL_KINDS, FIGURES
from .kit_kinds import KIT_KINDS


def rules_markdown(description: Json) -> str:
    """The rules of a kit that `kit.json` describes."""
    width, height = description["frame_size"]
    template = (Path(__file__).parent / "rules_template.md").read_text("utf-8")
    return template.format(
        version=description["version"],
        size=description["size"],
        seed=description["seed"],
        clips=len(description["clips"]),
        people=len(description["people"]),
        heads=f", {count} of rendered heads" if (count := description["heads"]) else "",
        width=width,
        height=height,
        figure_table="\n".join(_figure_table()),
        kind_table="\n".join(_kind_table(description["clips"])),
        sources="\n".join(f"- {p['name']}: {p['source']}" for p in description["people"]),
    )


def _figure_table() -> list[str]:
    rows = [
        (
            f.title,
            f.unit,
            f.definition,
            f.reason,
            "all" if len(f.kinds) > 15 else ", ".join(f.kinds),
        )
        for f in FIGURES
    ]
    return markdown_table(("figure", "unit", "definition", "why", "clips"), rows, text=5)


def _named(kinds: Sequence[str]) -> str:
    return "all" if kinds == ALL_KINDS else ", ".join(kinds)


def _kind_table(clips: Sequence[Json]) -> list[str]:
    counts = {kind: sum(clip["kind"] == kind for clip in clips) for kind in KIT_KINDS}
    rows = [(kind, str(n), KIT_KINDS[kind].about) for kind, n in counts.items() if n]
    return markdown_table(("kind", "clips", "what happens"), rows, text=3)


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;font-size:.85rem}.wide{overflow-x:auto}code{background:#f3f3f3}"
    ".wide table{min-width:52rem}"
    "td,th{border-top:1px solid #ccc;padding:.35rem .5rem;text-align:left;vertical-align:top}"
    "pre{background:#f3f3f3;padding:.7rem;overflow-x:auto}"
)


def rules_html(markdown: str) -> str:
    """The same as a page of its own; it knows the Markdown that `rules_markdown` writes."""
    body, title = [_block(block) for block in markdown.split("\n\n")], markdown.split("\n", 1)[0]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title.lstrip('# '))}</title><style>{_STYLE}</style>"
        + "\n".join(body)
        + "</html>\n"
    )


def _block(block: str) -> str:
    lines = block.split("\n")
    if block.startswith("#"):
        level = len(block) - len(block.lstrip("#"))
        return f"<h{level}>{_inline(block.lstrip('# '))}</h{level}>"
    if block.startswith("    "):
        return f"<pre>{html.escape(chr(10).join(line[4:] for line in lines))}</pre>"
    if block.startswith("- "):
        return "<ul>" + "".join(f"<li>{_inline(line[2:])}</li>" for line in lines if line) + "</ul>"
    if block.startswith("| "):
        rows = [_row(line, "th" if not n else "td") for n, line in enumerate(lines) if n != 1]
        return '<div class="wide"><table>' + "".join(rows) + "</table></div>"
    return f"<p>{_inline(' '.join(lines))}</p>"


def _row(line: str, cell: str) -> str:
    cells = line.strip("| ").split(" | ")
    return "<tr>" + "".join(f"<{cell}>{_inline(text)}</{cell}>" for text in cells) + "</tr>"


def _inline(text: str) -> str:
    """Code between back quotes."""
    parts = html.escape(text, quote=False).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
