"""Filters that plug in: ours and those that others use, all with settings to tune.

--filter benchmarks.jitter.plugins.example_filters:one_euro_filter
"""

from itertools import product

import numpy as np

from tracker.filter.config import MotionConfig, smoothed
from tracker.filter.landmark_filter import LandmarkFilter
from tracker.layouts import LAYOUTS, Layout, plain_layout

from ..methods import tracker_filter
from ..recordings import Recording
from ..rival_filters import Kalman, OneEuro, exponential, kalman, one_euro, savitzky_golay
from .plugin_loading import PluggedFilter, RawStretch, Smooth, SmoothStretch

_SMALL_NOISE = 1e-6
"""Square pixels below which no noise is believed."""


def _layout(count: int) -> Layout:
    known = {layout.count: layout for layout in LAYOUTS.values()}
    return known.get(count) or plain_layout(count)


def _ours(smoothing: float) -> Smooth:
    def smooth(raw: RawStretch) -> SmoothStretch:
        if raw.covariance is not None and raw.points.shape[1] in (68, 98, 29):
            output = tracker_filter(_recording(raw), smoothed(MotionConfig(), smoothing))
            return SmoothStretch(output.mean, output.covariance, output.nis["landmarks"])
        points = np.empty_like(raw.points)
        following = LandmarkFilter(_layout(points.shape[1]), smoothing=smoothing)
        for index, time_s in enumerate(raw.times_s.tolist()):
            noise = None if raw.covariance is None else raw.covariance[index]
            points[index] = following.update(raw.points[index], time_s, noise).mean
        return SmoothStretch(points)

    return smooth


def _recording(raw: RawStretch) -> Recording:
    assert raw.covariance is not None
    count = len(raw.points)
    return Recording(
        "track", "real", _layout(raw.points.shape[1]), raw.times_s, raw.points, raw.covariance,
        raw.covariance, np.ones(count), np.zeros(count, int),
    )  # fmt: skip


def _one_euro(constants: OneEuro) -> Smooth:
    return lambda raw: SmoothStretch(one_euro(raw.times_s, raw.points, constants))


def _exponential(time_constant_s: float) -> Smooth:
    return lambda raw: SmoothStretch(exponential(raw.times_s, raw.points, time_constant_s))


def _savitzky_golay(frames: int) -> Smooth:
    return lambda raw: SmoothStretch(savitzky_golay(raw.points, frames))


def _kalman(constants: Kalman, *, constant: bool) -> Smooth:
    def smooth(raw: RawStretch) -> SmoothStretch:
        noise = raw.covariance
        if noise is None:
            noise = np.broadcast_to(np.eye(2), (*raw.points.shape, 2)).copy()
        if constant:  # one variance, of the first frame: it needs no later one
            variance = np.trace(noise[0], axis1=-2, axis2=-1).mean() / 2
            noise = np.broadcast_to(variance * np.eye(2), noise.shape)
        noise = np.maximum(noise, 0) + _SMALL_NOISE * np.eye(2) if constant else noise
        return SmoothStretch(*kalman(raw.times_s, raw.points, noise, constants, raw.size_px))

    return smooth


def _spaced(low: float, high: float, count: int) -> list[float]:
    return [float(value) for value in np.geomspace(low, high, count)]


def _kalmans(*memories: float) -> list[Kalman]:
    return [
        Kalman(noise_scale=scale, velocity_memory_s=memory)
        for memory, scale in product(memories, _spaced(1e-3, 1e3, 7))
    ]


ours = PluggedFilter("ours", _ours, 0.5, (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95))
one_euro_filter = PluggedFilter(
    "One Euro",
    _one_euro,
    OneEuro(),
    [OneEuro(min_cutoff_hz=c, beta=b) for c, b in product(_spaced(0.02, 5, 6), (1.0, 8.0, 80.0))],
)
exponential_filter = PluggedFilter("exponential", _exponential, 0.1, _spaced(0.01, 1, 8))
constant_kalman = PluggedFilter(
    "Kalman, constant R", lambda c: _kalman(c, constant=True), Kalman(), _kalmans(0.3, np.inf)
)
predicted_kalman = PluggedFilter(
    "Kalman, predicted R", lambda c: _kalman(c, constant=False), Kalman(), _kalmans(0.3, np.inf)
)
savitzky_golay_filter = PluggedFilter("Savitzky-Golay", _savitzky_golay, 31, (5, 9, 15, 31))

ALL: dict[str, PluggedFilter] = {
    "ours": ours,
    "one-euro": one_euro_filter,
    "exponential": exponential_filter,
    "kalman": constant_kalman,
    "kalman-predicted": predicted_kalman,
    "savitzky-golay": savitzky_golay_filter,
}
"""By the short names that `--filter` knows."""
