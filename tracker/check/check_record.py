"""A sink that keeps what a check measures of the main face in each frame."""

from dataclasses import dataclass, replace

import numpy as np

from ..analysis.rotations import yaw_pitch_roll_deg
from ..layouts import IBUG_68, Layout
from ..run.stability import moving_jitter
from ..types import Face, Frame, Image, Points
from .check_guide import Guide

_RIGID_OF_68 = (*range(27, 37), 39, 42, 45)
"""Nose and corners of the eyes: what neither speaks nor blinks."""
_BRIGHTEST = 90.0
"""Percentile of the face's grey levels: skin in the light, whatever its tone."""
_BURNT_FROM = 250
_MOST_PLACES = 64
"""Across a face, at which its light is measured, twice as many at most."""


@dataclass(frozen=True, slots=True)
class CheckedFrame:
    """Figures of one frame; NaN where they are not known."""

    time_s: float
    stage: str
    """Empty before the first and where nobody guides."""
    faces: int
    track_id: int = -1
    eye_px: float = np.nan
    speed: float = np.nan
    """Of the middle of the eyes, eye distances a second."""
    raw_jitter: float = np.nan
    """% of the eye distance, the head's motion off; of nose and corners of the eyes."""
    jitter: float = np.nan
    """The same of the filtered landmarks."""
    light: float = np.nan
    """Mean grey level of the face, 0 to 255."""
    bright: float = np.nan
    """Grey level that a tenth of the face exceeds."""
    burnt: float = np.nan
    """Share of the face whose grey level is as high as it goes."""
    uneven: float = np.nan
    """Of the halves of the face, how many times the brighter one is as bright."""
    yaw_deg: float = np.nan
    openness: float = np.nan
    """Of the eyes, 1 is this person's usual."""
    jaw_open: float = np.nan
    blinked: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    time_s: float
    track_id: int
    raw: Points
    filtered: Points


class CheckRecord:
    """Keeps a row for each frame, and begins the guide with the first face.

    Args:
        layout: Of the landmarks.
        guide: Names the stages; None where nobody is guided.
    """

    def __init__(self, layout: Layout, guide: Guide | None) -> None:
        self.rows: list[CheckedFrame] = []
        self._layout, self._guide = layout, guide
        self._last: list[_Seen] = []
        self._rigid = list(_RIGID_OF_68 if layout == IBUG_68 else range(layout.count))

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Measure one frame."""
        believed = [face for face in faces if face.is_believed]
        stage = ""
        if self._guide is not None:
            self._guide.see(frame.time_s, face=bool(believed))
            now = self._guide.at(frame.time_s)
            stage = now[0].key if now else ""
        if not believed:
            self._last.clear()
            self.rows.append(CheckedFrame(frame.time_s, stage, 0))
            return
        main = max(believed, key=lambda face: self._layout.interocular(face.landmarks.mean))
        self.rows.append(self._measured(frame, main, stage, len(believed)))

    def close(self) -> None:
        """Nothing is open."""

    def _measured(self, frame: Frame, face: Face, stage: str, count: int) -> CheckedFrame:
        assert face.measured is not None
        points, eye_px = face.landmarks.mean, float(self._layout.interocular(face.landmarks.mean))
        seen = _Seen(frame.time_s, face.track_id, face.measured.mean, points)
        if self._last and (
            self._last[-1].track_id != seen.track_id or self._last[-1].time_s >= seen.time_s
        ):
            self._last.clear()
        self._last = [*self._last[-2:], seen]
        raw_jitter, jitter = self._jitters(eye_px)
        row = CheckedFrame(
            frame.time_s, stage, count, face.track_id, eye_px, self._speed(eye_px),
            raw_jitter, jitter, *_light_of(frame.image, points),
        )  # fmt: skip
        analysis = face.analysis
        if analysis is None:
            return row
        eyes, jaw = (analysis.left_eye, analysis.right_eye), analysis.expression.get("jawOpen")
        return replace(
            row,
            yaw_deg=float(yaw_pitch_roll_deg(analysis.pose.rotation)[0]),
            openness=float(np.mean([eye.openness.value for eye in eyes])),
            jaw_open=np.nan if jaw is None else jaw.value,
            blinked=analysis.blink is not None,
        )

    def _speed(self, eye_px: float) -> float:
        if len(self._last) < 2:
            return np.nan
        before, now = self._last[-2:]
        way = now.filtered.mean(0) - before.filtered.mean(0)
        return float(np.linalg.norm(way)) / eye_px / (now.time_s - before.time_s)

    def _jitters(self, eye_px: float) -> tuple[float, float]:
        """In percent, of the raw and of the filtered landmarks."""
        if len(self._last) < 3:
            return np.nan, np.nan
        first, middle, last = self._last
        times_s = (first.time_s, middle.time_s, last.time_s)
        raw, filtered = (
            np.stack([getattr(seen, kind)[self._rigid] for seen in self._last])
            for kind in ("raw", "filtered")
        )
        return (
            100 * moving_jitter(times_s, raw, eye_px),
            100 * moving_jitter(times_s, filtered, eye_px),
        )


def _light_of(image: Image, points: Points) -> tuple[float, float, float, float]:
    """Mean, bright, burnt and uneven of `CheckedFrame`."""
    height, width = image.shape[:2]
    low = np.clip(np.floor(points.min(0)).astype(int), 0, [width - 1, height - 1])
    high = np.clip(np.ceil(points.max(0)).astype(int), low + 1, [width, height])
    step = max(int((high - low).max()) // _MOST_PLACES, 1)
    grey = image[low[1] : high[1] : step, low[0] : high[0] : step].mean(-1)
    middle = grey.shape[1] // 2
    halves = [float(half.mean()) for half in (grey[:, :middle], grey[:, middle:]) if half.size]
    uneven = (max(halves) + 1) / (min(halves) + 1)
    bright = float(np.percentile(grey, _BRIGHTEST))
    return float(grey.mean()), bright, float((grey >= _BURNT_FROM).mean()), uneven
