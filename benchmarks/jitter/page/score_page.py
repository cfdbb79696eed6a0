"""The page of `benchmarks.jitter score`, for people who read no code."""

from collections.abc import Iterable, Sequence

from ...harness import Json
from ..figure_definitions import FIGURES, FigureDefinition
from .static_page import PageCell, PageColumn, page, paragraph, section, table
from .svg_charts import COLOURS, Axis, ChartLine, axis_around, chart, legend

_MAIN = ("jitter", "settling_ms", "lag_ms", "step_90_ms", "moving_error", "blink_kept",
         "mouth_kept", "found")  # fmt: skip
_MORE = ("drift", "step_50_ms", "hard_error", "turned_error", "blink_delay_ms", "mouth_delay_ms",
         "nmf", "reacquired_ms", "id_switches", "nees", "coverage_90", "nis")  # fmt: skip
LAGS_MS = (0.5, 2.0, 5.0, 10.0, 20.0, 50.0)
_LEAST_LAG_MS = 0.1
_WHAT = {
    "step": ("A quick move and a dead stop", "way, % of the eye distance"),
    "pan": ("To and fro at one eye distance a second", "way, % of the eye distance"),
    "blink": ("Blinks", "opening of the eyes, % of the eye distance"),
    "mouth": ("The mouth opens", "opening of the lips, % of the eye distance"),
}
_BY_KEY = {figure.key: figure for figure in FIGURES}


