"""Frames and faces into rerun's viewer, on the time line of the source."""

from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import Float

from ..errors import SinkError
from ..gaussian import ellipse_axes
from ..io.tables import chosen
from ..layouts import Layout
from ..types import Face, LandmarkEstimate
from .update import Update

_NAME = "star-tracker"
_PROBABILITY = 0.95
_CORNERS = 16
_QUALITY = 75


class RerunStream:
    """Logs `camera` (the frame, JPEG), `camera/face/ID` (points, outlines, 95 % ellipses, curves).

    Args:
        target: Where to: a viewer is started where it is empty; a path that ends in .rrd is a
            recording; else the URL of a viewer that runs (rerun+http://HOST:9876/proxy).
        layout: Of the landmarks.
        raw: Landmarks as measured.

    Raises:
        SinkError: If `rerun-sdk` is missing or its viewer cannot be started.
    """

    def __init__(self, target: str, layout: Layout, *, raw: bool = False) -> None:
        try:
            self._rerun = import_module("rerun")
        except ImportError as error:
            raise SinkError(
                f"--rerun needs rerun-sdk ({error}): run pip install 'star-tracker[rerun]'"
            ) from error
        self._layout, self._raw = layout, raw
        self._recording: Any = self._rerun.RecordingStream(_NAME)
        try:
            self._connect(target)
        except (RuntimeError, ValueError, OSError) as error:
            raise SinkError(f"--rerun {target}: cannot be opened ({error}): check it") from error

    def send(self, update: Update) -> None:
        """Log one frame."""
        recording = self._recording
        recording.set_time("time", duration=update.frame.time_s)
        recording.set_time("captured", timestamp=update.captured_s)
        recording.set_time("sequence", sequence=update.sequence)
        picture = self._rerun.Image(update.frame.image).compress(jpeg_quality=_QUALITY)
        recording.log("camera", picture)
        recording.log("camera/face", self._rerun.Clear(recursive=True))
        for face in update.faces:
            estimate = chosen(face, raw=self._raw)
            if estimate is not None:
                self._log_face(f"camera/face/{face.track_id}", face, estimate)

    def close(self) -> None:
        """Send what waits."""
        self._recording.flush()
        self._recording.disconnect()

    def _connect(self, target: str) -> None:
        if not target:
            self._recording.spawn()
        elif target.endswith(".rrd"):
            self._recording.save(target)
        else:
            self._recording.connect_grpc(target)

    def _log_face(self, path: str, face: Face, estimate: LandmarkEstimate) -> None:
        rerun, recording = self._rerun, self._recording
        points = estimate.mean
        recording.log(path, rerun.Points2D(points, class_ids=face.track_id, radii=1.0))
        outlines = [points[list(outline.members)] for outline in self._layout.outlines]
        recording.log(f"{path}/outlines", rerun.LineStrips2D(outlines, radii=0.5))
        recording.log(f"{path}/ellipses", rerun.LineStrips2D(ellipse_corners(estimate), radii=0.3))
        recording.log(f"{path}/confidence", rerun.Scalars(face.confidence))
        if face.analysis is not None:
            for name, value in face.analysis.expression.items():
                recording.log(f"{path}/expression/{name}", rerun.Scalars(value.value))


def ellipse_corners(
    estimate: LandmarkEstimate,
) -> Float[np.ndarray, "landmarks corners xy=2"]:
    """Closed polygons around where each landmark is with 95 % probability."""
    half_axes, angles = ellipse_axes(estimate.covariance, _PROBABILITY)
    turn = np.linspace(0, 2 * np.pi, _CORNERS + 1)
    on_circle = np.stack([np.cos(turn), np.sin(turn)], -1)
    along = half_axes[:, None] * on_circle
    cosine, sine = np.cos(np.radians(angles)), np.sin(np.radians(angles))
    rotation = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    return estimate.mean[:, None] + along @ np.swapaxes(rotation, -1, -2)
