"""Who listens to streams in the tests, on the loopback."""

import socket
import time

import numpy as np
from pythonosc.osc_bundle import OscBundle

from tracker.streams.address import NetAddress

PATIENCE_S = 10.0

TO_THE_CAMERA = np.array([0.0, 0.0, -1.0])


class Receiver:
    """A UDP port that somebody listens on."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE_S)
        self.address = NetAddress("127.0.0.1", self._socket.getsockname()[1])

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def datagram(self) -> bytes:
        return self._socket.recv(65_536)

    def messages(self) -> list[tuple[str, list[object]]]:
        """Of one bundle, as python-osc reads it."""
        return [(message.address, message.params) for message in OscBundle(self.datagram())]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rotated(quaternion: np.ndarray, vector: tuple[float, float, float]) -> np.ndarray:
    """Unity's `quaternion * vector`."""
    axis, w = np.asarray(quaternion[:3], float), float(quaternion[3])
    cross = 2 * np.cross(axis, vector)
    return np.asarray(vector) + w * cross + np.cross(axis, cross)


def until(ready) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
