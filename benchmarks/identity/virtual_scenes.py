"""Virtual scenes of people who cross, leave, come back and are cut to, with exact truth."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tracker.types import Box, Image
from train.datasets import DataError

from .people import Person, paste

FPS = 25.0
_SIZE = (640, 480)
_VISIBLE = 0.5
"""Share of a face's square inside the frame, and not behind another's, from which it counts."""
_NOISE = 3.0
"""Standard deviation of the sensor's noise, grey levels."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a face is in one frame."""

    x: float
    y: float
    side: float
    roll_deg: float = 0.0
    still: int = 0
    """Which of the person's cut-outs."""
    light: float = 1.0


Way = Callable[[int], Pose | None]
"""Pose in a frame by its number; None while the person is away."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person and the way they go; who comes later in a scene stands nearer to the camera."""

    person: Person
    path: Way


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip to be."""

    name: str
    frames: int
    actors: tuple[Actor, ...]
    background: Callable[[int], Image]
    """Of a frame by its number; the actors are put in front."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneFrame:
    """A frame, and whose faces are seen in it, by name."""

    image: Image
    faces: dict[str, Box]


def frames_of(scene: Scene) -> Iterator[SceneFrame]:
    """Draw a scene; the same every time."""
    rng = np.random.default_rng(3)
    for index in range(scene.frames):
        image = scene.background(index).copy()
        placed: list[tuple[str, Box]] = []
        for actor in scene.actors:
            pose = actor.path(index)
            if pose is None:
                continue
            still = actor.person.stills[pose.still % len(actor.person.stills)]
            box = paste(image, still, (pose.x, pose.y), pose.side, pose.roll_deg, pose.light)
            placed.append((actor.person.name, box))
        noise = rng.normal(0, _NOISE, image.shape)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
        seen = {
            name: box
            for order, (name, box) in enumerate(placed)
            if _visible(box, [other for _, other in placed[order + 1 :]], image) >= _VISIBLE
        }
        yield SceneFrame(image, seen)


def _visible(box: Box, nearer: list[Box], image: Image) -> float:
    """Share of a face's square that the frame shows; heads are a third wider than faces."""
    height, width = image.shape[:2]
    grid = (np.arange(16) + 0.5) / 16 - 0.5
    x = box.center_x + box.side * np.tile(grid, 16)
    y = box.center_y + box.side * np.repeat(grid, 16)
    shown = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    for other in nearer:
        across = (x - other.center_x) / (0.66 * other.side)
        down = (y - other.center_y + 0.16 * other.side) / (0.86 * other.side)
        shown &= across**2 + down**2 > 1
    return float(shown.mean())


def still_background(path: Path, size: tuple[int, int] = _SIZE) -> Callable[[int], Image]:
    """A picture without faces behind everybody."""
    picture = _filled(path, size)
    return lambda _: picture


def panned_background(
    path: Path, speed_px: float, frames: int, size: tuple[int, int] = _SIZE
) -> Callable[[int], Image]:
    """The same while the camera pans to the right, pixels a frame."""
    width, height = size
    wide = _filled(path, (width + round(speed_px * frames) + 1, height))
    return lambda frame: np.ascontiguousarray(wide[:, round(speed_px * frame) :][:, :width])


def shots(lengths: tuple[int, ...], backgrounds: list[Path]) -> Callable[[int], Image]:
    """A background for each shot."""
    pictures = [_filled(path, _SIZE) for path in backgrounds]
    ends = np.cumsum(lengths)
    return lambda frame: pictures[min(int(np.searchsorted(ends, frame, "right")), len(lengths) - 1)]


def _filled(path: Path, size: tuple[int, int]) -> Image:
    decoded = cv2.imread(str(path))
    if decoded is None:
        raise DataError(f"{path}: not a picture")
    stored = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    scale = max(size[0] / stored.shape[1], size[1] / stored.shape[0])
    grown = cv2.resize(stored, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(grown[: size[1], : size[0]])
