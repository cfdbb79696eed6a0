"""Clips with known truth, each made from a seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from tracker.layouts import Layout
from tracker.types import Frame, Image

from .codec import reencoded, video_codec
from .face import PhotographedFace
from .kinds import CLIPS, Kind
from .scene import Scene
from .sensor import Film, Sensor
from .staging import ClipFormat, stage


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A clip and what is true of each frame."""

    name: str
    fps: float
    seed: int
    layout: Layout
    truth: Float[np.ndarray, "frames faces landmarks xy=2"]
    """Frame pixels at each frame's time, the middle of its exposure; also where nothing is seen."""
    visible: Bool[np.ndarray, "frames faces landmarks"]
    """False outside the frame and behind what passes."""
    encoding: str
    """What the frames went through, as tables say it; empty: nothing."""
    film: Callable[[], Iterator[Image]]

    def frames(self) -> Iterator[Frame]:
        """The frames from the first; the same ones every time."""
        for index, image in enumerate(self.film()):
            yield Frame(index, index / self.fps, image)


def make_clip(
    kind: str | Kind,
    face: PhotographedFace,
    seed: int,
    seconds: float = 6.0,
    *,
    camera: ClipFormat | None = None,
    other: PhotographedFace | None = None,
) -> Clip:
    """Make a clip of a face.

    Args:
        kind: A key of `CLIPS`, or what shall happen.
        face: The truth is in its layout.
        seed: Of all that is drawn: motion, gestures, noise.
        seconds: Its length.
        camera: 640 x 480 at 30 frames a second if None.
        other: Who passes in a crossing; None: the same face mirrored.

    Raises:
        ValueError: If there is no such kind.
    """
    camera = camera or ClipFormat()
    name = kind if isinstance(kind, str) else "clip"
    kind = _kind(kind) if isinstance(kind, str) else kind
    rng = np.random.default_rng([seed, 0])
    scene = stage(kind, (face, other or face.mirrored), camera, seconds, rng)
    times = np.arange(round(seconds * camera.fps)) / camera.fps
    return Clip(
        name=name,
        fps=camera.fps,
        seed=seed,
        layout=face.layout,
        truth=np.stack([scene.truth(time_s) for time_s in times.tolist()]),
        visible=np.stack([scene.visible(time_s) for time_s in times.tolist()]),
        encoding=_encoding(kind.sensor),
        film=lambda: _shot(scene, kind.sensor, times, camera, seed),
    )


def _kind(name: str) -> Kind:
    if name not in CLIPS:
        raise ValueError(f"kind of clip '{name}' is unknown: choose one of {', '.join(CLIPS)}")
    return CLIPS[name]


def _encoding(sensor: Sensor) -> str:
    names = {"jpeg": f"JPEG quality {sensor.jpeg_quality}", "none": ""}
    return video_codec().name if sensor.encoding == "video" else names[sensor.encoding]


def _shot(
    scene: Scene,
    sensor: Sensor,
    times: Float[np.ndarray, " frames"],
    camera: ClipFormat,
    seed: int,
) -> Iterator[Image]:
    film = Film(sensor, camera.size, np.random.default_rng([seed, 1]))
    images = (film.develop(scene.exposed(t, sensor.shutter_s), t) for t in times.tolist())
    return reencoded(images, camera.fps, camera.size) if sensor.encoding == "video" else images
