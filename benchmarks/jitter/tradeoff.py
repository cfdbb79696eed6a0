"""The trade-off of a filter between jitter and lag over all its settings, and who wins it."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any

import numpy as np

from tracker.run.stability import LAG_TOLERANCE_S, LONGEST_LAG_S

from .figures import against_truth
from .methods import METHODS, RAW, TUNED, Method
from .recordings import Recording


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A method with one setting: medians over the faces."""

    setting: Any
    jitter: float
    """On still clips, % of the eye distance."""
    lag_ms: float
    """On pans at one eye distance a second."""
    error: float
    """RMS distance to the truth on the moving clips, % of the eye distance."""


def curve(method: Method, recordings: Sequence[Recording], every: int = 1) -> list[CurvePoint]:
    """The method with all its settings, and no filter: every filter can be turned off.

    Args:
        method: With the settings to try.
        recordings: At least a still one, a pan and one more that moves.
        every: Only each n-th setting.
    """
    points = [point(METHODS[RAW], None, recordings)]
    return points + [point(method, setting, recordings) for setting in method.tried[::every]]


def point(method: Method, setting: Any, recordings: Sequence[Recording]) -> CurvePoint:
    """A method with one setting on the still, panning and stepping clips."""
    jitter, lag, error = [], [], []
    for recording in recordings:
        if recording.kind not in ("still", "pan", "step") or recording.truth is None:
            continue
        track = method.smooth(recording, setting).mean
        figures = against_truth(recording, track, recording)
        if recording.kind == "still":
            jitter.append(figures["jitter"])
        else:
            error.append(figures["error"])
        if recording.kind == "pan":
            lag.append(figures["lag_ms"])
    return CurvePoint(setting, *(statistics.median(values) for values in (jitter, lag, error)))


def front(points: Iterable[CurvePoint], by: str = "lag_ms") -> list[CurvePoint]:
    """The Pareto front: points that no other one beats in both jitter and lag, by rising lag."""
    best: list[CurvePoint] = []
    for each in sorted(points, key=lambda p: (getattr(p, by), p.jitter)):
        if not best or each.jitter < best[-1].jitter:
            best.append(each)
    return best


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our curve against another one."""

    rival: str
    jitter_ratio: float
    """Ours over the rival's at equal lag, at the worst lag; at most 1: ours is below everywhere."""
    at_ms: float
    """The lag where that is."""
    lags_ms: tuple[float, float]
    """Ours and the rival's at the baseline's jitter; NaN where one never gets there."""

    @property
    def is_below(self) -> bool:
        return self.jitter_ratio <= 1.0

    def __str__(self) -> str:
        ours, theirs = ("never" if np.isnan(lag) else f"{lag:.1f} ms" for lag in self.lags_ms)
        return (
            f"the default's curve is {'below' if self.is_below else 'NOT below'} that of "
            f"{self.rival} (at worst {self.jitter_ratio:.2f} times its jitter, at {self.at_ms:.1f} "
            f"ms); lag at the jitter of MediaPipe's One Euro: {ours}, {self.rival} {theirs}"
        )


def compare(
    ours: Sequence[CurvePoint], theirs: Sequence[CurvePoint], jitter: float, rival: str
) -> Comparison:
    """Our front against every point of theirs at equal lag, between points log-linearly.

    Args:
        ours: From no filter on.
        theirs: From no filter on; lags beyond the longest measurable one do not count.
        jitter: Level at which lags are compared.
        rival: Its name.
    """
    outline = front(_quantised(ours))
    longest_ms = 990 * LONGEST_LAG_S
    points = front(_quantised(theirs))
    rivals = [p for p in points if p.setting is not None and p.lag_ms < longest_ms]
    lags, heights = [p.lag_ms for p in outline], np.log([p.jitter for p in outline])
    ratios = [float(np.exp(np.interp(p.lag_ms, lags, heights)) / p.jitter) for p in rivals]
    at_level = (_least_lag_ms(ours, jitter), _least_lag_ms(theirs, jitter))
    if not ratios:
        return Comparison(rival, 0.0, 0.0, at_level)
    worst = int(np.argmax(ratios))
    return Comparison(rival, ratios[worst], rivals[worst].lag_ms, at_level)


def _quantised(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Lags in units of their tolerance, none before that of the raw measurements."""
    unit_ms = 1e3 * LAG_TOLERANCE_S
    lags = [unit_ms * round(max(p.lag_ms, points[0].lag_ms) / unit_ms) for p in points]
    return [replace(each, lag_ms=lag) for each, lag in zip(points, lags, strict=True)]


def _least_lag_ms(points: Sequence[CurvePoint], jitter: float) -> float:
    return min((p.lag_ms for p in points if p.jitter <= jitter), default=float("nan"))


def tuned_setting(points: Sequence[CurvePoint], jitter: float) -> Any:
    """The setting of least lag among those of at most this jitter; else that of least jitter."""
    tried = [p for p in points if p.setting is not None]
    if low := [p for p in tried if p.jitter <= jitter]:
        return min(low, key=lambda p: p.lag_ms).setting
    return min(tried, key=lambda p: p.jitter).setting


def chosen_settings(curves: dict[str, list[CurvePoint]], jitter: float) -> dict[str, Any]:
    """The setting with which each method stands in the tables."""
    tuned = {name: tuned_setting(curves[name], jitter) for name in TUNED}
    return {name: tuned.get(name, method.setting) for name, method in METHODS.items()}


def as_json(setting: Any) -> Any:
    """A setting as JSON takes it."""
    if not is_dataclass(setting) or isinstance(setting, type):
        return setting
    return {key: None if value == np.inf else value for key, value in asdict(setting).items()}
