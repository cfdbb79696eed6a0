"""The page of one video."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from ..io.provenance import Provenance
from .binned_series import BinnedSeries
from .charts import bar_chart, line_chart
from .html_shell import clock, fact, html_page, number, percent, shown
from .thumbnails import Thumbnail
from .video_figures import FaceLives, VideoFigures

SERIES = ("tracked", "faces", "confidence", "jitter", "motion", "dropped", "damaged")
"""What is plotted over time."""
_MOST_IDS = 100
_FEW_TRACKED = 0.5
_BEGIN, _END = '<script type="application/json" id="figures">', "</script>"


def video_page(
    figures: VideoFigures,
    series: BinnedSeries,
    lives: FaceLives,
    thumbnails: Sequence[Thumbnail],
    made: Provenance | None,
) -> str:
    """A whole document; `figures_in` reads its figures again."""
    parts = [
        f"<h1>{shown(figures.name)}</h1>",
        f'<p>{clock(figures.seconds)}, {figures.frames} frames. <a href="index.html">All videos</a>'
        "</p>",
        _facts(figures),
        f'<div class="pictures">{"".join(_picture(each) for each in thumbnails)}</div>',
        "<h2>Over time</h2>",
        _charts(figures, series),
        "<h2>Faces</h2>",
        _ids(lives),
        _origin(made),
        _BEGIN + json.dumps(asdict(figures)).replace("<", "\\u003c") + _END,
    ]
    return html_page(figures.name, "\n".join(parts))


def figures_in(page: str) -> VideoFigures | None:
    """The figures of a page; None where it is none of ours."""
    _, begun, rest = page.rpartition(_BEGIN)
    try:
        return VideoFigures.of(json.loads(rest.partition(_END)[0])) if begun else None
    except (ValueError, TypeError):
        return None


def _facts(figures: VideoFigures) -> str:
    few = figures.tracked is not None and figures.tracked < _FEW_TRACKED
    short = figures.announced is not None and figures.frames < figures.announced
    of_all = f"{figures.frames} of {figures.announced}" if short else str(figures.frames)
    facts = [
        fact("of the frames tracked", percent(figures.tracked), bad=few),
        fact("confidence, mean", number(figures.confidence)),
        fact("jitter, % of the eye distance", number(figures.jitter_percent, 3)),
        fact("head motion, eye distances/s", number(figures.motion)),
        fact("faces, by id", str(figures.faces)),
        fact("faces at once, at most", str(figures.most_faces)),
        fact("frames", of_all, bad=short),
        fact("frames dropped", str(figures.dropped), bad=figures.dropped > 0),
        fact("frames damaged", str(figures.damaged), bad=figures.damaged > 0),
    ]
    return f'<div class="facts">{"".join(facts)}</div>'


def _picture(thumbnail: Thumbnail) -> str:
    return (
        f'<figure><img src="{thumbnail.address}" width="{thumbnail.width}" '
        f'height="{thumbnail.height}" alt="Frame with overlay at {clock(thumbnail.time_s)}">'
        f"<figcaption>at {clock(thumbnail.time_s)}</figcaption></figure>"
    )


def _charts(figures: VideoFigures, series: BinnedSeries) -> str:
    width_s = series.width_s
    return "\n".join([
        line_chart("Faces that are tracked", f"at most {figures.most_faces} at once",
                   series.means("faces"), width_s, digits=1),
        line_chart("Confidence", f"mean {number(figures.confidence)}",
                   series.means("confidence"), width_s, top=1.0),
        line_chart("Jitter, % of the eye distance, head motion removed",
                   f"mean {number(figures.jitter_percent, 3)}", series.means("jitter"), width_s,
                   digits=3),
        line_chart("Head motion in the picture, eye distances per second",
                   f"mean {number(figures.motion)}", series.means("motion"), width_s),
        bar_chart("Dropped frames", f"{figures.dropped} in all", series.sums("dropped"), width_s),
        bar_chart("Damaged frames", f"{figures.damaged} in all", series.sums("damaged"), width_s),
    ])  # fmt: skip


def _ids(lives: FaceLives) -> str:
    longest = sorted(lives.kept.items(), key=lambda item: (-item[1].frames, item[0]))[:_MOST_IDS]
    rows = "".join(
        f"<tr><td>{face_id}</td><td>{clock(life.first_s)}</td><td>{clock(life.last_s)}</td>"
        f"<td>{clock(life.last_s - life.first_s)}</td><td>{life.frames}</td></tr>"
        for face_id, life in longest
    )
    left_out = lives.count - len(longest)
    told = f"<p>{left_out} more that were seen in fewer frames.</p>" if left_out else ""
    if not rows:
        return "<p>No face was found.</p>"
    return (
        '<div class="wide"><table><thead><tr><th>id</th><th>first seen</th><th>last seen</th>'
        f"<th>length</th><th>frames</th></tr></thead><tbody>{rows}</tbody></table></div>{told}"
    )


def _origin(made: Provenance | None) -> str:
    if made is None:
        return ""
    source = made.source_sha256 or "unknown"
    return (
        f"<h2>How it was made</h2><p>{shown(made.program)} {shown(made.version)}, weights "
        f"{shown(made.weights)} (SHA-256 {made.weights_sha256[:16]}), source's SHA-256 "
        f"{source[:16]}</p><details><summary>Settings</summary><p>"
        f"{shown(json.dumps(dict(made.settings), default=str))}</p></details>"
    )
