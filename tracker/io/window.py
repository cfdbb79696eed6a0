"""A live window."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

import cv2

from ..errors import SinkError
from ..types import Face, Frame, Image


class WindowClosed(Exception):  # noqa: N818
    """The user closed the live window or pressed q: the end, not an error."""


class WindowSink:
    """A live window; q or Escape ends the run."""

    def __init__(self, title: str, draw: Callable[[Frame, list[Face]], Image]) -> None:
        if not display_is_there():
            raise SinkError(
                "no display to show a window on: leave out --show, or write a video with "
                "--save-video overlay.mp4"
            )
        self._title, self._draw = title, draw

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Show one frame."""
        cv2.imshow(self._title, cv2.cvtColor(self._draw(frame, faces), cv2.COLOR_RGB2BGR))
        if cv2.waitKey(1) & 0xFF in (ord("q"), 27):
            raise WindowClosed
        if cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            raise WindowClosed

    def close(self) -> None:
        """Close the window."""
        with suppress(cv2.error):  # it may be closed already
            cv2.destroyWindow(self._title)


def display_is_there() -> bool:
    """Whether a window can be opened."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
