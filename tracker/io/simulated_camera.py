"""A camera whose motion is known: a photograph moved on a path, with sensor noise.

The truth of every frame is the known motion applied to the landmarks of the still photograph.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from jaxtyping import Float

from ..types import Frame, Image
from .picture_reader import read_picture
from .read_losses import Losses

Path2D = Callable[[float], Float[np.ndarray, "3 3"]]
"""Time in seconds to the matrix that takes photograph pixels to frame pixels."""


class SimulatedCamera:
    """A source of frames of one photograph under a known motion.

    Args:
        photograph: What is in front of the camera.
        path: Its motion.
        duration_s: Length of the clip.
        noise: Standard deviation of the sensor noise, grey levels.
        seed: Of the noise.
        size: Width and height of the frames.
    """

    is_live = False
    holds_stills = False
    frame_rate = 30.0

    def __init__(
        self,
        photograph: Image,
        path: Path2D,
        duration_s: float,
        *,
        noise: float = 4.0,
        seed: int = 0,
        size: tuple[int, int] = (640, 480),
    ) -> None:
        self._photograph, self.path = photograph, path
        self._noise, self._seed, self._size = noise, seed, size
        self.frame_count: int | None = round(duration_s * self.frame_rate)
        self.name, self.losses = "simulated camera", Losses()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def __iter__(self) -> Iterator[Frame]:
        rng = np.random.default_rng(self._seed)
        for index in range(self.frame_count or 0):
            time_s = index / self.frame_rate
            yield Frame(index, time_s, self._noisy(self.view(time_s), rng))

    def view(self, time_s: float) -> Image:
        """What the camera would see at this time without noise."""
        return cv2.warpAffine(
            self._photograph,
            self.path(time_s)[:2],
            self._size,
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _noisy(self, image: Image, rng: np.random.Generator) -> Image:
        noise = rng.normal(0, self._noise, image.shape)
        return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def portrait() -> Image:
    """Grace Hopper, 512 x 600, by the US Navy: in the public domain, and part of the package."""
    return read_picture(Path(__file__).parent / "portrait.jpg")


def still_then_moving(still_s: float, size: tuple[int, int] = (640, 480)) -> Path2D:
    """The portrait at rest, then shifting, zooming and rolling as a talking head does."""
    center = np.array([256.0, 240.0])

    def path(time_s: float) -> Float[np.ndarray, "3 3"]:
        moving_s = max(time_s - still_s, 0.0)
        begun = min(moving_s, 1.0)  # the motion sets in smoothly
        scale = 0.9 + begun * 0.12 * np.sin(2 * np.pi * 0.3 * moving_s)
        roll = begun * np.radians(8) * np.sin(2 * np.pi * 0.4 * moving_s)
        shift = begun * np.array(
            [90 * np.sin(2 * np.pi * 0.5 * moving_s), 35 * np.sin(2 * np.pi * 0.7 * moving_s)]
        )
        linear = scale * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        matrix = np.eye(3)
        matrix[:2, :2] = linear
        matrix[:2, 2] = np.array(size) / 2 + shift - linear @ center
        return matrix

    return path
