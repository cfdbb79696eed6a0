"""The page of a check: what was found, what to do, and how it went over time."""

from collections.abc import Sequence

from ..reports.binned_series import BinnedSeries
from ..reports.charts import line_chart
from ..reports.html_shell import clock, fact, html_page, number, shown
from .check_figures import CheckFigures
from .check_findings import Finding
from .check_guide import STAGES
from .check_record import CheckedFrame

_SERIES = ("raw_jitter", "jitter", "light", "yaw_deg", "openness", "jaw_open")
_MARKS = {"good": "✓", "fair": "!", "poor": "✗", "unknown": "?"}
_WORST_FIRST = ("poor", "fair", "unknown", "good")
_STYLE = """<style>
.findings { list-style: none; padding: 0; margin: 0; display: grid; gap: .5rem; }
.findings li { background: var(--card); border-radius: .4rem; padding: .5rem .7rem .5rem 2.4rem;
  position: relative; }
.findings i { position: absolute; left: .8rem; font-style: normal; font-weight: 700; }
.findings b { margin-right: .5rem; } .findings p { margin: .1rem 0 0; }
.findings .advice { color: var(--ink); }
.good i { color: #2a9d4e; } .fair i { color: #c77700; } .poor i { color: var(--bad); }
li.poor, li.fair { outline: 1px solid var(--line); }
</style>"""


def check_page(
    name: str,
    figures: CheckFigures,
    findings: Sequence[Finding],
    rows: Sequence[CheckedFrame],
    made: str,
    *,
    is_live: bool,
) -> str:
    """A whole document that needs nothing else.

    Args:
        name: Of the source.
        figures: As measured.
        findings: As judged.
        rows: Of the frames.
        made: The command and the machine.
        is_live: Of a camera, not of a file.
    """
    ordered = sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.verdict))
    return html_page(
        f"Check of {name}",
        "\n".join(
            [
                _STYLE,
                f"<h1>Check of {shown(name)}</h1>",
                f"<p>{clock(figures.seconds)}, {figures.frames} frames. {_counted(findings)}</p>",
                _facts(figures, is_live),
                "<h2>What was found, and what to do</h2>",
                f'<ul class="findings">{"".join(map(_item, ordered))}</ul>',
                "<h2>Over time</h2>",
                _when(rows),
                _charts(figures, rows),
                f'<p class="dim">{shown(made)}</p>',
            ]
        ),
    )


def _counted(findings: Sequence[Finding]) -> str:
    counts = {kind: sum(each.verdict == kind for each in findings) for kind in _MARKS}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) + "."


def _facts(f: CheckFigures, is_live: bool) -> str:
    return '<div class="facts">' + "".join([
        fact("frames a second, real", number(f.rate_real, 1)),
        fact("granted", number(f.rate_granted, 1)),
        fact("ms from frame to landmarks, 95 %", number(f.latency_p95_ms, 0)) if is_live
        else fact("ms of work a frame", number(f.work_ms, 0)),
        fact("% of the eye distance, noise as measured", number(f.raw_jitter, 3)),
        fact("filtered", number(f.jitter, 3)),
        fact("px between the eyes", number(f.eye_px, 0)),
    ]) + "</div>"  # fmt: skip


def _item(finding: Finding) -> str:
    advice = f'<p class="advice">{shown(_sentence(finding.advice))}</p>' if finding.advice else ""
    return (
        f'<li class="{finding.verdict}"><i aria-label="{finding.verdict}">'
        f"{_MARKS[finding.verdict]}</i><b>{shown(_sentence(finding.title, '')).strip()}</b>"
        f'<span class="dim">{shown(finding.measured)}</span>{advice}</li>'
    )


def _sentence(text: str, end: str = ".") -> str:
    return f"{text[:1].upper()}{text[1:]}{end}"


def _when(rows: Sequence[CheckedFrame]) -> str:
    """Where each stage began."""
    parts = []
    for stage in STAGES:
        begun = next((row.time_s for row in rows if row.stage == stage.key), None)
        if begun is not None:
            parts.append(f"from {clock(begun - rows[0].time_s)}: {stage.say}")
    return f"<p>{shown('; '.join(parts))}.</p>" if parts else ""


def _charts(figures: CheckFigures, rows: Sequence[CheckedFrame]) -> str:
    series = BinnedSeries(_SERIES)
    for row in rows:
        series.add(row.time_s, {name: [getattr(row, name)] for name in _SERIES})
    series.widen_to(2.5 / max(figures.rate_real or 30.0, 1.0))
    width_s = series.width_s
    return "\n".join([
        line_chart("Noise of the landmarks, % of the eye distance, as measured",
                   f"at rest {number(figures.raw_jitter, 3)}", series.means("raw_jitter"), width_s,
                   digits=3),
        line_chart("The same, filtered", f"at rest {number(figures.jitter, 3)}",
                   series.means("jitter"), width_s, digits=3),
        line_chart("Light on the face, grey level", f"median {number(figures.light, 0)} of 255",
                   series.means("light"), width_s, top=255.0, digits=0),
        line_chart("Turn of the head, degrees to either side", f"farthest {_farthest(figures)}",
                   abs(series.means("yaw_deg")), width_s, digits=0),
        line_chart("How far the eyes are open, 1 as usual", f"{figures.blinks or 0} blinks",
                   series.means("openness").clip(0, None), width_s, digits=1),
        line_chart("How far the mouth is open, ARKit's jawOpen",
                   f"range {number(figures.jaw_range)}",
                   series.means("jaw_open").clip(0, None), width_s),
    ])  # fmt: skip


def _farthest(f: CheckFigures) -> str:
    known = [side for side in (f.yaw_left_deg, f.yaw_right_deg) if side is not None]
    return number(max(known, default=None), 0)
