"""A page of all figures that are stored in `benchmarks/results/`, whatever their form."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .harness import RESULTS, Json
from .jitter.page.static_page import PageCell, PageColumn, page, paragraph, section, table

_ABOUT = {
    "ablation": ("What the STAR loss helps at small scale", "studies ablation"),
    "accuracy": ("Accuracy on held-out faces", "accuracy"),
    "analysis": ("Head pose, eyes and expression", "analysis"),
    "architectures": ("Other widths, stems, blocks and sizes", "studies architectures"),
    "calibration": ("Whether covariances hold", "calibration"),
    "detection": ("Face detectors", "detection"),
    "extras": ("What helped when training went on", "studies extras"),
    "identity": ("Ids: one person, one id", "identity"),
    "jitter": ("Our filter and others on research photographs", "jitter"),
    "latency": ("Speed", "latency"),
    "real_films": ("Virtual clips and real films: rank correlations", "jitter real"),
    "soak": ("Hours, kills, full disks, spoilt files", "soak"),
    "stability": ("The stability kit: trackers and filters", "jitter score"),
    "stability_kit": ("The smallest kit, by which CI watches us", "jitter.smallest_kit"),
    "still_portrait": ("One still portrait", "jitter.still_portrait"),
}
"""By file: a title, and the benchmark that writes it."""
_HOW = ("recipe", "options", "settings")
"""How something was made, at length: it stays in the file."""
_MOST_ROWS = 60
Scalar = str | int | float | bool | None


def stored_page(folder: Path = RESULTS) -> str:
    """Everything in one HTML document that needs nothing else."""
    sections = []
    for path in sorted(folder.glob("*.json")):
        title, command = _ABOUT.get(path.stem, (path.stem.replace("_", " "), ""))
        parts = [f"<p><code>python -m benchmarks.{command}</code></p>"] if command else []
        stored = json.loads(path.read_text(encoding="utf-8"))
        for heading, shown in _tables(stored if isinstance(stored, dict) else {"": stored}):
            parts += [f"<h3>{heading}</h3>" if heading else "", shown]
        sections.append(section(title, *parts))
    about = "All figures that the repository stores, as the benchmarks wrote them."
    return page("Stored figures", [paragraph(about), *sections])


def _tables(value: Json, heading: str = "") -> Iterator[tuple[str, str]]:
    """Facts first, then a table for each list or mapping of rows, then what lies deeper."""
    facts = {key: each for key, each in value.items() if _is_scalar(each)}
    if facts:
        rows = [[PageCell(str(key), str(key)), _cell(each)] for key, each in facts.items()]
        yield heading, table([PageColumn("of"), PageColumn("value")], rows)
    for key, each in value.items():
        if key in _HOW:
            continue
        name = f"{heading}: {key}" if heading and key else str(key or heading)
        if _is_scalar(each) or not each:
            continue
        rows_of = _rows(each)
        if rows_of is not None:
            yield name, _grid(rows_of)
        elif isinstance(each, Mapping):
            yield from _tables(dict(each), name)


def _rows(value: Any) -> dict[str, dict[str, Scalar]] | None:
    """Rows of scalars by name, where the value is a table; what lies deeper is joined by a dot."""
    if isinstance(value, Mapping) and all(isinstance(v, Mapping) for v in value.values()):
        named = {str(name): _flat(dict(row)) for name, row in value.items()}
    elif isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        named = {str(number): _flat(dict(row)) for number, row in enumerate(value, 1)}
    else:
        return None
    return named if len({key for row in named.values() for key in row}) <= _MOST_ROWS else None


def _flat(row: Json, before: str = "") -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for key, value in row.items():
        name = f"{before}{key}"
        if _is_scalar(value):
            found[name] = value
        elif isinstance(value, Mapping):
            found |= _flat(dict(value), f"{name}, ")
    return found


def _grid(rows_of: dict[str, dict[str, Scalar]]) -> str:
    columns = list(dict.fromkeys(key for row in rows_of.values() for key in row))
    rows = [
        [PageCell(name, name), *(_cell(row.get(column)) for column in columns)]
        for name, row in rows_of.items()
    ]
    return table([PageColumn(""), *(PageColumn(column) for column in columns)], rows)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _cell(value: Scalar) -> PageCell:
    if value is None:
        return PageCell("-")
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    return PageCell(text, value if not isinstance(value, bool) else str(value))
