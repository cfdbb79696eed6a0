"""A source whose frames are watched as they arrive, before any is dropped to stay live."""

from collections.abc import Iterator
from typing import Self

import numpy as np
from jaxtyping import Float

from ..io.sources import Source
from ..types import Frame, Image
from .check_guide import Guide

_EVERY_PIXELS = 4
_LARGEST_CHANGE = 20.0
"""Grey levels from frame to frame beyond which a pixel shows motion, not noise."""


class WatchedSource:
    """Frames of a source up to the end of a guide, or of so many seconds.

    Args:
        source: Open.
        guide: Ends it; None: `longest_s` does.
        longest_s: Of the frames' time.
    """

    def __init__(self, source: Source, guide: Guide | None, longest_s: float) -> None:
        self._source, self._guide, self._longest_s = source, guide, longest_s
        self.name, self.frame_rate = source.name, source.frame_rate
        self.is_live, self.holds_stills = source.is_live, source.holds_stills
        self.losses = source.losses
        self.frame_count: int | None = None
        if guide is None and source.frame_count is not None:
            self.frame_count = min(source.frame_count, round(longest_s * source.frame_rate) + 1)
        self.size = (0, 0)
        """Width and height of the last frame."""
        self._rows: list[tuple[float, float]] = []
        self._before: Image | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Whoever opened the source closes it."""

    def __iter__(self) -> Iterator[Frame]:
        first_s: float | None = None
        for frame in self._source:
            first_s = frame.time_s if first_s is None else first_s
            if self._guide is not None and self._guide.is_over(frame.time_s):
                break
            if frame.time_s - first_s > self._longest_s:
                break
            self._note(frame)
            yield frame

    def _note(self, frame: Frame) -> None:
        few = frame.image[::_EVERY_PIXELS, ::_EVERY_PIXELS, 1]
        change = np.nan
        if self._before is not None and self._before.shape == few.shape:
            off = np.minimum(np.abs(few.astype(np.float32) - self._before), _LARGEST_CHANGE)
            change = float(np.sqrt(np.square(off).mean() / 2))
        self._rows.append((frame.time_s, change))
        self._before, self.size = few, (frame.image.shape[1], frame.image.shape[0])

    @property
    def arrivals_s(self) -> Float[np.ndarray, " frames"]:
        """Times of all frames."""
        return np.array([time_s for time_s, _ in self._rows])

    @property
    def changes(self) -> Float[np.ndarray, " frames"]:
        """RMS change since the frame before over sqrt 2, grey levels: noise where nothing moves."""
        return np.array([change for _, change in self._rows])
