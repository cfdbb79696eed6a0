"""What share of this machine's arithmetic peak does the network reach?

The peak is the rate of a matrix product on as many threads. The two are interleaved, and of both
the fastest call counts: other load can only lower a rate.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

import models
from models.crop_reader import CropReader
from models.description import CheckpointInfo
from models.device_landmarker import DeviceLandmarker
from models.landmark_net import LandmarkNet
from models.onnx_landmarker import session_options
from models.torch_landmarker import load_network

from ..harness import Json

BATCHES = (1, 4, 16, 64, 256)
_CPU_SIDES, _GPU_SIDES = (512, 1024), (4096, 8192)
"""Of the square matrices: large enough to keep every core busy; the faster size counts."""
_CALLS = 3
"""In a row; the first one, with cold caches, does not count."""


def flop_of(network: LandmarkNet, info: CheckpointInfo) -> float:
    """Multiplications and additions for one face, of convolutions and products alone."""
    crops = torch.zeros(1, info.input_px, info.input_px, 3, dtype=torch.uint8)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        CropReader(network, info)(crops)
    return float(counter.get_total_flops())


def cpu_share(weights: str, rounds: int) -> Json:
    """The network as `run_tracker.py` runs it here, one face, against the arithmetic peak."""
    threads = session_options().intra_op_num_threads
    landmarker = models.load_landmarker(weights, "cpu")
    crops = np.zeros((1, landmarker.input_px, landmarker.input_px, 3), np.uint8)
    matrices = [torch.ones(side, side) for side in _CPU_SIDES]
    products = [partial(torch.mm, matrix, matrix) for matrix in matrices]
    with _threads(threads):
        network_s, *products_s = _interleaved([partial(landmarker.raw, crops), *products], rounds)
    share = _share(flop_of(*load_network(weights)), network_s, _rate(_CPU_SIDES, products_s))
    return share | {"threads": threads}


def gpu_throughput(
    weights: str, rounds: int, device: str = "cuda", batches: tuple[int, ...] = BATCHES
) -> list[Json]:
    """Faces per second through the GPU back end, and the share of the peak in its precision.

    The crops lie on the device; the landmarks come back to the CPU.
    """
    on_gpu, rows = device == "cuda", []
    sides, precision = (_GPU_SIDES, torch.float16) if on_gpu else (_CPU_SIDES, torch.float32)
    flop = flop_of(*load_network(weights))  # counting folds the norms of its own copy
    landmarker = DeviceLandmarker(*load_network(weights), torch.device(device), precision)
    matrices = [torch.ones(side, side, dtype=precision, device=device) for side in sides]
    products_s = [_on_device(partial(torch.mm, m, m), device, rounds) for m in matrices]
    for batch in batches:
        shape = (batch, landmarker.input_px, landmarker.input_px, 3)
        crops = torch.zeros(shape, dtype=torch.uint8, device=device)
        taken_s = _on_device(partial(landmarker.raw, crops), device, rounds)
        share = _share(batch * flop, taken_s, _rate(sides, products_s))
        rows.append({"batch": batch, "faces_per_s": round(batch / taken_s, 1), **share})
    return rows


def _rate(sides: tuple[int, ...], taken_s: list[float]) -> float:
    return max(2 * side**3 / seconds for side, seconds in zip(sides, taken_s, strict=True))


def _share(flop: float, taken_s: float, peak: float) -> Json:
    return {
        "gflop": round(flop / 1e9, 3),
        "ms": round(1000 * taken_s, 3),
        "gflop_per_s": round(flop / taken_s / 1e9, 1),
        "peak_gflop_per_s": round(peak / 1e9, 1),
        "share": round(flop / taken_s / peak, 4),
    }


def _interleaved(calls: list[Callable[[], object]], rounds: int) -> list[float]:
    """Seconds of the fastest call of each."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, seconds in zip(calls, taken, strict=True):
            call()
            for _ in range(_CALLS - 1):
                began = time.perf_counter()
                call()
                seconds.append(time.perf_counter() - began)
    return [min(seconds) for seconds in taken]


def _on_device(call: Callable[[], object], device: str, rounds: int) -> float:
    """Seconds of the fastest call, by a GPU's own clock: there a call returns before it is done."""
    if device != "cuda":
        return _interleaved([call], rounds)[0]
    for _ in range(_CALLS):
        call()
    torch.cuda.synchronize()
    events = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(rounds)]
    for began, ended in events:
        began.record()
        call()
        ended.record()
    torch.cuda.synchronize()
    return min(began.elapsed_time(ended) for began, ended in events) / 1000


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
