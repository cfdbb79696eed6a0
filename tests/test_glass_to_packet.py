"""A camera before a face that tells the time: packets say which frame they saw."""

import socket
import threading
import time

import cv2
import numpy as np
import pytest

import run_tracker
from benchmarks.latency.glass_to_packet import (
    FRAME_RATE,
    STEPS,
    ClockCamera,
    FaceClock,
    Packet,
    clock_pictures,
    read_packet,
    steps_of,
)
from tracker.run.result_age import ResultAges

PACKETS = 20
PATIENCE_S = 20.0


class ShortClockCamera(ClockCamera):
    """Gives frames until somebody has seen enough; remembers which."""

    def __init__(self, clock: FaceClock, enough: threading.Event) -> None:
        super().__init__(clock)
        self.given: list[int] = []
        self._until_s, self._enough = clock.began_s + PATIENCE_S, enough

    def read(self) -> tuple[bool, np.ndarray]:
        if self._enough.is_set() or time.monotonic() > self._until_s:
            return False, np.zeros((0, 0, 3), np.uint8)
        answer = super().read()
        self.given.append(self._last)
        return answer


def test_a_packet_tells_which_frame_the_command_saw_and_when(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Through the whole command: camera, network, filter, stream, a socket of our own."""
    clock = FaceClock(clock_pictures())
    enough, over = threading.Event(), threading.Event()
    camera = ShortClockCamera(clock, enough)
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: camera)
    packets: list[Packet] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.2)

        def receive() -> None:
            while not over.is_set():
                try:
                    content = receiver.recv(4096)
                except TimeoutError:
                    continue
                packets.append(read_packet(content, time.monotonic()))
                if len(packets) >= PACKETS:
                    enough.set()

        thread = threading.Thread(target=receive)
        thread.start()
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        assert run_tracker.main(["0", "--openseeface", address, "--raw", "--reconnect", "0"]) == 2
        over.set()
        thread.join()
    assert len(packets) >= PACKETS
    steps, beside = steps_of(packets)
    assert np.median(beside) < 0.3
    given = {tick % STEPS for tick in camera.given}
    for step, aside, packet in zip(steps, beside, packets, strict=True):
        if aside > 0.35:
            continue  # between two frames: it may be either
        assert step in given
        arrived = [tick for tick in camera.given if tick % STEPS == step]
        # a frame is there when the next begins; its own stamp says so, to the copy of a picture
        waited = [packet.captured_s - clock.shown_s(tick + 1) for tick in arrived]
        assert min(abs(wait) for wait in waited) < 10 / FRAME_RATE
        assert packet.received_s >= packet.captured_s


def test_the_hand_of_the_clock_is_read_off_any_circle() -> None:
    angles = 2 * np.pi * np.arange(40) / STEPS
    center = np.array([310.0, 222.0]) + 24 * np.stack([np.cos(angles), np.sin(angles)], 1)
    steps, beside = steps_of([Packet(0.0, 0.0, place) for place in center])
    assert steps == [tick % STEPS for tick in range(40)]
    assert beside.max() < 1e-6
    clock = FaceClock([], began_s=100.0)
    assert clock.tick_of(5, 100 + (2 * STEPS + 7.5) / FRAME_RATE) == 2 * STEPS + 5
    assert clock.tick_of(8, 100 + (2 * STEPS + 7.5) / FRAME_RATE) == STEPS + 8


def test_ages_are_added_in_one_thread_and_read_in_another() -> None:
    ages, over = ResultAges(), threading.Event()

    def add() -> None:
        for _ in range(20_000):
            ages.add(0.02)
        over.set()

    thread = threading.Thread(target=add)
    thread.start()
    while not over.is_set():
        recent = ages.recent
        assert recent.p95_ms == 20 or np.isnan(recent.p95_ms)
    thread.join()
    assert str(ages.overall) == "20 / 20 ms"
