"""The pictures of `benchmarks.jitter`."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from tracker.gaussian import ellipse_axes
from tracker.run.stability import Track2D

from ..harness import Json
from . import truth_metrics
from .figures import settled
from .methods import BASELINE, DEFAULT, METHODS, RAW
from .recordings import Recording
from .rival_filters import FilterOutput
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

Picture = tuple[str, str, Figure]
"""Title, explanation and drawing."""


def draw_all(
    result: Json, clips: Sequence[Recording], settings: dict[str, Any]
) -> Iterator[Picture]:
    """The trade-off, and a picture for each kind of clip that was recorded."""
    yield (
        "Jitter against lag",
        "Each line is a filter over its whole range of settings, medians over the faces: jitter of "
        "a still face against lag of a face that passes at one eye distance a second, and against "
        "the distance to the truth in motion. Down and left is better; dots are settings that "
        "another one beats, stars are filters with their default setting.",
        trade_off(result),
    )
    first = {clip.kind: clip for clip in reversed(clips)}
    if "still" in first:
        yield (
            "A still face",
            "Some landmarks in every frame around their true position, which is the mean of the "
            "raw ones; ellipses hold 95 % by the network's measurement noise and by the filter's "
            "covariance.",
            scatter(FilteredRecording(first["still"], settings)),
        )
    if "step" in first:
        note = "The face's position along its way, and its distance to the truth."
        yield "Quick moves and dead stops", note, step(FilteredRecording(first["step"], settings))
    for kind, title, note in (
        ("blink", "Blinks", "Distance between the lids, mean of both eyes."),
        ("mouth", "A mouth that opens", "Distance between the lips."),
    ):
        if kind in first:
            yield title, note, gesture(FilteredRecording(first[kind], settings))


class FilteredRecording:
    """All methods on one clip with a known truth."""

    def __init__(self, clip: Recording, settings: dict[str, Any]) -> None:
        assert clip.truth is not None
        self.clip, self._settings = clip, settings
        self.truth = clip.truth
        self.reference = truth_metrics.reference(clip.mean, clip.truth)

    def output(self, method: str) -> FilterOutput:
        """Of a method."""
        return METHODS[method].smooth(self.clip, self._settings[method])

    def track(self, method: str) -> Track2D:
        """Positions alone."""
        return self.output(method).mean


def trade_off(result: Json) -> Figure:
    """Jitter against lag and against the error in motion."""
    figure, axes_by = _figure(11, 5), {}
    for axes, by in zip(_row(figure, 2), ("lag_ms", "error"), strict=True):
        axes_by[by] = axes
        for name, stored in result["curves"].items():
            points = [CurvePoint(**each) for each in stored]
            _curve(axes, front(points, by), by, name, "-", 1.0)
            _curve(axes, points, by, name, ".", 0.35)
        for name, used in result["as_used"].items():
            place = max(used[by], _LEAST_LAG_MS), used["jitter"]
            label = f"{name}, default setting"
            axes.plot(*place, "*", ms=14, color=_COLOURS[name], mec="white", label=label)
        axes.set(xscale="log", yscale="log", ylabel="jitter, still face, % of the eye distance")
    axes_by["lag_ms"].set(xlabel=f"lag, ms (below {_LEAST_LAG_MS} is drawn there)")
    axes_by["error"].set(xlabel="error in motion (RMS, pans and steps), % of the eye distance")
    return _with_legend(figure)


def _curve(
    axes: Axes, points: list[CurvePoint], by: str, name: str, style: str, opacity: float
) -> None:
    x = [max(getattr(each, by), _LEAST_LAG_MS) for each in points]
    label = name if style == "-" else None
    y = [each.jitter for each in points]
    axes.plot(x, y, style, color=_COLOURS[name], alpha=opacity, label=label, lw=2)


def scatter(replay: FilteredRecording) -> Figure:
    """Some landmarks of a still face around their true position."""
    clip, frames = replay.clip, settled(replay.clip)
    right, left = clip.layout.eye_corners
    chin = clip.layout.outlines[0].members[len(clip.layout.outlines[0].members) // 2]
    ours = replay.output(DEFAULT)
    assert ours.covariance is not None
    shown = {RAW: (clip.mean, clip.measurement_noise), DEFAULT: (ours.mean, ours.covariance)}
    figure = _figure(11, 4.4)
    marks = {"right eye corner": right, "left eye corner": left, "middle of the first part": chin}
    for axes, (title, mark) in zip(_row(figure, 3), marks.items(), strict=True):
        for name, (track, covariance) in shown.items():
            away = (track - replay.reference)[frames, mark]
            axes.plot(*away.T, ".", ms=7, color=_COLOURS[name], label=name, alpha=0.7)
            typical = np.nanmedian(covariance[frames, mark], axis=0)
            axes.add_patch(_ellipse(typical, f"{name}: predicted, 95 %", _COLOURS[name]))
        axes.plot(0, 0, "+", color="black", ms=14, label="truth")
        axes.set(title=title, xlabel="x, px", ylabel="y, px", aspect="equal")
        reach = 1.05 * max(np.abs([*axes.get_xlim(), *axes.get_ylim()]))
        axes.set(xlim=(-reach, reach), ylim=(reach, -reach))
    return _with_legend(figure)


def _ellipse(covariance: np.ndarray, label: str, colour: str) -> Ellipse:
    half_axes, angles = ellipse_axes(covariance[None], 0.95)
    width, height = 2 * half_axes[0]
    angle = float(angles[0])
    return Ellipse((0, 0), width, height, angle=angle, fill=False, ec=colour, lw=1.5, label=label)


def step(replay: FilteredRecording) -> Figure:
    """The way of the whole face in quick moves, and its distance to the truth."""
    clip, middle = replay.clip, replay.reference.mean(1)
    along = np.linalg.svd(middle - middle.mean(0), full_matrices=False)[2][0]
    true = (middle - middle[0]) @ along
    figure = _figure(11, 4.2)
    way, away = _row(figure, 2)
    way.plot(clip.times_s, true / clip.eye_px, color="black", lw=1, label="truth")
    widest = 1.0
    for name in _DRAWN:
        followed = (replay.track(name).mean(1) - middle[0]) @ along
        off = 100 * (followed - true) / clip.eye_px
        way.plot(clip.times_s, followed / clip.eye_px, color=_COLOURS[name], label=name)
        away.plot(clip.times_s, off, color=_COLOURS[name])
        if name in (DEFAULT, BASELINE):
            widest = max(widest, 1.2 * float(np.nanmax(np.abs(off))))
    way.set(xlabel="s", ylabel="way, eye distances")
    away.set(xlabel="s", ylabel="from the truth, % of the eye distance", ylim=(-widest, widest))
    return _with_legend(figure)


def gesture(replay: FilteredRecording) -> Figure:
    """How far eyes or mouth are open: the whole clip, and its quickest moment."""
    clip = replay.clip
    is_blink = clip.kind == "blink"
    opening = truth_metrics.eye_opening if is_blink else truth_metrics.mouth_opening
    truth = opening(replay.truth, clip.layout)
    figure = _figure(11, 4.2)
    whole, near = _row(figure, 2)
    for axes in (whole, near):
        axes.plot(clip.times_s, truth / clip.eye_px, color="black", lw=1, label="truth")
        for name in _DRAWN:
            series = opening(replay.track(name), clip.layout) / clip.eye_px
            axes.plot(clip.times_s, series, color=_COLOURS[name], label=name)
        axes.set_xlabel("s")
    change = np.abs(np.diff(truth)) * settled(clip)[1:]
    around = clip.times_s[int(np.argmax(change))]
    near.set_xlim(around - 0.3, around + 0.6)
    whole.set_ylabel("opening, eye distances")
    return _with_legend(figure)


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def _with_legend(figure: Figure) -> Figure:
    """One for all panels, below them."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=8)
    return figure


def _row(figure: Figure, count: int) -> Sequence[Axes]:
    axes = list(figure.subplots(1, count))
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(alpha=0.25)
    return axes
