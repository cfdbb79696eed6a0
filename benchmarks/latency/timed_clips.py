"""The clips whose frames are timed: the portrait in a simulated camera, once and four times."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from tracker.cli.demo import demo_camera
from tracker.io.simulated_camera import Path2D, SimulatedCamera, portrait, still_then_moving
from tracker.types import Frame, Image

ONE_FACE, FOUR_FACES = "640x480, one face", "1280x720, four faces"
FRAME_RATE = 30.0
_PANEL = (640, 360)
"""Width and height of a quarter of the picture."""
_FACE_CENTER = np.array([256.0, 240.0, 1.0])
"""About which `still_then_moving` turns the portrait, and its mirror image."""


@dataclass(frozen=True, slots=True)
class TimedClip:
    """A video file and the faces in it."""

    name: str
    path: Path
    faces: int
    """At a time."""


@dataclass(frozen=True, slots=True)
class _Portrait:
    scale: float
    """Against the demo's portrait."""
    mirrored: bool
    ahead_s: float
    """Offset on the path that all share, so that no two move alike; the first second ramps up."""


_PORTRAITS = (
    _Portrait(1.0, mirrored=False, ahead_s=1.0),
    _Portrait(0.9, mirrored=True, ahead_s=2.3),
    _Portrait(0.8, mirrored=True, ahead_s=3.9),
    _Portrait(0.72, mirrored=False, ahead_s=5.2),
)
"""By rows from the top left; detectors miss smaller ones in some frames."""


class FourPortraits:
    """The portrait four times in one picture: two mirrored, each with its own size and motion.

    Args:
        duration_s: Length of the clip.
    """

    def __init__(self, duration_s: float = 6.0) -> None:
        photograph = portrait()
        self._cameras = [
            SimulatedCamera(
                np.ascontiguousarray(photograph[:, ::-1]) if one.mirrored else photograph,
                _path(one),
                duration_s,
                seed=seed,
                size=_PANEL,
            )
            for seed, one in enumerate(_PORTRAITS)
        ]

    def __iter__(self) -> Iterator[Frame]:
        for views in zip(*self._cameras, strict=True):
            yield Frame(views[0].index, views[0].time_s, _tiled([view.image for view in views]))

    def centers(self, time_s: float) -> Float[np.ndarray, "faces xy=2"]:
        """Centres of the faces at this time, in pixels."""
        width, height = _PANEL
        corners = np.array([(0, 0), (width, 0), (0, height), (width, height)])
        in_panels = [(camera.path(time_s) @ _FACE_CENTER)[:2] for camera in self._cameras]
        return corners + np.array(in_panels)


def _path(one: _Portrait) -> Path2D:
    """The demo's motion, shrunk towards the middle of the panel."""
    whole, middle = still_then_moving(0.0, _PANEL), np.array(_PANEL) / 2
    shrink = np.diag([one.scale, one.scale, 1.0])
    shrink[:2, 2] = (1 - one.scale) * middle

    def path(time_s: float) -> Float[np.ndarray, "3 3"]:
        return shrink @ whole(time_s + one.ahead_s)

    return path


def _tiled(panels: list[Image]) -> Image:
    return np.vstack([np.hstack(panels[:2]), np.hstack(panels[2:])])


def write_clips(folder: Path) -> list[TimedClip]:
    """Encode both clips."""
    one, four = folder / "one.mp4", folder / "four.mp4"
    _encode(demo_camera(), one)
    _encode(FourPortraits(), four)
    return [TimedClip(ONE_FACE, one, 1), TimedClip(FOUR_FACES, four, len(_PORTRAITS))]


def _encode(frames: Iterable[Frame], path: Path) -> None:
    writer = cv2.VideoWriter()
    for frame in frames:
        if not writer.isOpened():
            height, width = frame.image.shape[:2]
            writer.open(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FRAME_RATE, (width, height))
        writer.write(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
    writer.release()
