"""Every figure of every method on every recording, their medians, and the precision-lag curve."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any

import numpy as np

from tracker.run.stability import static_jitter

from . import consistency, lateness, stillness
from .baselines import Smoothed
from .methods import METHODS, RAW, TUNED, Method
from .recordings import Recording, Track2D

_SETTLING_S = 1.0
"""Left out of what is said of a settled filter; a third of shorter clips."""
RIGID = ("pan", "drift", "zoom", "roll", "shake", "walk-up")
"""Kinds whose whole face moves, nothing in it."""
DIMENSIONS = {"landmarks": 2, "head": 4}
"""Of an innovation: a head shifts, grows and turns."""
_OPENINGS = {"blink": lateness.eye_opening, "mouth": lateness.mouth_opening}

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """What one method does to one recording."""

    method: str
    name: str
    kind: str
    figures: Figures


def settled(recording: Recording) -> np.ndarray:
    """Frames after the filters' start."""
    since = recording.times_s - recording.times_s[0]
    return since >= min(_SETTLING_S, float(since[-1]) / 3)


def measure(recording: Recording, smoothed: Smoothed, told: Recording | None = None) -> Figures:
    """The figures that can be had of this kind of clip; lengths in % of the eye distance.

    Args:
        recording: Raw measurements, to whose lasting bias the truth is shifted.
        smoothed: By the method.
        told: Whose truth says how far eyes and mouth open, if not the recording's own.
    """
    figures = _calm(recording, smoothed.mean)
    figures |= _consistent(recording, smoothed)
    if recording.truth is not None:
        figures |= _late(recording, smoothed.mean, told or recording)
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def _calm(recording: Recording, track: Track2D) -> Figures:
    frames = settled(recording)
    figures, scale = {}, 100 / recording.eye_px
    for suffix, course in (("", track), ("_without_rigid", stillness.without_rigid_motion(track))):
        times_s, calm = recording.times_s[frames], course[frames]
        loud, share = stillness.high_frequency(times_s, calm)
        figures[f"acceleration{suffix}"] = scale * stillness.acceleration(times_s, calm)
        figures[f"jerk{suffix}"] = scale * stillness.jerk(times_s, calm)
        figures[f"high_frequency{suffix}"] = scale * loud
        figures[f"high_frequency_share{suffix}"] = share
    return figures


def _consistent(recording: Recording, smoothed: Smoothed) -> Figures:
    figures, frames = {}, settled(recording)
    if smoothed.covariance is not None and recording.truth is not None:
        truth = lateness.reference(recording.mean, recording.truth)[frames]
        covariance = smoothed.covariance[frames]
        figures["nees"] = consistency.normalised_error(smoothed.mean[frames], covariance, truth)
    for name, surprise in smoothed.surprises.items():
        seen = surprise[frames & np.isfinite(surprise)]
        if len(seen):
            mean, count = float(seen.mean()), len(seen)
            inside = consistency.is_inside(mean, count, DIMENSIONS[name])
            figures |= {f"nis_{name}": mean, f"nis_{name}_inside": 100.0 * inside}
    if smoothed.innovations is not None:
        innovations = smoothed.innovations[frames]
        figures["innovation_correlation"] = consistency.lag_one_correlation(innovations)
    return figures


def _late(recording: Recording, track: Track2D, told: Recording) -> Figures:
    assert recording.truth is not None
    assert told.truth is not None
    times_s, kind, frames = recording.times_s, recording.kind, settled(recording)
    truth = lateness.reference(recording.mean, recording.truth)
    errors, scale = lateness.error(track, truth), 100 / recording.eye_px
    figures = {
        "error": scale * float(np.sqrt(np.nanmean(np.square(errors[frames])))),
        "nmf": lateness.normalised_mean_flicker(track, truth),
    }
    if kind == "still":
        calm = track[frames & np.isfinite(track).all((1, 2))]
        figures["jitter"] = 100 * static_jitter(calm, recording.eye_px)
        figures["settle_s"] = lateness.settle_s(
            times_s, errors, lateness.error(recording.mean, truth)
        )
        figures["calm_s"] = lateness.calm_s(times_s, track)
    if kind in RIGID:
        figures["lag_ms"] = 1e3 * lateness.lag_s(times_s, track, truth)
    if kind == "step":
        response = lateness.step_response(times_s, track, truth)
        figures["half_ms"], figures["ninety_ms"] = 1e3 * response.half_s, 1e3 * response.ninety_s
        figures["stop_settle_s"] = response.settle_s
    if kind in _OPENINGS:
        opening = _OPENINGS[kind]
        courses = opening(track, recording.layout), opening(told.truth, told.layout)
        done = lateness.gesture(times_s, *courses)
        figures["kept"], figures["late_ms"] = 100 * done.kept, 1e3 * done.late_s
    return figures


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A method with one knob: medians over the faces."""

    knob: Any
    jitter: float
    """On still clips, % of the eye distance."""
    lag_ms: float
    """On pans at one eye distance a second."""
    error: float
    """RMS distance to the truth on the moving clips, % of the eye distance."""


def curve(method: Method, recordings: Sequence[Recording], every: int = 1) -> list[CurvePoint]:
    """The method over its range, and without it: every filter can be turned off.

    Args:
        method: With its range of knobs.
        recordings: At least a still one, a pan and one more that moves.
        every: Only each so many-th knob.
    """
    points = [_point(METHODS[RAW], None, recordings)]
    return points + [_point(method, knob, recordings) for knob in method.tuning[::every]]


def _point(method: Method, knob: Any, recordings: Sequence[Recording]) -> CurvePoint:
    jitter, lag, error = [], [], []
    for recording in recordings:
        if recording.kind not in ("still", "pan", "step") or recording.truth is None:
            continue
        figures = _late(recording, method.smooth(recording, knob).mean, recording)
        if recording.kind == "still":
            jitter.append(figures["jitter"])
        else:
            error.append(figures["error"])
        if recording.kind == "pan":
            lag.append(figures["lag_ms"])
    return CurvePoint(knob, *(statistics.median(values) for values in (jitter, lag, error)))


def front(points: Iterable[CurvePoint]) -> list[CurvePoint]:
    """The points that no other one beats in both jitter and lag, by rising lag."""
    best: list[CurvePoint] = []
    for point in sorted(points, key=lambda p: (p.lag_ms, p.jitter)):
        if not best or point.jitter < best[-1].jitter:
            best.append(point)
    return best


@dataclass(frozen=True, slots=True)
class Verdict:
    """One curve against another's."""

    rival: str
    jitter_ratio: float
    """Ours over the rival's at equal lag, where we do worst; at most 1: nowhere inside."""
    at_ms: float
    """The lag where that is."""
    lags_ms: tuple[float, float]
    """Ours and the rival's as calm as MediaPipe's One Euro; NaN where one never is."""

    @property
    def is_outside(self) -> bool:
        return self.jitter_ratio <= 1.0

    def __str__(self) -> str:
        found = "nowhere inside" if self.is_outside else "INSIDE"
        ours, theirs = (
            "never" if np.isnan(lag) else f"with a lag of {lag:.1f} ms" for lag in self.lags_ms
        )
        return (
            f"the default's curve is {found} that of {self.rival} (at worst "
            f"{self.jitter_ratio:.2f} times its jitter, at {self.at_ms:.1f} ms); "
            f"as calm as MediaPipe's One Euro {ours}, {self.rival} {theirs}"
        )


