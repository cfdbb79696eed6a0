"""Glass to packet: from what stands before a camera to a receiver that knows it.

A camera sees a face that goes round a circle like the hand of a clock, one step a frame. Where the
face of a packet is tells which frame was seen, whatever stamps say. As in a camera, a picture is
exposed for one frame, and is there when the next begins; what the glass showed counts from its
first moment. Camera, tracker and packets are those of `run_tracker.py 0 --openseeface`.
"""

import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from unittest.mock import patch

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from rich.console import Console

import models
from tracker.cli.arguments import build_parser
from tracker.cli.one_source import run_one
from tracker.io.simulated_camera import portrait
from tracker.run.summary import StopRequest

SIZE, FRAME_RATE = (640, 480), 30.0
STEPS, RADIUS_PX = 60, 60.0
_WARM = 30
"""Packets that are not counted: libraries set up in their first calls."""
_PACKET_BYTES, _POINTS_AT = 1785, 8 + 4 + 8 + 8 + 1 + 4 + 16 + 12 + 12 + 4 * 68
_PATIENCE_S = 20.0


@dataclass
class FaceClock:
    """What stands before the camera, and when each step of it began."""

    pictures: list[UInt8[np.ndarray, "height width bgr=3"]]
    began_s: float = field(default_factory=time.monotonic)

    def shown_s(self, tick: int) -> float:
        """When it began, by the monotonic clock."""
        return self.began_s + tick / FRAME_RATE

    def tick_of(self, step: int, seen_s: float) -> int:
        """The last time that the hand stood there before a moment, in frames of the camera."""
        latest = int((seen_s - self.began_s) * FRAME_RATE)
        return latest - (latest - step) % STEPS


class ClockCamera:
    """OpenCV's capture of the clock: a frame is there one frame after what it shows began."""

    def __init__(self, clock: FaceClock) -> None:
        self._clock, self._last = clock, -1

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, wanted: int) -> float:
        known = {cv2.CAP_PROP_FRAME_WIDTH: SIZE[0], cv2.CAP_PROP_FRAME_HEIGHT: SIZE[1]}
        return float(known.get(wanted, FRAME_RATE))

    def set(self, *_: object) -> bool:
        return True

    def read(self) -> tuple[bool, UInt8[np.ndarray, "height width bgr=3"]]:
        """The next frame, or the latest where whoever reads was late."""
        ready = int((time.monotonic() - self._clock.began_s) * FRAME_RATE) - 1
        self._last = max(self._last + 1, ready)
        wait_s = self._clock.shown_s(self._last + 1) - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        return True, self._clock.pictures[self._last % STEPS].copy()

    def release(self) -> None: ...


def clock_pictures() -> list[UInt8[np.ndarray, "height width bgr=3"]]:
    """The demo's portrait at every step of the circle."""
    picture = cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR)
    height, width = picture.shape[:2]
    middle = np.array(SIZE) / 2 - np.array([width, height]) / 2
    pictures = []
    for step in range(STEPS):
        angle = 2 * np.pi * step / STEPS
        shift = middle + RADIUS_PX * np.array([np.cos(angle), np.sin(angle)])
        place = np.column_stack([np.eye(2), shift])
        pictures.append(cv2.warpAffine(picture, place, SIZE, borderMode=cv2.BORDER_REPLICATE))
    return pictures


@dataclass(frozen=True, slots=True)
class Packet:
    """What came to the receiver."""

    received_s: float
    """By the monotonic clock."""
    captured_s: float
    """As the packet says, by the same clock."""
    center: Float[np.ndarray, "xy=2"]
    """Of its landmarks, pixels."""


def read_packet(content: bytes, received_s: float) -> Packet:
    """OpenSeeFace's packet, of which a receiver needs no more."""
    (captured,) = struct.unpack_from("<d", content)
    points = np.frombuffer(content, "<f4", 2 * 66, _POINTS_AT).reshape(-1, 2)
    return Packet(
        received_s, captured - time.time() + time.monotonic(), points.mean(0).astype(float)
    )


def steps_of(packets: list[Packet]) -> tuple[list[int], Float[np.ndarray, " packets"]]:
    """Where on the circle each face is, and by how many steps it lies beside one.

    The circle's middle is that of all faces: least squares of its equation.
    """
    x, y = np.array([packet.center for packet in packets]).T
    (two_x, two_y, _), *_ = np.linalg.lstsq(
        np.column_stack([x, y, np.ones_like(x)]), x**2 + y**2, rcond=None
    )
    exact = np.arctan2(y - two_y / 2, x - two_x / 2) * STEPS / (2 * np.pi)
    nearest = np.round(exact)
    return [int(step) % STEPS for step in nearest], np.abs(exact - nearest)


def measure_glass_to_packet(weights: str, packets: int) -> dict[str, object]:
    """Run the command with the clock before its camera until so many packets came.

    Returns:
        Milliseconds: from the glass to the packet, and from the frame's arrival to it.
    """
    clock, request = FaceClock(clock_pictures()), StopRequest()
    received: list[Packet] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_PATIENCE_S)

        def receive() -> None:
            try:
                while len(received) < packets + _WARM:
                    content = receiver.recv(_PACKET_BYTES)
                    received.append(read_packet(content, time.monotonic()))
            except TimeoutError:
                pass  # what came is judged
            request.stop.set()

        thread = threading.Thread(target=receive, name="receiver")
        port = receiver.getsockname()[1]
        flags = ["--weights", weights, "--device", "cpu", "--openseeface", f"127.0.0.1:{port}"]
        with patch.object(cv2, "VideoCapture", lambda _: ClockCamera(clock)):
            thread.start()
            run_one(build_parser().parse_args(["0", *flags]), models, request, Console(quiet=True))
            thread.join()
    return _figures(clock, received[_WARM:])


def _figures(clock: FaceClock, packets: list[Packet]) -> dict[str, object]:
    steps, beside = steps_of(packets)
    ticks = [
        clock.tick_of(step, packet.received_s) for step, packet in zip(steps, packets, strict=True)
    ]
    glass = [p.received_s - clock.shown_s(tick) for p, tick in zip(packets, ticks, strict=True)]
    frame = [p.received_s - p.captured_s for p in packets]
    return {
        "packets": len(packets),
        "read_surely": round(float((beside < 0.35).mean()), 3),
        "frames_missed": int(ticks[-1] - ticks[0] + 1 - len(set(ticks))),
        "glass_ms": _percentiles(glass),
        "frame_ms": _percentiles(frame),
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(1000 * np.array(seconds), (50, 95))
    return {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
