"""Which runtime runs the default network fastest on a CPU, and what does it cost to start?

    python -m benchmarks.runtimes [--data 300w] [--json benchmarks/results/runtimes.json]

Calls of all runtimes take turns, so that what else the machine does disturbs all alike; the median
counts. `--data` adds the network in eight bits and what it loses. OpenVINO is no dependency: it is
measured where it is installed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from rich.console import Console
from rich.table import Table

import models
from models.onnx_landmarker import load_onnx_landmarker
from models.torch_landmarker import load_torch_landmarker
from models.weight_files import EXPORTED, NAMED_WEIGHTS
from tracker.errors import FaceTrackError

from .int8 import judge, one_stage, quantise, verdict
from .measure import machine, wide_console

_BATCHES, _THREADS = (1, 4), (1, 2)
_AT_A_TIME = 3
"""Calls in a turn; the first, which finds the caches full of another runtime, does not count."""

Crops = UInt8[np.ndarray, "faces height width rgb=3"]
Call = Callable[[Crops], object]


def calls(threads: int, quantised: Path | None) -> dict[str, Call]:
    """The network by every runtime there is."""
    with_torch, exported = load_torch_landmarker("lite", "cpu"), _exported()

    def torch_call(crops: Crops) -> object:
        torch.set_num_threads(threads)
        return with_torch.raw(crops)

    found: dict[str, Call] = {
        "torch": torch_call,
        "onnx": load_onnx_landmarker(exported, threads=threads).raw,
    }
    if _openvino_is_there():
        from .openvino_landmarker import load_openvino_landmarker  # noqa: PLC0415

        found["openvino"] = load_openvino_landmarker(threads).raw
    if quantised:
        found["onnx int8"] = one_stage(quantised, with_torch.info, threads).raw
    return found


def times(rounds: int, quantised: Path | None) -> list[dict[str, Any]]:
    """Median milliseconds of a call, by threads, batch and runtime."""
    found = {threads: calls(threads, quantised) for threads in _THREADS}
    rng, rows = np.random.default_rng(0), []
    for batch in _BATCHES:
        crops = rng.integers(0, 256, (batch, 128, 128, 3), dtype=np.uint8)
        taken: dict[tuple[int, str], list[float]] = {}
        for _ in range(rounds):
            for threads in _THREADS:
                for name, call in found[threads].items():
                    taken.setdefault((threads, name), []).extend(_turn(call, crops))
        rows += [
            {"runtime": name, "threads": threads, "batch": batch,
             "ms": round(statistics.median(ms), 1)}
            for (threads, name), ms in taken.items()
        ]  # fmt: skip
    return rows


def _turn(call: Call, crops: Crops) -> list[float]:
    call(crops)
    taken = []
    for _ in range(_AT_A_TIME - 1):
        began = time.perf_counter()
        call(crops)
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def starts(rounds: int) -> list[dict[str, Any]]:
    """Median seconds to load and to the first result, and megabytes, each in new processes."""
    names = ["torch", "onnx", *(["openvino"] if _openvino_is_there() else [])]
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            command = [sys.executable, "-m", "benchmarks.runtime_start", name]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seen[name].append(json.loads(said))
    return [
        {"runtime": name, **{key: round(statistics.median(row[key] for row in rows), 2)
                             for key in rows[0]}}
        for name, rows in seen.items()
    ]  # fmt: skip


def _exported() -> Path:
    return NAMED_WEIGHTS["lite"].with_suffix(EXPORTED)


def _openvino_is_there() -> bool:
    return find_spec("openvino") is not None


def eight_bits(data: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The quantised network and how it does on the held-out faces beside the original."""
    info, quantised = load_onnx_landmarker(_exported()).info, folder / "int8.onnx"
    quantise(_exported(), info, data, quantised)
    ours, theirs = (judge(one_stage(path, info), data) for path in (_exported(), quantised))
    return quantised, {"fp32": asdict(ours), "int8": asdict(theirs), **verdict(ours, theirs)}


def tell(result: dict[str, Any], console: Console) -> None:
    """Print the tables."""
    grid = Table(
        "runtime",
        "threads",
        "batch",
        "ms",
        title=result["machine"],
        caption=f"load average {result['load_average']}",
    )
    for row in sorted(result["times"], key=lambda row: (row["batch"], row["threads"], row["ms"])):
        grid.add_row(row["runtime"], str(row["threads"]), str(row["batch"]), f"{row['ms']:.1f}")
    console.print(grid)
    start = Table("runtime", "loaded, s", "first result, s", "peak memory, MB")
    for row in result["starts"]:
        seconds = (f"{row[key]:.2f}" for key in ("load_s", "first_result_s"))
        start.add_row(row["runtime"], *seconds, f"{row['memory_mb']:.0f}")
    console.print(start)
    if "int8" in result:
        console.print(result["int8"])


def main() -> None:
    """Measure, tell, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="300W, to judge the network in eight bits too")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "load_average": round(os.getloadavg()[0], 1)}
    try:
        with tempfile.TemporaryDirectory() as name:
            quantised = None
            if arguments.data:
                quantised, result["int8"] = eight_bits(arguments.data, Path(name))
            result["times"] = times(arguments.rounds, quantised)
        result["starts"] = starts(max(3, arguments.rounds // 8))
    except (FaceTrackError, models.CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")
    tell(result, wide_console())
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
