"""What share of this machine's arithmetic does the network use?

The roof is a matrix multiplication on as many threads. The two take turns, and of both the fastest
call counts: what else the machine does can only lower a rate.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

import models
from models.onnx_landmarker import session_options

BATCHES = (1, 4, 16, 64, 256)
_CPU_SIDES, _GPU_SIDES = (512, 1024), (4096, 8192)
"""Of the square matrices: large enough to keep every core busy; the faster size counts."""
_CALLS = 3
"""In a turn; the first, which finds the caches full of something else, does not count."""


def flop_of_network(weights: str) -> float:
    """Multiplications and additions for one face, of convolutions and products alone."""
    import torch  # noqa: PLC0415 - takes seconds
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    from models.crop_reader import CropReader  # noqa: PLC0415
    from models.torch_landmarker import load_network  # noqa: PLC0415

    network, info = load_network(weights)
    crops = torch.zeros(1, info.input_px, info.input_px, 3, dtype=torch.uint8)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        CropReader(network, info)(crops)
    return float(counter.get_total_flops())


def cpu_roof(weights: str, rounds: int) -> dict[str, Any]:
    """The network as `run_tracker.py` runs it here, one face, against the roof."""
    import torch  # noqa: PLC0415

    threads = session_options().intra_op_num_threads
    landmarker = models.load_landmarker(weights, "cpu")
    crops = np.zeros((1, landmarker.input_px, landmarker.input_px, 3), np.uint8)
    matrices = [torch.ones(side, side) for side in _CPU_SIDES]
    products = [partial(torch.mm, matrix, matrix) for matrix in matrices]
    with _threads(threads):
        network_s, *taken = _in_turns([partial(landmarker.raw, crops), *products], rounds)
    row = _share(flop_of_network(weights), network_s, _rate(_CPU_SIDES, taken))
    return row | {"threads": threads}


def forward_table(
    weights: str, rounds: int, device: str = "cuda", batches: tuple[int, ...] = BATCHES
) -> list[dict[str, Any]]:
    """Faces per second through the GPU back end, and the share of the roof in its precision.

    The crops are there already; the landmarks come back to the CPU.
    """
    import torch  # noqa: PLC0415

    from models.device_landmarker import DeviceLandmarker  # noqa: PLC0415
    from models.torch_landmarker import load_network  # noqa: PLC0415

    flop, on_gpu, rows = flop_of_network(weights), device == "cuda", []
    sides, precision = (_GPU_SIDES, torch.float16) if on_gpu else (_CPU_SIDES, torch.float32)
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


def gpu_is_there() -> bool:
    """Whether PyTorch sees one."""
    import torch  # noqa: PLC0415

    return torch.cuda.is_available()


def _share(flop: float, taken_s: float, roof: float) -> dict[str, float]:
    return {
        "gflop": round(flop / 1e9, 3),
        "ms": round(1000 * taken_s, 3),
        "gflop_per_s": round(flop / taken_s / 1e9, 1),
        "roof_gflop_per_s": round(roof / 1e9, 1),
        "share": round(flop / taken_s / roof, 4),
    }


def _in_turns(calls: list[Callable[[], object]], rounds: int) -> list[float]:
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
    import torch  # noqa: PLC0415

    if device != "cuda":
        return _in_turns([call], rounds)[0]
    for _ in range(_CALLS):
        call()
    torch.cuda.synchronize()
    marks = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(rounds)]
    for began, ended in marks:
        began.record()
        call()
        ended.record()
    torch.cuda.synchronize()
    return min(began.elapsed_time(ended) for began, ended in marks) / 1000


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch  # noqa: PLC0415

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
