"""The trade-off of a filter between jitter and lag over all its settings, and its tuning by it."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

import numpy as np

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
