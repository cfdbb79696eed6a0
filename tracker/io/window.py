"""A live window, and its keys."""

import os
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2

from ..errors import SinkError
from ..layouts import Layout
from ..run.queues import WriteBehind
from ..types import Face, Frame, Image
from .drawing import draw_faces
from .video_writer import VideoSink
from .window_overlay import draw_lines, mirrored_view, square_pixels

_STEP = 0.1
"""Of the smoothing, with each key."""
_RATE_S = 1.0
_RECORDED_AHEAD = 60
"""Frames of a recording that wait to be encoded."""
_HELP = (
    "q Esc\tend",
    "h\tthis help",
    "e\tellipses",
    "r\traw or filtered landmarks",
    "m\tmirror",
    "p\taxes of the head pose",
    "+ -\tmore or less smoothing",
    "v\trecord what is shown, or stop",
)


class WindowClosed(Exception):  # noqa: N818
    """The user closed the live window or pressed q: the end, not an error."""


@dataclass(slots=True)
class Steering:
    """What keys of the window change in the tracker."""

    smoothing: float
    set_smoothing: Callable[[float], None]


class WindowSink:
    """A live window with ids, frames per second, and the age of what is shown.

    Args:
        title: Of the window.
        layout: Of the landmarks.
        ellipses: Shown at first.
        raw: Landmarks as measured at first.
        steering: Of the tracker; None where smoothing stays as it is.
        frame_rate: Of recordings.
    """

    def __init__(
        self,
        title: str,
        layout: Layout,
        *,
        ellipses: bool,
        raw: bool,
        steering: Steering | None = None,
        frame_rate: float = 30.0,
    ) -> None:
        if not display_is_there():
            raise SinkError(
                "no display to show a window on: leave out --show, or write a video with "
                "--save-video overlay.mp4"
            )
        self._title, self._layout, self._steering = title, layout, steering
        self._ellipses, self._raw = ellipses, raw
        self._mirror = self._help = False
        self._axes = True
        self._rate = frame_rate
        self._shown_s: deque[float] = deque()
        self._recording: _Recording | None = None
        self._keys = {
            "e": self._toggle("_ellipses"), "r": self._toggle("_raw"),
            "m": self._toggle("_mirror"), "p": self._toggle("_axes"), "h": self._toggle("_help"),
            "+": lambda: self._smooth(_STEP), "=": lambda: self._smooth(_STEP),
            "-": lambda: self._smooth(-_STEP), "v": self._record,
        }  # fmt: skip

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Show one frame, and do what its keys say."""
        canvas = square_pixels(self._drawn(frame, faces), frame.pixel_aspect)
        if self._recording is not None:
            self._recording.add(frame, canvas.copy())
        draw_lines(canvas, self._texts(frame), shaded=self._help)
        cv2.imshow(self._title, cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR))
        self._press(cv2.waitKey(1))
        if cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            raise WindowClosed

    def close(self) -> None:
        """Close the window, and a recording that runs."""
        if self._recording is not None:
            self._recording.close()
        with suppress(cv2.error):  # it may be closed already
            cv2.destroyWindow(self._title)

    def _drawn(self, frame: Frame, faces: list[Face]) -> Image:
        image = frame.image
        if self._mirror:
            image, faces = mirrored_view(image, faces)
        return draw_faces(
            image,
            faces,
            self._layout,
            ellipses=self._ellipses,
            raw=self._raw,
            axes=self._axes,
        )

    def _texts(self, frame: Frame) -> list[str]:
        now = time.monotonic()
        self._shown_s.append(now)
        while self._shown_s[0] < now - _RATE_S:
            self._shown_s.popleft()
        figures = [f"{len(self._shown_s)} fps", f"{1000 * (now - frame.arrived_s):.0f} ms old"]
        if self._steering is not None:
            figures.append(f"smoothing {self._steering.smoothing:.1f}")
        figures += ["raw"] * self._raw + ["recording"] * (self._recording is not None)
        return ["   ".join(figures), *(_HELP if self._help else ("h help",))]

    def _press(self, key: int) -> None:
        pressed = key & 0xFF
        if key < 0:
            return
        if pressed in (ord("q"), 27):
            raise WindowClosed
        act = self._keys.get(chr(pressed))
        if act is not None:
            act()

    def _toggle(self, name: str) -> Callable[[], None]:
        return lambda: setattr(self, name, not getattr(self, name))

    def _smooth(self, by: float) -> None:
        if self._steering is not None:
            wanted = min(max(round(self._steering.smoothing + by, 1), 0.0), 1.0)
            self._steering.set_smoothing(wanted)
            self._steering.smoothing = wanted

    def _record(self) -> None:
        if self._recording is not None:
            self._recording.close()
            self._recording = None
        else:
            name = time.strftime("recording-%Y%m%d-%H%M%S.mp4")
            self._recording = _Recording(Path(name), self._rate)


class _Recording:
    """A film of what is shown, encoded in a thread of its own; no frame of it is lost."""

    def __init__(self, path: Path, frame_rate: float) -> None:
        self._sink = VideoSink(path, frame_rate, lambda frame, _: frame.image, overwrite=False)
        self._writer = WriteBehind(self._write, _RECORDED_AHEAD)
        self._writer.__enter__()

    def add(self, frame: Frame, canvas: Image) -> None:
        self._writer.put(Frame(frame.index, frame.time_s, canvas))

    def close(self) -> None:
        try:
            self._writer.__exit__(None, None, None)
        finally:
            self._sink.close()

    def _write(self, frame: Frame) -> None:
        self._sink.write(frame, [])


def display_is_there() -> bool:
    """Whether a window can be opened."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
