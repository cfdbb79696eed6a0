"""Load one back end in a process of its own and say what that took.

python -m benchmarks.runtime_start onnx     # or torch, openvino; `benchmarks.runtimes` calls it
"""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.calibrated_landmarker import CalibratedLandmarker


def main() -> None:
    """Print seconds and megabytes as JSON."""
    began = time.perf_counter()
    landmarker: CalibratedLandmarker
    if sys.argv[1] == "openvino":
        from .openvino_landmarker import load_openvino_landmarker as load  # noqa: PLC0415

        landmarker = load()
    else:
        import models  # noqa: PLC0415 - this is what is timed

        landmarker = models.load_landmarker("lite", "cpu", sys.argv[1])
    loaded = time.perf_counter()
    landmarker(np.zeros((1, landmarker.input_px, landmarker.input_px, 3), np.uint8))
    row = {
        "load_s": loaded - began,
        "first_result_s": time.perf_counter() - began,
        "memory_mb": _peak_mb(),
    }
    print(json.dumps(row))  # noqa: T201


def _peak_mb() -> float:
    """Of this process and Linux alone; what `resource` tells began with the parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
