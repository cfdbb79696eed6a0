"""What a camera adds to a scene: blur while the shutter is open, light, noise, compression."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from tracker.types import Image

from ..jpeg import compressed

_GAMMA = 2.2
Stops = Callable[[float], float]
"""Time in seconds to exposure in stops: 1 is twice the light."""


def even_light(_: float) -> float:
    """Exposed as the photograph is."""
    return 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """A camera's faults; `PERFECT` has none."""

    noise: float = 2.0
    """Standard deviation in grey levels."""
    shutter_s: float = 1 / 60
    stops: Stops = even_light
    encoding: Literal["none", "jpeg", "video"] = "none"
    jpeg_quality: int = 70


USUAL = Sensor()
PERFECT = Sensor(noise=0.0, shutter_s=0.0)


class Film:
    """Turns what is exposed into frames; draws its chances once, so that frames come fast."""

    def __init__(self, sensor: Sensor, size: tuple[int, int], rng: np.random.Generator) -> None:
        self._sensor, self._rng = sensor, rng
        width, height = size
        self._slack = (height // 4, width // 4)
        grain = rng.standard_normal((height * 5 // 4, width * 5 // 4, 3), dtype=np.float32)
        self._grain = np.round(sensor.noise * grain).astype(np.int16)

    def develop(self, image: Image, time_s: float) -> Image:
        """The frame that the camera hands over, before any video encoding."""
        stops = self._sensor.stops(time_s)
        lit = cv2.LUT(image, _tone_curve(stops)) if stops else image
        noisy = self._noisy(lit) if self._sensor.noise else lit
        is_jpeg = self._sensor.encoding == "jpeg"
        return compressed(noisy, self._sensor.jpeg_quality) if is_jpeg else noisy

    def _noisy(self, image: Image) -> Image:
        """Noise of one large draw, from a fresh place each time."""
        height, width = image.shape[:2]
        y, x = (int(self._rng.integers(slack + 1)) for slack in self._slack)
        grain = self._grain[y : y + height, x : x + width]
        return cv2.add(image, grain, dtype=cv2.CV_8U)


def _tone_curve(stops: float) -> np.ndarray:
    """Grey levels after a change of light: linear in light, so not in grey levels."""
    light = (np.arange(256) / 255) ** _GAMMA * 2**stops
    return np.round(255 * np.minimum(light, 1) ** (1 / _GAMMA)).astype(np.uint8)