def score_page(result: Json) -> str:
    """Everything in one HTML document."""
    names = list(result["methods"])
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    kit = result["kit"]
    heads = f", {kit['heads']} of rendered heads" if kit.get("heads") else ""
    people = "person" if len(kit["people"]) == 1 else "people"
    parts = [
        paragraph(
            "How calm are the points on a face that holds still, how late are they on one that "
            "moves, and how much of a blink is left? Measured on films whose truth is known to a "
            f"hundredth of a pixel: {kit['clips']} clips of {len(kit['people'])} {people}{heads}, "
            f"kit version {kit['version']}, {kit['size']}, seed {kit['seed']}."
        ),
        section("Summary", _about_intervals(), _figures_table(result, _MAIN)),
        _trade_off(result, colours),
        *_films(result, colours),
        section("More figures", _figures_table(result, _MORE)),
        section("What the figures are", _definitions([*_MAIN, *_MORE])),
        section("How this page was made", f"<pre>{_escaped(result['command'])}</pre>",
                paragraph(f"Machine: {result['machine']}.", "note"),
                *(paragraph(f"{p['name']}: {p['source']}", "note") for p in kit["people"])),
    ]  # fmt: skip
    return page("Stability of face landmarks", parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _about_intervals() -> str:
    return paragraph(
        "Means over the clips; below each the interval that holds 95 % of the means when clips are "
        "drawn again (none for a single clip). Green: best. A click on a heading sorts.",
        "note",
    )


def _figures_table(result: Json, keys: Iterable[str]) -> str:
    shown = [_BY_KEY[key] for key in keys if any(key in of for of in result["methods"].values())]
    columns = [PageColumn("tracks"), *(PageColumn(f.title, f.unit, f.definition) for f in shown)]
    best = {figure.key: _best(figure, result["methods"]) for figure in shown}
    rows = [
        [
            PageCell(name, name, _remark(name, result)),
            *(_figure_cell(f, of.get(f.key), is_best=name in best[f.key]) for f in shown),
        ]
        for name, of in result["methods"].items()
    ]
    return table(columns, rows)


def _remark(name: str, result: Json) -> str:
    offline = any(name.endswith(f" + {plugged}") for plugged in result["offline"])
    return "uses later frames: not for live use" if offline else ""


def _best(figure: FigureDefinition, methods: Json) -> list[str]:
    """Names that share the best value, as it is printed."""
    right = {"one": 1.0, "ninety": 90.0, "lower": 0.0}.get(figure.better)  # early is no better
    values = {name: of[figure.key]["value"] for name, of in methods.items() if figure.key in of}
    costs = {
        name: round(abs(v - right) if right is not None else -v, figure.digits)
        for name, v in values.items()
    }
    least = min(costs.values(), default=0.0)
    best = [name for name, cost in costs.items() if cost == least]
    return best if len(best) < len(costs) else []


def _figure_cell(figure: FigureDefinition, found: Json | None, *, is_best: bool) -> PageCell:
    if found is None:
        return PageCell("-")
    ends = [found["low"], found["high"]]
    note = "1 clip" if None in ends else " to ".join(_printed(end, figure) for end in ends)
    return PageCell(_printed(found["value"], figure), found["value"], note, is_best=is_best)


def _printed(value: float, figure: FigureDefinition) -> str:
    return f"{round(value, figure.digits) + 0.0:.{figure.digits}f}"


def _trade_off(result: Json, colours: dict[str, str]) -> str:
    """The precision-lag curve, and the least jitter that can be had at the same lag."""
    curves = result["curves"]["filters"]
    found = {name: (lag, jitter) for name, (lag, jitter) in result["points"].items()}
    by_curve = {f"{result['curves']['of']} + {name}": points for name, points in curves.items()}
    everything = [
        *found.values(),
        *((p["lag_ms"], p["jitter"]) for c in curves.values() for p in c),
    ]
    if not everything:
        return ""
    x = axis_around("lag, ms", [max(lag, _LEAST_LAG_MS) for lag, _ in everything], log=True)
    y = axis_around("jitter, % of the eye distance", [j for _, j in everything], log=True)
    lines = []
    for name, points in by_curve.items():
        best = front([(p["lag_ms"], p["jitter"]) for p in points])
        of_curve = [max(lag, _LEAST_LAG_MS) for lag, _ in best]
        lines.append(ChartLine(name, of_curve, [j for _, j in best], colours.get(name, "#555")))
    lines += [
        ChartLine(name, [max(lag, _LEAST_LAG_MS)], [jitter], colours[name], dots=True, width=2.4)
        for name, (lag, jitter) in found.items()
    ]
    about = "Jitter of still faces against lag; down and left is better"
    parts = [
        paragraph(
            "Down and left is better: less jitter, less lag. A dot is a tracker or a filter as it "
            "comes; a line joins the best settings of a filter. Only points at the same lag "
            f"compare. Lags below {_LEAST_LAG_MS} ms are drawn there. Lag: mean over pans, so it "
            "differs from the lag above, which is over all rigid motions."
        ),
        legend([(name, colours[name]) for name in found]),
        f"<figure>{chart(lines, x, y, about)}</figure>",
    ]
    if curves:
        parts += [
            paragraph(
                "Least jitter on still faces that a filter reaches at no more lag than this on "
                "pans, % of the eye distance:"
            ),
            _equal_lag(result),
        ]
    return section("Jitter against lag", *parts)


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Points that no other one beats in both, by rising lag."""
    best: list[tuple[float, float]] = []
    for lag, jitter in sorted(points):
        if not best or jitter < best[-1][1]:
            best.append((lag, jitter))
    return best


def least_jitter(points: Sequence[Json], most_ms: float) -> float | None:
    """Of the points of a curve that lag by no more; None where there are none."""
    return min((p["jitter"] for p in points if p["lag_ms"] <= most_ms), default=None)


def _equal_lag(result: Json) -> str:
    columns = [
        PageColumn("filter"),
        *(PageColumn(f"≤\u00a0{lag:g}", "ms of lag") for lag in LAGS_MS),
    ]
    rows = []
    for name, points in result["curves"]["filters"].items():
        cells = [PageCell(name, name, _remark(f" + {name}", result))]
        for most in LAGS_MS:
            least = least_jitter(points, most)
            cells.append(PageCell("-") if least is None else PageCell(f"{least:.3f}", least))
        rows.append(cells)
    return table(columns, rows)


def _films(result: Json, colours: dict[str, str]) -> list[str]:
    """Tracks over the truth, and the error over time."""
    parts = []
    for film in result["series"]:
        title, axis = _WHAT[film["kind"]]
        times, lines = film["times"], film["lines"]
        tracks = [ChartLine("truth", times, film["truth"], "#000", width=2.6)]
        tracks += [ChartLine(o["name"], times, o["track"], colours[o["name"]]) for o in lines]
        errors = [ChartLine(o["name"], times, o["error"], colours[o["name"]]) for o in lines]
        x = Axis("s", 0.0, max(times))
        known = sorted(v for o in lines for v in o["error"] if v is not None)
        top = max(known[int(0.98 * (len(known) - 1))] * 1.2, 0.1)
        y = Axis("mean error, % of the eye distance", 0.0, top)
        values = [v for line in tracks for v in line.y]
        parts.append(
            section(
                title,
                legend([("truth", "#000"), *((o["name"], colours[o["name"]]) for o in lines)]),
                '<div class="charts"><figure>'
                + chart(tracks, x, axis_around(axis, values), f"{title}: tracks over the truth")
                + "<figcaption>tracks over the truth (black)</figcaption></figure><figure>"
                + chart(errors, x, y, f"{title}: error over time")
                + "<figcaption>distance to the truth</figcaption></figure></div>",
                paragraph(f"Clip {film['clip']}. A click on a name takes its line away.", "note"),
            )
        )
    return parts


def _definitions(keys: Iterable[str]) -> str:
    rows = (_BY_KEY[key] for key in keys)
    return (
        "<dl>"
        + "".join(
            f"<dt>{_escaped(f.title)}<small>{_escaped(f.unit)}</small></dt>"
            f"<dd>{_escaped(f.definition)} <em>{_escaped(f.reason)}</em></dd>"
            for f in rows
        )
        + "</dl>"
    )
