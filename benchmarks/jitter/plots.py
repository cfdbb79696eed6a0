"""The picture of `benchmarks.jitter`: trade-offs of all filters, and tracks against the truth."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tracker.run.stability import Track2D

from . import truth_metrics
from .figures import settled
from .methods import BASELINE, DEFAULT, METHODS, RAW
from .recordings import Recording
from .tradeoff import CurvePoint, front

_COLOURS = {
    RAW: "#b0b0b0",
    DEFAULT: "#1f5fd0",
    BASELINE: "#8c2d04",
    "One Euro, tuned": "#e07b00",
    "constant-R Kalman, tuned": "#2a9d4e",
    "exponential average, tuned": "#a64ca6",
    "predicted-R Kalman, tuned": "#8c564b",
}
_DRAWN = (RAW, BASELINE, "One Euro, tuned", "constant-R Kalman, tuned", DEFAULT)
_LEAST_LAG_MS = 0.5

Curves = dict[str, list[CurvePoint]]


def draw(curves: Curves, clips: Sequence[Recording], settings: dict[str, Any]) -> bytes:
    """Draw jitter against lag and error, then a clip of each kind that was recorded.

    Args:
        curves: Points of every method with all its settings.
        clips: With a known truth; the first of each kind is drawn.
        settings: Of every method, for the clips.

    Returns:
        A PNG.
    """
    first = {clip.kind: clip for clip in reversed(clips)}
    kinds = [kind for kind in ("step", "blink", "mouth") if kind in first]
    figure = Figure(figsize=(12, 4.4 * (1 + len(kinds))), layout="constrained")
    rows = figure.subplots(1 + len(kinds), 2, squeeze=False)
    for axes, by in zip(rows[0], ("lag_ms", "error"), strict=True):
        _draw_trade_off(axes, curves, by)
    for (left, right), kind in zip(rows[1:], kinds, strict=True):
        clip = first[kind]
        tracks = {name: METHODS[name].smooth(clip, settings[name]).mean for name in _DRAWN}
        (_draw_step if kind == "step" else _draw_gesture)(left, right, clip, tracks)
    for axes in rows.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    handles = [Line2D([], [], color=colour, label=name) for name, colour in _COLOURS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    encoded = BytesIO()
    figure.savefig(encoded, format="png", dpi=100)
    return encoded.getvalue()


def _draw_trade_off(axes: Axes, curves: Curves, by: str) -> None:
    """Lines join the settings that no other one beats; down and left is better."""
    for name, points in curves.items():
        for some, style, opacity in ((front(points, by), "-", 1.0), (points, ".", 0.35)):
            x = [max(getattr(each, by), _LEAST_LAG_MS) for each in some]
            y = [each.jitter for each in some]
            axes.plot(x, y, style, color=_COLOURS[name], alpha=opacity, lw=2)
    names = {
        "lag_ms": f"lag of a pan, ms (below {_LEAST_LAG_MS} is drawn there)",
        "error": "error in motion (RMS, pans and steps), % of the eye distance",
    }
    axes.set(xscale="log", yscale="log", xlabel=names[by], ylabel="jitter, still face, %")


def _draw_step(left: Axes, right: Axes, clip: Recording, tracks: dict[str, Track2D]) -> None:
    """The way of the whole face in quick moves, and its distance to the truth."""
    assert clip.truth is not None
    middle = truth_metrics.reference(clip.mean, clip.truth).mean(1)
    along = np.linalg.svd(middle - middle.mean(0), full_matrices=False)[2][0]
    true = (middle - middle[0]) @ along
    left.plot(clip.times_s, true / clip.eye_px, color="black", lw=1)
    widest = 1.0
    for name, track in tracks.items():
        followed = (track.mean(1) - middle[0]) @ along
        off = 100 * (followed - true) / clip.eye_px
        left.plot(clip.times_s, followed / clip.eye_px, color=_COLOURS[name])
        right.plot(clip.times_s, off, color=_COLOURS[name])
        if name in (DEFAULT, BASELINE):
            widest = max(widest, 1.2 * float(np.nanmax(np.abs(off))))
    left.set(title="quick moves; black: truth", xlabel="s", ylabel="way, eye distances")
    right.set(xlabel="s", ylabel="from the truth, % of the eye distance", ylim=(-widest, widest))


def _draw_gesture(left: Axes, right: Axes, clip: Recording, tracks: dict[str, Track2D]) -> None:
    """How far eyes or mouth are open: the whole clip, and its quickest moment."""
    assert clip.truth is not None
    opening = truth_metrics.OPENINGS[clip.kind]
    truth = opening(clip.truth, clip.layout)
    for axes in (left, right):
        axes.plot(clip.times_s, truth / clip.eye_px, color="black", lw=1)
        for name, track in tracks.items():
            series = opening(track, clip.layout) / clip.eye_px
            axes.plot(clip.times_s, series, color=_COLOURS[name])
        axes.set_xlabel("s")
    change = np.abs(np.diff(truth)) * settled(clip)[1:]
    around = clip.times_s[int(np.argmax(change))]
    right.set_xlim(around - 0.3, around + 0.6)
    left.set(title=f"{clip.kind}; black: truth", ylabel="opening, eye distances")
