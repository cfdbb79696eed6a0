"""The filters that are compared, by name, each with the settings that are tried."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from tracker.filter.config import MotionConfig, smoothed
from tracker.filter.head_filter import HeadFilter
from tracker.run.offline import smoothed_faces
from tracker.track import Track, begin, coasted, estimates, updated
from tracker.types import Face

from .recordings import Recording
from .rival_filters import (
    FilterOutput,
    Kalman,
    OneEuro,
    constant_noise_kalman,
    exponential,
    filtered,
    one_euro,
    predicted_noise_kalman,
    savitzky_golay,
)


@dataclass(frozen=True, slots=True)
class Method:
    """A filter with its default setting and the settings among which it may be tuned."""

    smooth: Callable[[Recording, Any], FilterOutput]
    setting: Any
    """As it is used without tuning."""
    tried: Sequence[Any] = ()


def raw(recording: Recording, _: None = None) -> FilterOutput:
    """No filter."""
    return FilterOutput(recording.mean)


def _exponential(recording: Recording, time_constant_s: float) -> FilterOutput:
    return filtered(recording, lambda times, track: exponential(times, track, time_constant_s))


def _one_euro(recording: Recording, constants: OneEuro) -> FilterOutput:
    return filtered(recording, lambda times, track: one_euro(times, track, constants))


def _savitzky_golay(recording: Recording, frames: int) -> FilterOutput:
    return filtered(recording, lambda _, track: savitzky_golay(track, frames))


def default_filter(recording: Recording, smoothing: float) -> FilterOutput:
    """The tracker's own with `--smoothing`."""
    return tracker_filter(recording, smoothed(MotionConfig(), smoothing))


def tracker_filter(recording: Recording, config: MotionConfig) -> FilterOutput:
    """Through the functions that `FaceTracker` calls."""
    head_filter = HeadFilter(recording.layout, config)
    mean = np.full_like(recording.mean, np.nan)
    covariance = np.full_like(recording.measurement_noise, np.nan)
    nis = {name: np.full(len(mean), np.nan) for name in ("landmarks", "head")}
    log_likelihood = np.full(len(mean), np.nan)
    track: Track | None = None
    for frame, time_s in enumerate(recording.times_s.tolist()):
        track = _followed(track, recording, frame, time_s, head_filter)
        if track is None or not recording.is_measured[frame]:
            continue
        mean[frame] = estimates([track], head_filter)[0].mean
        covariance[frame] = head_filter.covariance(track.state.alone)[0]
        if (innovations := track.state.innovations) is not None:
            nis["landmarks"][frame] = innovations.landmarks[0]
            nis["head"][frame] = innovations.head[0]
            log_likelihood[frame] = innovations.log_likelihood[0]
    return FilterOutput(mean, covariance, nis, log_likelihood=log_likelihood)


def offline_filter(recording: Recording, config: MotionConfig) -> FilterOutput:
    """The tracker's own with `--offline`."""
    faces = [
        [_as_tracked(recording, frame)] if measured else []
        for frame, measured in enumerate(recording.is_measured)
    ]
    times_s, head_filter = recording.times_s.tolist(), HeadFilter(recording.layout, config)
    mean = np.full_like(recording.mean, np.nan)
    for frame, found in enumerate(smoothed_faces(times_s, faces, head_filter)):
        if found:
            mean[frame] = found[0].landmarks.mean
    return FilterOutput(mean)


def _as_tracked(recording: Recording, frame: int) -> Face:
    raw = recording.measurement(frame)
    return Face(
        int(recording.ids[frame]),
        raw.confidence,
        raw.landmarks,
        measured=raw.landmarks,
        measurement_noise=raw.measurement_noise,
    )


def _followed(
    track: Track | None,
    recording: Recording,
    frame: int,
    time_s: float,
    head_filter: HeadFilter,
) -> Track | None:
    track_id = int(recording.ids[frame])
    if track_id < 0:
        return track and coasted(track, float("nan"), time_s, head_filter)
    measurement = recording.measurement(frame)
    if track is None or track.track_id != track_id:
        return begin(track_id, measurement, time_s, head_filter)
    return updated([track], [measurement], time_s, head_filter)[0]


def _spaced(low: float, high: float, count: int) -> list[float]:
    return np.geomspace(low, high, count).tolist()


METHODS: dict[str, Method] = {
    "raw": Method(raw, None),
    "exponential average, tuned": Method(_exponential, 0.1, _spaced(0.01, 2, 12)),
    "One Euro, MediaPipe": Method(_one_euro, OneEuro()),
    "One Euro, tuned": Method(
        _one_euro,
        OneEuro(),
        [
            OneEuro(min_cutoff_hz=cutoff, beta=beta)
            for cutoff, beta in product(_spaced(0.02, 5, 9), _spaced(0.5, 320, 8))
        ],
    ),
    "constant-R Kalman, tuned": Method(
        constant_noise_kalman,
        Kalman(),
        [
            Kalman(noise_scale=scale, velocity_memory_s=memory)
            for memory, scale in product((0.1, 0.3, np.inf), _spaced(1e-4, 1e4, 13))
        ],
    ),
    "predicted-R Kalman, tuned": Method(
        predicted_noise_kalman,
        Kalman(),
        [
            Kalman(noise_scale=scale, velocity_memory_s=memory)
            for memory, scale in product((0.3, np.inf), _spaced(1e-4, 1e2, 7))
        ],
    ),
    "default, no adaptive noise": Method(
        tracker_filter, replace(MotionConfig(), initial_noise_factor=1.0, noise_factor_range=1.0)
    ),
    "default, all landmarks independent": Method(
        tracker_filter, replace(MotionConfig(), independent_landmarks=20.0)
    ),
    "default, one motion hypothesis": Method(
        tracker_filter,
        replace(
            MotionConfig(), random_walk=(0.02,), acceleration_noise=(2.7,), still_random_walk=0.3
        ),
    ),
    "default": Method(default_filter, 0.5, [0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9]),
    "default, --smoothing 0.2": Method(default_filter, 0.2),
    "default, --smoothing 1": Method(default_filter, 1.0),
    "Savitzky-Golay, offline": Method(_savitzky_golay, 31),
    "default, --offline": Method(offline_filter, MotionConfig()),
}
DEFAULT, RAW = "default", "raw"
BASELINE = "One Euro, MediaPipe"
"""The usual filter of the field: others are tuned to its jitter on still clips."""
TUNED = (
    "exponential average, tuned",
    "One Euro, tuned",
    "constant-R Kalman, tuned",
    "predicted-R Kalman, tuned",
)
"""In tables with the setting of least lag whose jitter is at most the baseline's, same clips."""
