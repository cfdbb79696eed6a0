"""Crops of several threads in one batch of the network."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from fakes import BlobAnswer, BlobDetector, BlobLandmarker, blob_frame
from test_device_landmarker import crop_squares, landmarks, needs_cuda

import models
from models.device_landmarker import DeviceLandmarker
from models.torch_landmarker import load_network
from tracker.face_tracker import FaceTracker
from tracker.io.simulated_camera import portrait
from tracker.landmarker import CropCutter, FrameLandmarker, Landmarker
from tracker.run.shared_landmarker import SharedLandmarker
from tracker.types import Frame

PATIENCE_S = 10.0
"""Nothing waits this long unless it is broken."""


class Noted(BlobLandmarker):
    """Notes the size of every batch; fails where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.error: BaseException | None = None

    def __call__(self, crops: np.ndarray) -> BlobAnswer:
        self.batches.append(len(crops))
        if self.error:
            raise self.error
        return super().__call__(crops)


def asked_at_once(landmarker: SharedLandmarker, asks: list[Callable[[], Any]]) -> list[Future[Any]]:
    """All ask while the network is busy; when it is done, they get their answers."""
    landmarker._is_running = True
    with ThreadPoolExecutor(len(asks)) as threads:
        answers = []
        for waiting, ask in enumerate(asks, 1):
            answers.append(threads.submit(ask))
            deadline = time.monotonic() + PATIENCE_S
            while len(landmarker._waiting) < waiting:
                assert time.monotonic() < deadline
                time.sleep(0.001)
        with landmarker._changed:
            landmarker._is_running = False
            landmarker._changed.notify_all()
    return answers


def disc(x: float, y: float) -> np.ndarray:
    return blob_frame([(x, y)], size=(64, 64), radius=15)


def test_who_comes_while_the_network_runs_goes_with_the_next_batch() -> None:
    inner = Noted()
    landmarker = SharedLandmarker(inner)
    crops = [
        np.stack([disc(30 + 3 * i, 34 - i) for i in range(begin, end)])
        for begin, end in ((0, 1), (1, 3), (3, 4))
    ]
    answers = asked_at_once(landmarker, [lambda c=c: landmarker.locate(c) for c in crops])
    assert inner.batches == [4]
    for asked, answer in zip(crops, answers, strict=True):
        alone = BlobLandmarker()(asked)
        for name in ("mean", "covariance", "measurement_noise", "confidence"):
            np.testing.assert_array_equal(getattr(answer.result(), name), getattr(alone, name))


def test_a_thread_alone_never_waits() -> None:
    inner = Noted()
    landmarker = SharedLandmarker(inner)
    for faces in (1, 2):
        landmarker.locate(np.stack([disc(30, 30)] * faces))
    assert inner.batches == [1, 2]


def test_an_error_reaches_all_who_asked_and_nobody_else() -> None:
    inner = Noted()
    landmarker = SharedLandmarker(inner)
    inner.error = MemoryError("the GPU is full")
    ask = lambda: landmarker.locate(disc(30, 30)[None])  # noqa: E731
    for answer in asked_at_once(landmarker, [ask, ask, ask]):
        with pytest.raises(MemoryError, match="the GPU is full"):
            answer.result()
    assert inner.batches == [3]
    inner.error = None
    assert ask().mean.shape == (1, 68, 2)


def test_threads_that_end_leave_the_others_going() -> None:
    inner = Noted()
    landmarker = SharedLandmarker(inner)
    calls = (1, 5, 40, 100)

    def ask(times: int) -> None:
        for _ in range(times):
            landmarker.locate(disc(30, 30)[None])

    threads = [threading.Thread(target=ask, args=(times,)) for times in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert sum(inner.batches) == sum(calls)
    assert max(inner.batches) <= len(calls)


def test_many_trackers_follow_as_each_would_alone() -> None:
    def film(seed: int) -> list[Frame]:
        steps = range(20 + 5 * seed)
        images = [blob_frame([(60 + (3 + seed) * i, 100 + seed * i)]) for i in steps]
        return [Frame(i, i / 30, image) for i, image in enumerate(images)]

    def follow(landmarker: Landmarker | FrameLandmarker, frames: list[Frame]) -> np.ndarray:
        tracker = FaceTracker(landmarker, BlobDetector())
        return np.stack(
            [tracker.update(frame.image, frame.time_s)[0].landmarks.mean for frame in frames]
        )

    landmarker, films = SharedLandmarker(BlobLandmarker()), [film(seed) for seed in range(4)]
    with ThreadPoolExecutor(len(films)) as threads:
        together = list(threads.map(lambda frames: follow(landmarker, frames), films))
    for found, frames in zip(together, films, strict=True):
        np.testing.assert_allclose(found, follow(BlobLandmarker(), frames), atol=1e-9)


def device_landmarker() -> DeviceLandmarker:
    return DeviceLandmarker(*load_network("lite"), torch.device("cpu"), torch.float32)


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(lambda: models.load_landmarker("lite", "cpu", "onnx"), id="onnx"),
        pytest.param(lambda: models.load_landmarker("lite", "cpu", "torch"), id="torch"),
        pytest.param(device_landmarker, id="cuts-its-crops-itself"),
    ],
)
def test_faces_of_several_frames_are_those_of_each_alone(load: Callable[[], Landmarker]) -> None:
    inner = load()
    landmarker = SharedLandmarker(inner)
    assert landmarker.prefers_batches == isinstance(inner, CropCutter)
    frames = [(portrait(), crop_squares(2)), (portrait()[:400, :450].copy(), crop_squares(1))]

    together = asked_at_once(landmarker, [lambda f=f: landmarks(landmarker, *f) for f in frames])
    for found, frame in zip(together, frames, strict=True):
        np.testing.assert_allclose(found.result(), landmarks(inner, *frame), atol=1e-3)


@needs_cuda
def test_threads_share_a_gpu_while_it_captures_graphs_for_larger_batches() -> None:
    inner, sizes = models.load_landmarker("lite", "cuda"), (1, 3, 5, 9)
    alone = [
        landmarks(models.load_landmarker("lite", "cpu"), portrait(), crop_squares(n)) for n in sizes
    ]
    landmarker = SharedLandmarker(inner)

    def find(_: int) -> list[np.ndarray]:
        return [landmarks(landmarker, portrait(), crop_squares(n)) for _ in range(5) for n in sizes]

    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(find, range(8)):
            for ours, theirs in zip(found, alone * 5, strict=True):
                assert np.abs(ours - theirs).max() < 0.1
