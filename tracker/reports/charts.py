"""Plots over time as inline SVG; their labels are HTML, which stays readable on a narrow screen."""

import numpy as np
from jaxtyping import Float

from .html_shell import clock, shown

_HEIGHT = 100.0
_FILLED = 0.92
"""Of the height, by the largest value."""

Values = Float[np.ndarray, " bins"]


def line_chart(
    title: str, summary: str, values: Values, width_s: float, *, top: float | None = None,
    digits: int = 2,
) -> str:  # fmt: skip
    """A level for each bin; a gap where nothing is known.

    Args:
        title: What is shown.
        summary: What the chart says, in a few words.
        values: NaN where nothing is known.
        width_s: Of a bin.
        top: Of the scale; None takes the largest value, but for a few that stand out.
        digits: Of the scale.
    """
    known = values[np.isfinite(values)]
    highest = top if top is not None else _top_of(known)
    scale = _HEIGHT * _FILLED / highest if highest > 0 else 0.0
    if len(known) and known.max() > highest:
        summary += f", highest {known.max():.{digits}f}"
    line, area = [], []
    for at, value in enumerate(values):
        if not np.isfinite(value):
            continue
        level = max(_HEIGHT - scale * float(value), 0.0)
        is_joined = at > 0 and np.isfinite(values[at - 1])
        line.append(f"{'L' if is_joined else 'M'}{at} {level:.2f}H{at + 1}")
        area.append(f"M{at} {_HEIGHT:.0f}V{level:.2f}H{at + 1}V{_HEIGHT:.0f}Z")
    drawn = f'<path class="area" d="{"".join(area)}"/><path d="{"".join(line)}"/>'
    return _chart(title, summary, drawn, len(values), width_s, f"{highest:.{digits}f}")


def bar_chart(title: str, summary: str, values: Values, width_s: float) -> str:
    """A bar for each bin that has something to count."""
    highest = float(values.max()) if len(values) else 0.0
    if highest <= 0:
        return f"<p>{shown(title)}: none</p>"
    scale = _HEIGHT * _FILLED / highest
    bars = [
        f"M{at} {_HEIGHT:.0f}V{_HEIGHT - scale * float(value):.2f}H{at + 1}V{_HEIGHT:.0f}Z"
        for at, value in enumerate(values)
        if value > 0
    ]
    drawn = f'<path class="bars" d="{"".join(bars)}"/>'
    return _chart(title, summary, drawn, len(values), width_s, f"{highest:.0f}")


def _top_of(known: Values) -> float:
    """The largest value, or where a few stand far out, what holds most of them."""
    if not len(known):
        return 0.0
    usual = 1.5 * float(np.percentile(known, 97))
    return usual if known.max() > 2 * usual > 0 else float(known.max())


def _chart(title: str, summary: str, drawn: str, bins: int, width_s: float, top: str) -> str:
    ticks = [f"<span>{clock(share * bins * width_s)}</span>" for share in (0, 0.25, 0.5, 0.75, 1)]
    return (
        f'<figure class="chart"><figcaption><b>{shown(title)}</b><span>{shown(summary)}</span>'
        f'</figcaption><div class="plot"><svg role="img" aria-label="{shown(title)}" '
        f'viewBox="0 0 {max(bins, 1)} {_HEIGHT:.0f}" preserveAspectRatio="none">{drawn}</svg>'
        f'<span class="top">{top}</span><span class="low">0</span></div>'
        f'<div class="axis">{"".join(ticks)}</div></figure>'
    )
