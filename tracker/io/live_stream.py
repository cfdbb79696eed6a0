"""A stream that waits for nobody, followed again when the connection was lost."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Self

from ..errors import SourceError
from ..types import Frame
from .read_losses import Losses
from .video_reader import Video

_LOGGER = logging.getLogger(__name__)
_RETRY_S = 0.5


class LiveStream:
    """One video after the other, each as long as its connection lasts; times go on.

    Args:
        connect: Opens the stream, anew each time.
        reconnect_s: So long a lost stream is looked for.

    Raises:
        SourceError: If it cannot be opened.
    """

    is_live = True
    holds_stills = False
    frame_count: int | None = None

    def __init__(self, connect: Callable[[], Video], reconnect_s: float) -> None:
        self._connect, self._reconnect_s = connect, reconnect_s
        self._video: Video | None = connect()
        self.name, self.frame_rate = self._video.name, self._video.frame_rate
        self.losses = Losses()
        self._is_closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._is_closed.set()
        if self._video:
            self._video.close()

    def __iter__(self) -> Iterator[Frame]:
        """Frames from now on, until the stream ends and does not come back in time."""
        index, last_s, shift_s, ended_s = 0, 0.0, None, time.monotonic()
        while self._video is not None:
            for frame in self._video:
                if shift_s is None:
                    gap_s = time.monotonic() - ended_s
                    shift_s = (last_s + gap_s - frame.time_s) if index else 0.0
                last_s = max(last_s, frame.time_s + shift_s)
                yield replace(frame, index=index, time_s=last_s)
                index += 1
                del frame
            self.losses.frames = index
            self.losses.passed_over += self._video.losses.passed_over
            self.losses.marred += self._video.losses.marred
            self._video.close()
            shift_s, ended_s = None, time.monotonic()
            self._video = self._found_again(ended_s)
            self.losses.breaks += self._video is not None
        if not self._is_closed.is_set():
            _LOGGER.warning("%s: the stream ended after %d frames", self.name, index)

    def _found_again(self, ended_s: float) -> Video | None:
        while time.monotonic() - ended_s < self._reconnect_s:
            if self._is_closed.wait(_RETRY_S):
                return None
            try:
                return self._connect()
            except SourceError:
                continue
        return None
