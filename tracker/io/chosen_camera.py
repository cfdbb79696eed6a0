"""A camera as it was asked for: size, rate, mirrored or not; and how it does."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ..types import Frame, Image
from .camera import Camera, Device, open_device
from .reading import RECONNECT_S

_WATCHED_S = 2.0
_LATE = 0.8
"""Of the rate that was granted; below it the status says so."""
_UNSTEADY = 0.06
"""Swing of the mean brightness within the time that is watched, of all grey levels."""
_EVERY_PIXELS = 16


@dataclass(frozen=True, slots=True)
class CameraWish:
    """What a camera is asked for; None takes what it likes."""

    size: tuple[int, int] | None = None
    frame_rate: float | None = None
    mirror: bool = False

    def __bool__(self) -> bool:
        return self != CameraWish()


class ChosenCamera(Camera):
    """A camera by its index that was asked for a size and a rate.

    Args:
        index: Of the camera.
        wish: What to ask for; a camera that cannot gives something else.
        reconnect_s: So long a camera that gives no frames is looked for.

    Raises:
        SourceError: If it cannot be opened.
    """

    def __init__(self, index: int, wish: CameraWish, reconnect_s: float = RECONNECT_S) -> None:
        self._wish, self.granted_size = wish, (0, 0)

        def connect() -> Device:
            device = open_device(index)
            if wish.size:
                device.set(cv2.CAP_PROP_FRAME_WIDTH, wish.size[0])
                device.set(cv2.CAP_PROP_FRAME_HEIGHT, wish.size[1])
            if wish.frame_rate:
                device.set(cv2.CAP_PROP_FPS, wish.frame_rate)
            width, height = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
            self.granted_size = int(device.get(width)), int(device.get(height))
            return device

        super().__init__(f"camera {index}", connect, reconnect_s)
        self.health = CameraHealth(self.frame_rate)

    def __iter__(self) -> Iterator[Frame]:
        """As `Camera`, and watched."""
        for frame in super().__iter__():
            self.health.add(time.monotonic(), frame.image)
            yield frame

    def _read(self) -> Image | None:
        image = super()._read()
        return np.ascontiguousarray(image[:, ::-1]) if self._wish.mirror and image is not None \
            else image  # fmt: skip

    def __str__(self) -> str:
        """What was granted, and what was asked for where that is something else."""
        width, height = self.granted_size
        text = f"{self.name}: {width}x{height} at {self.frame_rate:g} fps"
        asked = []
        if self._wish.size and self._wish.size != self.granted_size:
            asked.append("x".join(map(str, self._wish.size)))
        if self._wish.frame_rate and abs(self._wish.frame_rate - self.frame_rate) > 0.5:
            asked.append(f"{self._wish.frame_rate:g} fps")
        return f"{text}, not {' at '.join(asked)} as asked" if asked else text


class CameraHealth:
    """Whether frames come as fast as was granted, and in a steady light.

    Args:
        frame_rate: That was granted.
    """

    def __init__(self, frame_rate: float) -> None:
        self._granted = frame_rate
        self._seen: deque[tuple[float, float]] = deque()

    def add(self, time_s: float, image: Image) -> None:
        """Note a frame that arrived."""
        bright = float(image[::_EVERY_PIXELS, ::_EVERY_PIXELS].mean()) / 255
        self._seen.append((time_s, bright))
        while self._seen[0][0] < time_s - _WATCHED_S:
            self._seen.popleft()

    def __str__(self) -> str:
        """What is wrong, in a few words; empty where nothing is, or not enough was seen."""
        seen = list(self._seen)
        spent_s = seen[-1][0] - seen[0][0] if seen else 0.0
        if spent_s < _WATCHED_S / 2:
            return ""
        rate, light = (len(seen) - 1) / spent_s, [bright for _, bright in seen]
        wrong = []
        if rate < _LATE * self._granted:
            wrong.append(f"camera {rate:.0f} of {self._granted:.0f} fps")
        if max(light) - min(light) > _UNSTEADY and _turns(light):
            wrong.append("light unsteady")
        return ", ".join(wrong)


def _turns(light: list[float]) -> bool:
    """Whether it went up and down again, as exposure does that hunts; a cloud does one of them."""
    first, last = light[0], light[-1]
    there_and_back = max(max(light) - max(first, last), min(first, last) - min(light))
    return there_and_back > _UNSTEADY / 2
