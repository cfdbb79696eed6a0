"""The page of `benchmarks.jitter film`."""

import html

from ...harness import Json
from ..film_definitions import FILM_FIGURES
from .static_page import PageCell, PageColumn, page, paragraph, section, table
from .svg_charts import COLOURS, Axis, ChartLine, axis_around, chart, legend


def film_page(result: Json) -> str:
    """Everything in one HTML document."""
    names = list(result["methods"])
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    parts = [
        paragraph(
            f"{result['film']}: {result['frames']} frames, eye distance {result['eye_px']} px. "
            "Nobody knows where the landmarks truly are, but optical flow knows how the picture "
            "moves: what a track does beyond it is jitter, what it does later is lag."
        ),
        section("Summary", paragraph(
            "Of the whole film; below each the interval that holds 95 % of the means when its "
            "parts are drawn again. A click on a heading sorts.", "note"), _figures(result)),
        _way(result, colours),
        section("What the figures are", _definitions()),
        section("How this page was made", f"<pre>{html.escape(result['command'])}</pre>",
                paragraph(f"Machine: {result['machine']}.", "note")),
    ]  # fmt: skip
    return page("Landmarks on a film without truth", parts)


def _figures(result: Json) -> str:
    shown = [f for f in FILM_FIGURES if any(f.key in of for of in result["methods"].values())]
    columns = [PageColumn("tracks"), *(PageColumn(f.title, f.unit, f.definition) for f in shown)]
    rows = []
    for name, of in result["methods"].items():
        cells = [PageCell(name, name)]
        for figure in shown:
            found = of.get(figure.key)
            if found is None:
                cells.append(PageCell("-"))
                continue
            low, high, digits = found["low"], found["high"], figure.digits
            note = "" if low is None else f"{low:.{digits}f} to {high:.{digits}f}"
            cells.append(PageCell(f"{found['value'] + 0.0:.{digits}f}", found["value"], note))
        rows.append(cells)
    return table(columns, rows)


def _way(result: Json, colours: dict[str, str]) -> str:
    times = result["times"]
    lines = [
        ChartLine(one["name"], times, one["track"], colours[one["name"]])
        for one in result["series"]
    ]
    values = [value for line in lines for value in line.y]
    x, y = Axis("s", times[0], times[-1]), axis_around("way across, % of the eye distance", values)
    return section(
        "The way of the face",
        legend([(line.name, line.colour) for line in lines]),
        f"<figure>{chart(lines, x, y, 'Way of the middle of the points')}</figure>",
        paragraph("The middle of the points, across; the first six seconds.", "note"),
    )


def _definitions() -> str:
    return (
        "<dl>"
        + "".join(
            f"<dt>{html.escape(f.title)}<small>{html.escape(f.unit)}</small></dt>"
            f"<dd>{html.escape(f.definition)}</dd>"
            for f in FILM_FIGURES
        )
        + "</dl>"
    )
