"""Cameras by OpenCV: frames as they come, followed again when a camera was away."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, Self

import cv2

from ..errors import SourceError
from ..types import Frame, Image
from .read_losses import Losses

_EMPTY_FOR_S = 1.0
"""A camera that gives no frames for longer is opened anew."""
_STALL_S = 5.0
"""A read that takes longer never ends."""
_RETRY_S = 0.2
_FASTEST = 240.0
"""Frames per second beyond which a driver states nonsense."""


class Device(Protocol):
    """What a camera is read with: an OpenCV capture, for instance."""

    def isOpened(self) -> bool: ...  # noqa: N802

    def read(self) -> tuple[bool, Image | None]:
        """Whether there is a frame, and the frame, BGR."""

    def get(self, propId: int, /) -> float: ...  # noqa: N803

    def set(self, propId: int, value: float, /) -> bool: ...  # noqa: N803

    def release(self) -> None: ...


class _Reads:
    """Reads a device in a thread of its own, which alone waits where the device hangs."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Image | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="CameraReads", daemon=True).start()

    def next(self, timeout_s: float) -> Image | None:
        """The next frame, BGR; None where it is empty.

        Raises:
            queue.Empty: If the device hangs.
        """
        self._asked.put(True)
        return self._answers.get(timeout=timeout_s)

    def close(self) -> None:
        """Release the device, once it does not hang any more."""
        self._asked.put(False)

    def _run(self) -> None:
        try:
            while self._asked.get():
                is_there, image = self._device.read()
                self._answers.put(image if is_there else None)
        finally:
            self._device.release()


class Camera:
    """A camera; frames carry their time of arrival.

    Args:
        name: For the user.
        connect: Opens it, anew each time.
        reconnect_s: So long a camera that gives no frames is looked for.
        stall_s: So long a frame is waited for.

    Raises:
        SourceError: If it cannot be opened.
    """

    is_live = True
    holds_stills = False
    frame_count: int | None = None

    def __init__(
        self,
        name: str,
        connect: Callable[[], Device],
        reconnect_s: float,
        stall_s: float = _STALL_S,
    ) -> None:
        self.name, self.losses = name, Losses()
        self._connect, self._reconnect_s, self._stall_s = connect, reconnect_s, stall_s
        self.frame_rate = 30.0
        self._reads = self._connected()
        if self._reads is None:
            raise SourceError(
                f"{name}: cannot be opened: check that it is plugged in and that no other "
                "program uses it, or name a video file"
            )
        self._started_s = time.monotonic()
        self._is_closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the camera; one that hangs goes with the process."""
        self._is_closed.set()
        if self._reads:
            self._reads.close()
            self._reads = None

    def __iter__(self) -> Iterator[Frame]:
        """Frames from now on; numbers and times go on where an earlier iteration ended.

        Raises:
            SourceError: If the camera gives no more frames, and does not come back in time.
        """
        while not self._is_closed.is_set():
            image = self._next()
            if image is None:
                continue
            arrived_s = time.monotonic() - self._started_s
            yield Frame(self.losses.frames, arrived_s, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            self.losses.frames += 1

    def _next(self) -> Image | None:
        """The next frame, BGR, from the camera or from the one that came back in its place."""
        began_s, is_away = time.monotonic(), False
        while not self._is_closed.is_set():
            image = self._read()
            if image is not None:
                self.losses.breaks += is_away
                return image
            without_s = time.monotonic() - began_s
            if without_s > max(self._reconnect_s, _EMPTY_FOR_S):
                raise SourceError(
                    f"{self.name}: stopped giving frames after {self.losses.frames}: "
                    "is it still there?"
                )
            if self._reads is None or (without_s > _EMPTY_FOR_S and self._reconnect_s):
                is_away = True
                self._renew()
            self._is_closed.wait(_RETRY_S / 10 if not is_away else _RETRY_S)
        return None

    def _read(self) -> Image | None:
        if self._reads is None:
            return None
        try:
            image = self._reads.next(self._stall_s)
        except queue.Empty:
            self._reads.close()
            self._reads = None
            return None
        return None if image is None or 0 in image.shape else image

    def _renew(self) -> None:
        if self._reads:
            self._reads.close()
        self._reads = self._connected()

    def _connected(self) -> _Reads | None:
        device = self._connect()
        if not device.isOpened():
            device.release()
            return None
        rate = device.get(cv2.CAP_PROP_FPS)
        self.frame_rate = rate if 0 < rate <= _FASTEST else 30.0
        return _Reads(device)


def webcam(index: int, reconnect_s: float) -> Camera:
    """A webcam by its index.

    Raises:
        SourceError: If it cannot be opened.
    """
    return Camera(f"camera {index}", lambda: open_device(index), reconnect_s)


def open_device(index: int) -> Device:
    """A webcam, which may not be there."""
    capture = cv2.VideoCapture(index)
    # Motion JPEG gives full rate at full size; one buffered frame keeps what we see fresh.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture
