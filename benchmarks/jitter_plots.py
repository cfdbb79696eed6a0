"""The pictures of `benchmarks.jitter`."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from tracker.gaussian import ellipse_axes

from . import consistency, lateness, stillness
from .baselines import Smoothed
from .jitter_figures import DIMENSIONS, CurvePoint, front, settled
from .methods import DEFAULT, METHODS, RAW, USUAL
from .recordings import Recording, Track2D

_COLOURS = {
    "truth": "#000000",
    RAW: "#b0b0b0",
    DEFAULT: "#1f5fd0",
    "One Euro, MediaPipe": "#8c2d04",
    "One Euro, tuned": "#e07b00",
    "constant-R Kalman, tuned": "#2a9d4e",
    "exponential average, tuned": "#a64ca6",
    "Savitzky-Golay, offline": "#17a2a2",
    "predicted-R Kalman, tuned": "#8c564b",
}
_SHOWN = (RAW, USUAL, "One Euro, tuned", "constant-R Kalman, tuned", DEFAULT)
_LEAST_LAG_MS = 0.5

Drawn = tuple[str, str, Figure]


def drawn(
    result: dict[str, Any], clips: Sequence[Recording], knobs: dict[str, Any]
) -> Iterator[Drawn]:
    """Title, explanation and picture, of what the clips allow."""
    smoothed = Replays(clips, knobs)
    yield (
        "Precision and lag",
        "Each line is a filter over its whole range of settings, medians over the faces: jitter of "
        "a still face against lag of a face that passes at one eye distance a second, and against "
        "the distance to the truth while it moves. Down and left is better; dots are settings that "
        "another one beats, stars are filters as they are used.",
        precision_lag(result),
    )
    for kind, title, note, draw in _PICTURES:
        if smoothed.first(kind) is not None:
            yield title, note, draw(smoothed)
    yield (
        "Consistency",
        "Mean normalised squared error (against the truth) and innovation of every clip; in the "
        "grey band where the filter knows how sure it may be.",
        bands(result, clips),
    )


class Replays:
    """Methods on the first clip of each kind."""

    def __init__(self, clips: Sequence[Recording], knobs: dict[str, Any]) -> None:
        self._clips, self._knobs = clips, knobs

    def first(self, kind: str) -> Recording | None:
        """The first face's clip of this kind."""
        return next((clip for clip in self._clips if clip.kind == kind), None)

    def clip(self, kind: str) -> Recording:
        """The same where it is there."""
        found = self.first(kind)
        assert found is not None
        return found

    def smoothed(self, method: str, kind: str) -> Smoothed:
        """What a method makes of it."""
        return METHODS[method].smooth(self.clip(kind), self._knobs[method])

    def track(self, method: str, kind: str) -> Track2D:
        """Only the places."""
        return self.smoothed(method, kind).mean

    def truth(self, kind: str) -> Track2D:
        """With the raw measurements' lasting bias."""
        clip = self.clip(kind)
        assert clip.truth is not None
        return lateness.reference(clip.mean, clip.truth)


def precision_lag(result: dict[str, Any]) -> Figure:
    """Jitter against lag and against the moving error."""
    figure = _figure(11, 5)
    left, right = _row(figure, 2)
    for name, stored in result["curves"].items():
        points = [CurvePoint(**point) for point in stored]
        _curve(left, points, front(points), "lag_ms", name)
        _curve(right, points, _front_of_error(points), "error", name)
    for name, point in result["as_used"].items():
        for axes, across in ((left, "lag_ms"), (right, "error")):
            place = max(point[across], _LEAST_LAG_MS), point["jitter"]
            name_used = f"{name}, as used"
            axes.plot(*place, "*", ms=14, color=_COLOURS[name], mec="white", label=name_used)
    left.set(xlabel=f"lag, ms (less than {_LEAST_LAG_MS} is drawn there)")
    right.set(xlabel="moving error (RMS, pans and steps), % of the eye distance")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", ylabel="jitter, still face, % of the eye distance")
    return _with_legend(figure)


