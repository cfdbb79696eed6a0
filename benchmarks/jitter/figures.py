"""The figures of one filter on one recording."""

from dataclasses import dataclass

import numpy as np

from tracker.run.stability import Track2D, lag_s, static_jitter

from . import consistency, smoothness, truth_metrics
from .recordings import Recording
from .rival_filters import FilterOutput

_SETTLING_S = 1.0
"""Left out of figures about a settled filter; a third of shorter clips."""
RIGID = ("pan", "drift", "zoom", "roll", "shake", "walk-up")
"""Kinds of clips in which the whole face moves as one."""
DIMENSIONS = {"landmarks": 2, "head": 4}
"""Of an innovation: the head's is a translation, a scale and a rotation."""

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One method on one recording."""

    method: str
    name: str
    kind: str
    figures: Figures


def settled(recording: Recording) -> np.ndarray:
    """Frames after the filters' start."""
    since = recording.times_s - recording.times_s[0]
    return since >= min(_SETTLING_S, float(since[-1]) / 3)


def measure(
    recording: Recording, output: FilterOutput, openings: Recording | None = None
) -> Figures:
    """The figures that exist for this kind of clip; lengths in % of the eye distance.

    Args:
        recording: Raw measurements, to whose constant bias the truth is shifted.
        output: Of the filter.
        openings: Whose truth gives the opening of eyes and mouth, if not the recording's own.
    """
    figures = _smoothness(recording, output.mean) | _consistency(recording, output)
    if recording.truth is not None:
        figures |= against_truth(recording, output.mean, openings or recording)
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def _smoothness(recording: Recording, track: Track2D) -> Figures:
    frames, scale = settled(recording), 100 / recording.eye_px
    tracks = {"": track, "_without_rigid": smoothness.without_rigid_motion(track)}
    return {
        f"acceleration{suffix}": scale
        * smoothness.acceleration(recording.times_s[frames], each[frames])
        for suffix, each in tracks.items()
    }


def _consistency(recording: Recording, output: FilterOutput) -> Figures:
    figures, frames = {}, settled(recording)
    if output.covariance is not None and recording.truth is not None:
        truth = truth_metrics.reference(recording.mean, recording.truth)[frames]
        figures["nees"] = consistency.nees(output.mean[frames], output.covariance[frames], truth)
    for name, of_frames in output.nis.items():
        nis = of_frames[frames & np.isfinite(of_frames)]
        if len(nis):
            inside = consistency.is_inside(float(nis.mean()), len(nis), DIMENSIONS[name])
            figures |= {f"nis_{name}": float(nis.mean()), f"nis_{name}_inside": 100.0 * inside}
    return figures


def against_truth(recording: Recording, track: Track2D, openings: Recording) -> Figures:
    """The figures that need the truth; `recording` and `openings` have it."""
    assert recording.truth is not None
    assert openings.truth is not None
    times_s, kind, frames = recording.times_s, recording.kind, settled(recording)
    truth = truth_metrics.reference(recording.mean, recording.truth)
    errors, scale = truth_metrics.error(track, truth), 100 / recording.eye_px
    figures = {"error": scale * float(np.sqrt(np.nanmean(np.square(errors[frames]))))}
    if kind == "still":
        raw = truth_metrics.error(recording.mean, truth)
        figures["jitter"] = 100 * static_jitter(track[frames], recording.eye_px)
        figures["error_settling_s"] = truth_metrics.error_settling_s(times_s, errors, raw)
        figures["jitter_settling_s"] = truth_metrics.jitter_settling_s(times_s, track)
    if kind in RIGID:
        figures["lag_ms"] = 1e3 * lag_s(times_s, track, truth)
    if kind == "step":
        figures["step_90_ms"] = 1e3 * truth_metrics.step_delay_s(times_s, track, truth)
    if kind in truth_metrics.OPENINGS:
        opening = truth_metrics.OPENINGS[kind]
        tracked, true = opening(track, recording.layout), opening(openings.truth, openings.layout)
        figures["amplitude"] = 100 * truth_metrics.gesture_amplitude(times_s, tracked, true)
    return figures
