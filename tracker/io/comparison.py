"""Raw on the left, filtered on the right, enlarged around eyes and mouth."""

import cv2
import numpy as np
from jaxtyping import Float

from ..crop import transform, transform_covariance
from ..layouts import Layout
from ..types import Face, Frame, Image, LandmarkEstimate
from .drawing import draw_estimate

_PANEL_PX = 640
_MARGIN = 1.25
"""Side of what is shown over the longer side of the landmarks' box."""
_SLACK = 0.15
"""The window stays where it is until the face has moved by this share of its side: it must not
jitter with the landmarks."""
_RAW, _FILTERED = (255, 110, 90), (80, 220, 100)


class SideBySide:
    """Paints the oldest face of every frame twice; a dark picture while there is none.

    Args:
        layout: Of the landmarks.
        ellipses: Draw the region that holds each landmark with 95 % probability.
    """

    size = (2 * _PANEL_PX, _PANEL_PX)

    def __init__(self, layout: Layout, *, ellipses: bool) -> None:
        self._layout, self._ellipses = layout, ellipses
        self._window: tuple[float, float, float] | None = None
        """Centre x, centre y and side of what is shown."""

    def __call__(self, frame: Frame, faces: list[Face]) -> Image:
        """Both panels, side by side."""
        if not faces:
            self._window = None
            return np.zeros((_PANEL_PX, 2 * _PANEL_PX, 3), np.uint8)
        face = min(faces, key=lambda face: face.track_id)
        panel_from_frame = self._panel_from_frame(face.landmarks.mean)
        picture = cv2.warpAffine(
            frame.image, panel_from_frame[:2], (_PANEL_PX, _PANEL_PX), flags=cv2.INTER_LINEAR
        )
        panels = []
        for title, estimate, colour in (
            ("raw", face.measured, _RAW),
            ("filtered", face.landmarks, _FILTERED),
        ):
            panel = picture.copy()
            if estimate is not None:
                enlarged = _enlarged(estimate, panel_from_frame)
                draw_estimate(panel, enlarged, self._layout, colour, ellipses=self._ellipses)
            place, font = (12, 28), cv2.FONT_HERSHEY_SIMPLEX
            cv2.putText(panel, title, place, font, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
            panels.append(panel)
        return np.hstack(panels)

    def _panel_from_frame(
        self, points: Float[np.ndarray, "landmarks xy=2"]
    ) -> Float[np.ndarray, "3 3"]:
        """The window around all landmarks but the contour's."""
        inner = [m for o in self._layout.outlines if o.name != "contour" for m in o.members]
        shown = points[sorted(set(inner))] if inner else points
        low, high = shown.min(0), shown.max(0)
        (x, y), side = (low + high) / 2, float((high - low).max()) * _MARGIN
        if self._window is not None:
            old_x, old_y, old_side = self._window
            away = max(abs(x - old_x), abs(y - old_y), abs(side - old_side)) / old_side
            if away < _SLACK:
                x, y, side = self._window
        self._window = (float(x), float(y), max(side, 1.0))
        scale = _PANEL_PX / self._window[2]
        middle = (_PANEL_PX - 1) / 2
        return np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y], [0, 0, 1]])


def _enlarged(
    estimate: LandmarkEstimate, panel_from_frame: Float[np.ndarray, "3 3"]
) -> LandmarkEstimate:
    return LandmarkEstimate(
        transform(panel_from_frame, estimate.mean),
        transform_covariance(panel_from_frame, estimate.covariance),
    )
