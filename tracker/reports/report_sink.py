"""Collects what a report shows of one video while it is tracked; its page is written at the end."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..io.provenance import Provenance, write_whole
from ..io.sources import Source
from ..io.tables import chosen
from ..layouts import Layout
from ..run.stability import moving_jitter
from ..types import Face, Frame, Points
from .binned_series import BinnedSeries
from .thumbnails import Thumbnails
from .video_figures import FaceLives, VideoFigures
from .video_page import SERIES, video_page

_Seen = tuple[float, Points]
"""Time of a frame, and the landmarks of a face in it."""


class ReportSink:
    """Bounded in memory, however long the video.

    Args:
        path: Of the page.
        source: Of the frames; its losses are counted as they grow.
        layout: Of the landmarks.
        raw: Landmarks as measured.
        ellipses: In the thumbnails.
        made: What the page says of how it was made.
    """

    def __init__(
        self,
        path: Path,
        source: Source,
        layout: Layout,
        *,
        raw: bool = False,
        ellipses: bool = False,
        made: Provenance | None = None,
    ) -> None:
        self._path, self._source, self._layout, self._raw = path, source, layout, raw
        self._made = made
        self._series, self._lives = BinnedSeries(SERIES), FaceLives()
        self._thumbnails = Thumbnails(layout, raw=raw, ellipses=ellipses)
        self._before: dict[int, list[_Seen]] = {}
        self._last_index, self._damaged = -1, 0
        self._most, self._first_s, self._last_s = 0, 0.0, 0.0
        self._frames = 0
        self._is_open = True

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Take one frame."""
        believed = sum(face.is_believed for face in faces)
        motions, jitters = self._movements(frame.time_s, faces)
        damaged = self._source.losses.passed_over + self._source.losses.marred
        figures: dict[str, Sequence[float]] = {
            "tracked": [float(believed > 0)],
            "faces": [float(believed)],
            "confidence": [face.confidence for face in faces],
            "jitter": jitters,
            "motion": motions,
            "dropped": [max(frame.index - self._last_index - 1, 0)],
            "damaged": [damaged - self._damaged],
        }
        self._first_s = self._first_s if self._frames else frame.time_s
        self._last_index, self._damaged, self._last_s = frame.index, damaged, frame.time_s
        self._frames += 1
        self._most = max(self._most, believed)
        self._series.add(frame.time_s, figures)
        self._thumbnails.take(frame, faces)
        for face in faces:
            self._lives.see(face.track_id, frame.time_s)

    def _movements(self, time_s: float, faces: list[Face]) -> tuple[list[float], list[float]]:
        """How fast heads move, eye distances per second, and the jitter, % of an eye distance."""
        motions, jitters = [], []
        before, self._before = self._before, {}
        for face in [] if self._source.holds_stills else faces:
            estimate = chosen(face, raw=self._raw)
            if estimate is None or face.is_predicted:
                continue
            seen: list[_Seen] = [*before.get(face.track_id, []), (time_s, estimate.mean)][-3:]
            self._before[face.track_id] = seen
            unit = float(self._layout.length(estimate.mean))
            times, points = zip(*seen, strict=True)
            if len(seen) < 2 or times[-2] >= time_s or not unit > 0:
                continue
            moved = float(np.linalg.norm((points[-1] - points[-2]).mean(0)))
            motions.append(moved / unit / (time_s - times[-2]))
            if len(seen) == 3 and times[0] < times[1]:
                jitters.append(100 * moving_jitter(times, np.stack(points), unit))
        return motions, jitters

    def figures(self) -> VideoFigures:
        """Of what was seen so far."""
        series = self._series
        return VideoFigures(
            name=self._source.name,
            page=self._path.name,
            seconds=self._last_s - self._first_s,
            frames=self._frames,
            announced=self._source.frame_count,
            tracked=series.mean("tracked"),
            confidence=series.mean("confidence"),
            jitter_percent=series.mean("jitter"),
            motion=series.mean("motion"),
            faces=self._lives.count,
            most_faces=self._most,
            dropped=round(series.total("dropped")),
            damaged=round(series.total("damaged")),
        )

    def close(self) -> None:
        """Write the page.

        Raises:
            SinkError: If it cannot be written.
        """
        if not self._is_open:
            return
        self._is_open = False
        self._series.widen_to(2 * (self._last_s - self._first_s) / max(self._frames - 1, 1))
        pictures = self._thumbnails.chosen()
        page = video_page(self.figures(), self._series, self._lives, pictures, self._made)
        write_whole(self._path, page)
