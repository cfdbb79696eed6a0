"""The window of a check: the picture as in a mirror, and what to do in large letters."""

from ..io.window import WindowSink
from ..io.window_overlay import draw_banner
from ..layouts import Layout
from ..types import Face, Frame, Image
from .check_guide import Guide


class GuideWindow(WindowSink):
    """A live window that says what to do.

    Args:
        title: Of the window.
        layout: Of the landmarks.
        guide: Says it.

    Raises:
        SinkError: If there is no display.
    """

    def __init__(self, title: str, layout: Layout, guide: Guide) -> None:
        super().__init__(title, layout, ellipses=False, raw=False)
        self._guide, self._mirror = guide, True

    def _drawn(self, frame: Frame, faces: list[Face]) -> Image:
        canvas = super()._drawn(frame, faces)
        draw_banner(canvas, self._guide.line(frame.time_s))
        return canvas
