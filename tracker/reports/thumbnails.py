"""Three small pictures of a video whose length nobody knows: early, in the middle and late."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import SinkError
from ..io.drawing import draw_faces
from ..layouts import Layout
from ..types import Face, Frame

_KEPT = 24
_LONGEST_SIDE = 480
_QUALITY = 80
_SHARES = (1 / 6, 1 / 2, 5 / 6)


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One small picture."""

    time_s: float
    width: int
    height: int
    jpeg: bytes

    @property
    def address(self) -> str:
        """That holds the picture itself."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode()


class Thumbnails:
    """Keeps some frames at equal steps, every other one once they are too many.

    Args:
        layout: Of the landmarks.
        raw: Landmarks as measured.
        ellipses: Drawn with the landmarks.
    """

    def __init__(self, layout: Layout, *, raw: bool = False, ellipses: bool = False) -> None:
        self._layout, self._raw, self._ellipses = layout, raw, ellipses
        self._kept: list[Thumbnail] = []
        self._step, self._count = 1, 0

    def take(self, frame: Frame, faces: list[Face]) -> None:
        """Look at the next frame, and keep it or not."""
        if self._count % self._step == 0:
            if len(self._kept) == _KEPT:
                self._kept, self._step = self._kept[::2], 2 * self._step
            if self._count % self._step == 0:
                self._kept.append(self._made(frame, faces))
        self._count += 1

    def _made(self, frame: Frame, faces: list[Face]) -> Thumbnail:
        painted = draw_faces(
            frame.image, faces, self._layout, ellipses=self._ellipses, raw=self._raw
        )
        height, width = painted.shape[:2]
        shrink = min(_LONGEST_SIDE / max(width, height), 1.0)
        size = max(round(width * shrink), 1), max(round(height * shrink), 1)
        small = cv2.resize(painted, size, interpolation=cv2.INTER_AREA)
        bgr = np.ascontiguousarray(small[:, :, ::-1])
        good, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not good:
            raise SinkError(f"frame {frame.index}: cannot be made a thumbnail of {size}")
        return Thumbnail(frame.time_s, *size, packed.tobytes())

    def chosen(self) -> list[Thumbnail]:
        """Three of those that were kept, in order; fewer where there were fewer frames."""
        places = [int(share * self._count / self._step) for share in _SHARES]
        last = len(self._kept) - 1
        return [
            self._kept[place] for place in sorted({min(at, last) for at in places if last >= 0})
        ]
