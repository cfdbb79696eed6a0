"""A virtual camera, which other programs open as they open a webcam."""

from importlib import import_module
from typing import Any

import cv2
import numpy as np

from ..errors import SinkError
from ..io.drawing import draw_faces
from ..layouts import Layout
from ..types import Image
from .update import Update


class VirtualCameraStream:
    """The frames, with or without what was found drawn onto them.

    It opens with the first frame, whose size it keeps; frames of another size are scaled. A camera
    has no field for a sequence number or a time: they come as pictures do.

    Args:
        frame_rate: That the camera states.
        layout: Of the landmarks.
        overlay: Draw the faces.
        ellipses: With the ellipse of each landmark.
        raw: Landmarks as measured.

    Raises:
        SinkError: If `pyvirtualcam` is missing.
    """

    def __init__(
        self, frame_rate: float, layout: Layout, *, overlay: bool, ellipses: bool, raw: bool
    ) -> None:
        try:
            self._library = import_module("pyvirtualcam")
        except ImportError as error:
            raise SinkError(
                f"--virtual-camera needs pyvirtualcam ({error}): run pip install "
                "'star-tracker[virtual-camera]'"
            ) from error
        self._rate, self._layout, self._overlay = frame_rate, layout, overlay
        self._ellipses, self._raw = ellipses, raw
        self._camera: Any = None

    def send(self, update: Update) -> None:
        """Show one frame.

        Raises:
            SinkError: If there is no device for a virtual camera.
        """
        image = update.frame.image
        if self._overlay:
            image = draw_faces(
                image, update.faces, self._layout, ellipses=self._ellipses, raw=self._raw
            )
        if self._camera is None:
            self._camera = self._opened(image)
        wanted = self._camera.width, self._camera.height
        if image.shape[1::-1] != wanted:
            image = cv2.resize(image, wanted, interpolation=cv2.INTER_AREA)
        self._camera.send(np.ascontiguousarray(image))

    def close(self) -> None:
        """Take the camera away."""
        if self._camera is not None:
            self._camera.close()

    def _opened(self, image: Image) -> Any:
        height, width = image.shape[:2]
        try:
            return self._library.Camera(width=width, height=height, fps=self._rate)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise SinkError(
                f"no virtual camera ({reason}): install v4l2loopback on Linux, OBS elsewhere"
            ) from error
