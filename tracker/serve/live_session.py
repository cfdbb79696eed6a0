"""One browser's camera: a frame comes in, its faces go out."""

import json
import math
import struct
import time

import cv2
import numpy as np

from ..face_tracker import FaceTracker
from ..run.analysis_stage import AnalysisStage
from ..streams.face_json import update_as_json
from ..streams.update import Update
from ..types import Frame, Image
from .picture_size import picture_size

_STAMP = struct.Struct("<d")
"""Before each picture: when it was taken, in milliseconds of the browser's own clock."""


class RefusedInput(Exception):  # noqa: N818
    """What came is no frame of a camera, or is too large; the message says which."""


class LiveSession:
    """Follows the faces of one camera; for one thread at a time, nothing is kept of any frame.

    Args:
        tracker: Its own.
        analysis: Its own, of head pose, eyes and expression.
        most_pixels: Of a frame.
    """

    def __init__(self, tracker: FaceTracker, analysis: AnalysisStage, most_pixels: int) -> None:
        self._tracker, self._analysis, self._most_pixels = tracker, analysis, most_pixels
        self._sequence, self._last_s = 0, -math.inf

    def greeting(self) -> str:
        """What the page has to know of the landmarks, as JSON."""
        layout = self._tracker.layout
        outlines = [[list(line.members), line.closed] for line in layout.outlines]
        return json.dumps({"layout": layout.name, "count": layout.count, "outlines": outlines})

    def answer(self, message: bytes) -> str:
        """The faces of a frame, as JSON.

        Args:
            message: Eight bytes of time stamp, then a JPEG, WebP or PNG.

        Raises:
            RefusedInput: If it is anything else.
        """
        started = time.perf_counter()
        frame = self._frame(message)
        faces = self._analysis.take(frame, self._tracker.update(frame.image, frame.time_s))
        update = Update(self._sequence, time.time(), frame, faces)
        self._sequence += 1
        spent_ms = round(1000 * (time.perf_counter() - started), 2)
        return update_as_json(update)[:-1] + f',"server_ms":{spent_ms}}}'

    def close(self) -> None:
        """Forget the faces."""
        self._tracker.close()

    def _frame(self, message: bytes) -> Frame:
        if len(message) <= _STAMP.size:
            raise RefusedInput("a frame is a time stamp and a picture")
        (stamp_ms,) = _STAMP.unpack_from(message)
        if not math.isfinite(stamp_ms):
            raise RefusedInput("the time stamp is no number")
        self._last_s = max(stamp_ms / 1000, self._last_s)
        image = decoded(message[_STAMP.size :], self._most_pixels)
        return Frame(self._sequence, self._last_s, image)


def decoded(encoded: bytes, most_pixels: int) -> Image:
    """A picture, if it is one and not too large.

    Raises:
        RefusedInput: If not.
    """
    size = picture_size(encoded)
    if size is None:
        raise RefusedInput("a picture must be JPEG, WebP or PNG")
    if not 0 < size[0] * size[1] <= most_pixels:
        raise RefusedInput(f"a picture of {size[0]}x{size[1]} is too large")
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise RefusedInput("the picture is damaged")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