def _curve(
    axes: Axes, points: list[CurvePoint], best: list[CurvePoint], across: str, name: str
) -> None:
    for some, style, opacity in ((best, "-", 1.0), (points, ".", 0.35)):
        x = [max(getattr(point, across), _LEAST_LAG_MS) for point in some]
        label = name if style == "-" else None
        y = [point.jitter for point in some]
        axes.plot(x, y, style, color=_COLOURS[name], alpha=opacity, label=label, lw=2)


def _front_of_error(points: list[CurvePoint]) -> list[CurvePoint]:
    swapped = [CurvePoint(p.knob, p.jitter, p.error, p.lag_ms) for p in points]
    return [CurvePoint(p.knob, p.jitter, p.error, p.lag_ms) for p in front(swapped)]


def scatter(replays: Replays) -> Figure:
    """Where some landmarks of a still face are found, around where they are."""
    clip, truth = replays.clip("still"), replays.truth("still")
    frames = settled(clip)
    right, left = clip.layout.eye_corners
    chin = clip.layout.outlines[0].members[len(clip.layout.outlines[0].members) // 2]
    ours = replays.smoothed(DEFAULT, "still")
    told = {RAW: clip.measurement_noise} | (
        {} if ours.covariance is None else {DEFAULT: ours.covariance}
    )
    places = {RAW: clip.mean, DEFAULT: ours.mean}
    figure = _figure(11, 4.4)
    marks = {"right eye corner": right, "left eye corner": left, "middle of the first part": chin}
    for axes, (title, mark) in zip(_row(figure, 3), marks.items(), strict=True):
        for name, track in places.items():
            away = (track - truth)[frames, mark]
            axes.plot(*away.T, ".", ms=7, color=_COLOURS[name], label=name, alpha=0.7)
        for name, covariance in told.items():
            noise = np.nanmedian(covariance[frames, mark], axis=0)
            _ellipse(axes, noise, f"{name}: as told, 95 %", _COLOURS[name])
        axes.plot(0, 0, "+", color="black", ms=14, label="truth")
        axes.set(title=title, xlabel="x, px", ylabel="y, px", aspect="equal")
        reach = 1.05 * max(np.abs([*axes.get_xlim(), *axes.get_ylim()]))
        axes.set(xlim=(-reach, reach), ylim=(reach, -reach))
    return _with_legend(figure)


def _ellipse(axes: Axes, covariance: np.ndarray, label: str, colour: str) -> None:
    half_axes, angles = ellipse_axes(covariance[None], 0.95)
    long, short = half_axes[0]
    shape = Ellipse(
        (0, 0),
        2 * long,
        2 * short,
        angle=float(angles[0]),
        fill=False,
        ec=colour,
        lw=1.5,
        label=label,
    )
    axes.add_patch(shape)


def step(replays: Replays) -> Figure:
    """The way of the whole face in quick moves, and how far from the truth it is."""
    clip, truth = replays.clip("step"), replays.truth("step")
    middle = truth.mean(1)
    along = np.linalg.svd(middle - middle.mean(0), full_matrices=False)[2][0]
    course = (middle - middle[0]) @ along
    figure = _figure(11, 4.2)
    way, away = _row(figure, 2)
    way.plot(clip.times_s, course / clip.eye_px, color="black", lw=1, label="truth")
    widest = 1.0
    for name in _SHOWN:
        followed = (replays.track(name, "step").mean(1) - middle[0]) @ along
        off = 100 * (followed - course) / clip.eye_px
        way.plot(clip.times_s, followed / clip.eye_px, color=_COLOURS[name], label=name)
        away.plot(clip.times_s, off, color=_COLOURS[name])
        if name in (DEFAULT, USUAL):
            widest = max(widest, 1.2 * float(np.nanmax(np.abs(off))))
    way.set(xlabel="s", ylabel="way, eye distances")
    away.set(xlabel="s", ylabel="from the truth, % of the eye distance", ylim=(-widest, widest))
    return _with_legend(figure)


def gestures(replays: Replays, kind: str) -> Figure:
    """How far eyes or mouth are open: the whole clip, and the quickest moment of it."""
    opening = lateness.eye_opening if kind == "blink" else lateness.mouth_opening
    clip = replays.clip(kind)
    assert clip.truth is not None
    truth = opening(clip.truth, clip.layout)
    courses = {name: opening(replays.track(name, kind), clip.layout) for name in _SHOWN}
    figure = _figure(11, 4.2)
    whole, near = _row(figure, 2)
    for axes in (whole, near):
        axes.plot(clip.times_s, truth / clip.eye_px, color="black", lw=1, label="truth")
        for name, course in courses.items():
            axes.plot(clip.times_s, course / clip.eye_px, color=_COLOURS[name], label=name)
        axes.set_xlabel("s")
    change = np.abs(np.diff(truth)) * settled(clip)[1:]
    around = clip.times_s[int(np.argmax(change))]
    near.set_xlim(around - 0.3, around + 0.6)
    whole.set_ylabel("opening, eye distances")
    return _with_legend(figure)


def spectra(replays: Replays) -> Figure:
    """Power over frequency of a still face."""
    clip = replays.clip("still")
    figure = _figure(11, 3.8)
    for axes, rigid in zip(_row(figure, 2), (True, False), strict=True):
        for name in _SHOWN:
            track = replays.track(name, "still")[settled(clip)]
            course = track if rigid else stillness.without_rigid_motion(track)
            hertz, density = stillness.spectrum(clip.times_s, course * 100 / clip.eye_px)
            axes.plot(hertz[1:], density[1:], color=_COLOURS[name], label=name, lw=1.4)
        axes.axvline(stillness.HIGH_HZ, color="#cccccc", lw=1)
        axes.set(xscale="log", yscale="log", xlabel="Hz")
        axes.set_title("as tracked" if rigid else "rigid motion removed", fontsize=9)
    figure.axes[0].set_ylabel("(% of the eye distance)^2 / Hz")
    return _with_legend(figure)


def bands(result: dict[str, Any], clips: Sequence[Recording]) -> Figure:
    """Every clip's NEES and NIS, a dot each, against the band."""
    figure = _figure(11, 3.6)
    frames = int(settled(clips[0]).sum())
    panels = {"nees": "NEES", "nis_landmarks": "NIS, landmarks", "nis_head": "NIS, head"}
    for axes, (key, title) in zip(_row(figure, 3), panels.items(), strict=True):
        low, high = consistency.band(frames, DIMENSIONS.get(key[4:], 2))
        axes.axhspan(low, high, color="#dddddd", lw=0)
        names = [n for n in METHODS if any(r[0] == n and key in r[3] for r in result["rows"])]
        for place, name in enumerate(names):
            values = [r[3][key] for r in result["rows"] if r[0] == name and key in r[3]]
            spread = np.linspace(-0.3, 0.3, len(values))
            axes.plot(place + spread, sorted(values), ".", color=_COLOURS.get(name, "#555555"))
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.set(yscale="log", xlim=(-0.5, len(names) - 0.5))
        axes.set_title(f"{title}: {frames} frames, band of 95 %", fontsize=9)
    return figure


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def _with_legend(figure: Figure) -> Figure:
    """One for all panels, below them."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    return figure


def _row(figure: Figure, count: int) -> Sequence[Axes]:
    axes = list(figure.subplots(1, count))
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.grid(alpha=0.25)
    return axes


_PICTURES = (
    (
        "still",
        "A still face",
        "Some landmarks in every frame around their true place, which is the mean of the raw ones; "
        "the ellipse is the flicker that the network tells of itself; a face at rest shows little "
        "of it.",
        scatter,
    ),
    ("step", "Quick moves and dead stops", "The face's place along its way.", step),
    (
        "blink",
        "Blinks",
        "Distance between the lids, mean of both eyes. What raw measurements miss no filter "
        "brings back.",
        lambda replays: gestures(replays, "blink"),
    ),
    ("mouth", "A mouth that opens", "Between the lips.", lambda r: gestures(r, "mouth")),
    (
        "still",
        "Spectrum of a still face",
        "Mean over the landmarks, after the first second.",
        spectra,
    ),
)
