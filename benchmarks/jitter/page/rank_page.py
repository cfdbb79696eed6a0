"""The page of `benchmarks.jitter real`: ranks on virtual clips against ranks on real films."""

import html
from dataclasses import dataclass

from ...harness import Json
from .static_page import PageCell, PageColumn, page, paragraph, section, table
from .svg_charts import COLOURS, ChartLine, axis_around, chart, legend


@dataclass(frozen=True, slots=True)
class RankPair:
    """Two figures that should put methods in the same order."""

    first: str
    second: str
    title: str
    first_axis: str
    second_axis: str
    log: bool = True


_FILM, _TRUTH = "films, against the picture's motion", "films, against annotators"
PAIRS = (
    RankPair("virtual jitter", "film flow_jitter", "jitter: virtual still, films in motion",
             "jitter of virtual still faces, %", "jitter beyond the picture's motion, films, %"),
    RankPair("virtual jitter", "film still_jitter", "jitter: virtual still, films at rest",
             "jitter of virtual still faces, %", "jitter at rest, films, %"),
    RankPair("virtual lag_ms", "film flow_lag_ms", "lag: virtual, films",
             "lag in virtual clips, ms", "lag behind the picture, films, ms", log=False),
    RankPair("virtual nmf", "film nmf", f"NMF: virtual, {_FILM}",
             "NMF, virtual clips", "NMF against the picture, films"),
    RankPair("virtual nmf", "truth nmf", f"NMF: virtual, {_TRUTH}",
             "NMF, virtual clips", "NMF against annotators, films"),
    RankPair("virtual moving_error", "truth moving_error", f"error: virtual, {_TRUTH}",
             "error in motion, virtual, %", "error, films, %"),
    RankPair("film nmf", "truth nmf", "NMF of the same films: picture's motion, annotators",
             "NMF against the picture, films", "NMF against annotators, films"),
    RankPair("virtual found", "film found", "found: virtual, films",
             "found, virtual clips, % of frames", "found, films, % of frames", log=False),
)  # fmt: skip


def rank_page(result: Json) -> str:
    """Everything in one HTML document."""
    names = list(dict.fromkeys(name for pair in result["pairs"] for name in pair["methods"]))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    films, known = len(result["films"]), result["with_truth"]
    parts = [
        paragraph(
            "Virtual clips have a truth that no film has, and no film's skin, hair and light. Do "
            "they put trackers and filters into the same order? The same methods, on virtual clips "
            f"and on {films} real films ({known} of them annotated; the first "
            f"{result['seconds']:g} s of each)."
        ),
        section(
            "Rank correlations",
            paragraph(
                "1: the same order, 0: none in common, -1: reversed. Below each the interval that "
                "holds 95 % of the correlations when clips and films are drawn again. Few methods "
                "and few films make wide intervals.",
                "note",
            ),
            _correlations(result),
        ),
        *(_pair(pair, colours) for pair in result["pairs"]),
        section(
            "How this page was made",
            f"<pre>{html.escape(result['command'])}</pre>",
            paragraph(
                f"Virtual figures: {result['scores']}. Machine: {result['machine']}.", "note"
            ),
            paragraph(f"Films: {', '.join(result['films'])}.", "note"),
        ),
    ]
    return page("Virtual clips and real films", parts)


def _correlations(result: Json) -> str:
    columns = [
        PageColumn("ranks compared"),
        PageColumn("Spearman", "of ranks"),
        PageColumn("Kendall", "of pairs"),
        PageColumn("methods"),
        PageColumn("clips", "first"),
        PageColumn("clips or films", "second"),
    ]
    rows = []
    for pair in result["pairs"]:
        cells = [PageCell(pair["title"], pair["title"])]
        for kind in ("spearman", "kendall"):
            note = f"{pair[f'{kind}_low']:.2f} to {pair[f'{kind}_high']:.2f}"
            cells.append(PageCell(f"{pair[kind]:.2f}", pair[kind], note))
        counts = [len(pair["methods"]), *pair["clips"]]
        rows.append([*cells, *(PageCell(str(count), count) for count in counts)])
    return table(columns, rows)


def _pair(pair: Json, colours: dict[str, str]) -> str:
    """Each method as a dot, and both figures in a table."""
    log = pair["log"] and min(*pair["first"], *pair["second"]) > 0
    x = axis_around(pair["first_axis"], pair["first"], log=log)
    y = axis_around(pair["second_axis"], pair["second"], log=log)
    dots = [
        ChartLine(name, [one], [other], colours[name], dots=True, width=2.4)
        for name, one, other in zip(pair["methods"], pair["first"], pair["second"], strict=True)
    ]
    columns = [
        PageColumn("method"),
        PageColumn(pair["first_axis"]),
        PageColumn(pair["second_axis"]),
    ]
    rows = [
        [PageCell(name, name), *(PageCell(f"{value:.4g}", value) for value in values)]
        for name, *values in zip(pair["methods"], pair["first"], pair["second"], strict=True)
    ]
    return section(
        pair["title"][:1].upper() + pair["title"][1:],
        legend([(name, colours[name]) for name in pair["methods"]]),
        f'<div class="charts"><figure>{chart(dots, x, y, pair["title"])}</figure>'
        f"{table(columns, rows)}</div>",
    )