def compare(
    ours: Sequence[CurvePoint], theirs: Sequence[CurvePoint], jitter: float, rival: str
) -> Verdict:
    """Our front against every point of theirs, lag for lag, between points log-linearly.

    Args:
        ours: From no filter on.
        theirs: From no filter on; what is later than can be measured does not count.
        jitter: Level at which lags are compared.
        rival: Its name.
    """
    outline = front(_not_early(ours))
    longest_ms = 990 * lateness.LONGEST_LAG_S
    rivals = [p for p in front(_not_early(theirs)) if p.knob is not None and p.lag_ms < longest_ms]
    lags, heights = [p.lag_ms for p in outline], np.log([p.jitter for p in outline])
    ratios = [float(np.exp(np.interp(p.lag_ms, lags, heights)) / p.jitter) for p in rivals]
    calm = (_least_lag_ms(ours, jitter), _least_lag_ms(theirs, jitter))
    if not ratios:
        return Verdict(rival, 0.0, 0.0, calm)
    worst = int(np.argmax(ratios))
    return Verdict(rival, ratios[worst], rivals[worst].lag_ms, calm)


def _not_early(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """What seems to come before the raw measurements comes with them; lags as well as known."""
    known_ms = 1e3 * lateness.LAG_TOLERANCE_S
    lags = [known_ms * round(max(p.lag_ms, points[0].lag_ms) / known_ms) for p in points]
    return [replace(point, lag_ms=lag) for point, lag in zip(points, lags, strict=True)]


def _least_lag_ms(points: Sequence[CurvePoint], jitter: float) -> float:
    return min((p.lag_ms for p in points if p.jitter <= jitter), default=float("nan"))


def tuned_knob(points: Sequence[CurvePoint], jitter: float) -> Any:
    """The knob of least lag among those at least as calm; the calmest if none is."""
    tried = [p for p in points if p.knob is not None]
    calm = [p for p in tried if p.jitter <= jitter]
    if calm:
        return min(calm, key=lambda p: p.lag_ms).knob
    return min(tried, key=lambda p: p.jitter).knob


def described(knob: Any) -> Any:
    """A knob as JSON takes it."""
    if not is_dataclass(knob) or isinstance(knob, type):
        return knob
    return {key: None if value == np.inf else value for key, value in asdict(knob).items()}


def point_of(name: str, recordings: Sequence[Recording]) -> CurvePoint:
    """A method as it is used."""
    return _point(METHODS[name], METHODS[name].knob, recordings)


def chosen_knobs(curves: dict[str, list[CurvePoint]], jitter: float) -> dict[str, Any]:
    """The knob with which each method stands in the tables."""
    tuned = {name: tuned_knob(curves[name], jitter) for name in TUNED}
    return {name: tuned.get(name, method.knob) for name, method in METHODS.items()}


def median_of(rows: Iterable[Row], method: str, kinds: Sequence[str], figure: str) -> float | None:
    """Median over the clips of these kinds; None where there is none."""
    values = _values(rows, method, kinds, figure)
    return statistics.median(values) if values else None


def mean_of(rows: Iterable[Row], method: str, kinds: Sequence[str], figure: str) -> float:
    """Mean over the clips of these kinds, of which there is at least one."""
    return statistics.fmean(_values(rows, method, kinds, figure))


def _values(rows: Iterable[Row], method: str, kinds: Sequence[str], figure: str) -> list[float]:
    return [
        row.figures[figure]
        for row in rows
        if row.method == method and row.kind in kinds and figure in row.figures
    ]
