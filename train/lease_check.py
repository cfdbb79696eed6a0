"""Is the lent GPU right, how fast does it answer, how fast would it train?

    python -m train.lease_check --crops packed/300w --json OUT/gpu.json

Needs no detector: crops are cut around annotated faces.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from rich.console import Console

from models.description import CheckpointInfo
from models.device_landmarker import DeviceLandmarker, load_device_landmarker
from models.landmark_net import LandmarkNet
from models.torch_landmarker import choose_device, load_torch_landmarker
from tracker.crop import crop_from_square, reduced_from_crop
from tracker.layouts import IBUG_68, Layout, layout_table

from .augment import exact_crop
from .datasets import open_data_set
from .execution import Execution
from .processes import Processes
from .recipes import RECIPES, Recipe
from .run_folder import environment
from .training_run import Run, architecture_of
from .views import TrainingView

_FACES = (1, 8, 64)
_WARM_UPS, _RUNS = 20, 300
_STEPS = 12
_FRAME_SIZE = (720, 1280)

Figures = dict[str, float | str]


def agreement(
    weights: str, crops: UInt8[np.ndarray, "faces size size rgb=3"], device: str
) -> Figures:
    """How far the device's landmarks and covariances lie from the CPU's, in single precision.

    Args:
        weights: Name or path.
        crops: Of faces.
        device: As in `choose_device`.

    Returns:
        Largest and mean distance of a landmark in crop pixels; largest difference of a covariance
        over its trace.
    """
    ours = load_device_landmarker(weights, device).raw(crops)
    theirs = load_torch_landmarker(weights, "cpu").raw(crops)
    apart = np.linalg.norm(ours.mean - theirs.mean, axis=-1)
    trace = np.trace(theirs.spread, axis1=-2, axis2=-1)[..., None, None]
    return {
        "faces": float(len(crops)),
        "largest_px": float(apart.max()),
        "mean_px": float(apart.mean()),
        "largest_covariance_share": float((np.abs(ours.spread - theirs.spread) / trace).max()),
    }


def latencies(landmarker: DeviceLandmarker, faces: int) -> Figures:
    """Milliseconds from a 720p frame in memory to its landmarks, all faces in one batch.

    Args:
        landmarker: Of any size.
        faces: In the frame.
    """
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (*_FRAME_SIZE, 3), dtype=np.uint8)
    size = landmarker.input_px
    places = rng.uniform([100, 100], np.array(_FRAME_SIZE[::-1]) - 100, (faces, 2))
    matrices = [crop_from_square(x, y, 200.0, size) for x, y in places]
    factors = [1] * faces
    from_crops = np.stack([reduced_from_crop(matrix, 1) for matrix in matrices])
    times = []
    for _ in range(_WARM_UPS + _RUNS):
        started = time.perf_counter()
        landmarker.raw(landmarker.cut(frame, factors, from_crops))
        times.append(1e3 * (time.perf_counter() - started))
    p50, p95, p99 = np.percentile(times[_WARM_UPS:], [50, 95, 99])
    return {"faces": float(faces), "p50_ms": float(p50), "p95_ms": float(p95), "p99_ms": float(p99)}


def untrained(recipe: Recipe, layout: Layout, device: torch.device) -> DeviceLandmarker:
    """A landmarker with random weights: as fast as a trained one."""
    network = LandmarkNet(architecture_of(recipe, layout)).eval()
    info = CheckpointInfo(
        architecture=network.config,
        layout=layout.name,
        layout_table=layout_table(layout),
        input_px=recipe.input_px,
        margin=recipe.margin,
        trained_on="nothing",
        licence="",
    )
    return DeviceLandmarker(network, info, device)


def training_speed(
    recipe: Recipe, layout: Layout, size_px: int, device: torch.device, *, graph: bool
) -> float:
    """Pictures a second that the steps alone allow, at one size of crop."""
    run = Run(recipe, layout, Processes(device), Execution(precision="bf16", graph=graph))
    if graph:
        run.record(size_px)
    batch = random_batch(recipe, layout, size_px)
    for step in range(2 * _STEPS):
        if step == _STEPS:
            _wait_for(device)
            started = time.perf_counter()
        run.step(batch)
    _wait_for(device)
    return _STEPS * recipe.batch / (time.perf_counter() - started)


def random_batch(recipe: Recipe, layout: Layout, size_px: int) -> TrainingView:
    """Noise with landmarks anywhere."""
    rng, batch = torch.Generator().manual_seed(0), recipe.batch
    return TrainingView(
        torch.randint(0, 256, (batch, 3, size_px, size_px), generator=rng, dtype=torch.uint8),
        torch.rand(batch, layout.count, 2, generator=rng) * 1.6 - 0.8,
        torch.ones(batch, layout.count),
        torch.zeros(batch, 0, size_px // 4, size_px // 4, dtype=torch.uint8),
        torch.zeros(batch, dtype=torch.bool),
        "",
        "",
    )


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _exact_crops(data: Path, size_px: int, margin: float) -> UInt8[np.ndarray, "faces size size 3"]:
    samples = open_data_set(data).split("train")[:32]
    return np.stack([exact_crop(sample, size_px, margin)[0] for sample in samples])


def main() -> None:
    """Check and measure; print and write one JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crops", type=Path, required=True, help="folder of 300W, packed or not")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    parser.add_argument("--weights", default="lite")
    parser.add_argument("--configs", nargs="+", default=["full", "base", "lite-next", "nano"])
    parser.add_argument("--training-only", action="store_true")
    arguments = parser.parse_args()
    device, console = choose_device(arguments.device), Console()
    report: dict[str, object] = {**environment()}

    def note(name: str, value: object) -> None:
        report[name] = value
        console.print(name, value, highlight=False, soft_wrap=True)
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")

    if arguments.training_only:
        _note_training(arguments, device, note)
        return
    lite = load_device_landmarker(arguments.weights, arguments.device)
    crops = _exact_crops(arguments.crops, lite.input_px, lite.margin)
    note("agreement", agreement(arguments.weights, crops, arguments.device))
    note(f"latency {arguments.weights}", [latencies(lite, faces) for faces in _FACES])
    large = untrained(RECIPES[arguments.configs[0]], IBUG_68, device)
    note(f"latency {arguments.configs[0]}", [latencies(large, faces) for faces in _FACES])
    _note_training(arguments, device, note)


def _note_training(
    arguments: argparse.Namespace, device: torch.device, note: Callable[[str, object], None]
) -> None:
    for name in arguments.configs:
        recipe = RECIPES[name]
        for size_px in recipe.all_sizes:
            started = time.perf_counter()
            speed = training_speed(recipe, IBUG_68, size_px, device, graph=device.type == "cuda")
            took = f"{time.perf_counter() - started:.0f} s"
            note(f"pictures a second, {name}, {size_px} px", f"{speed:.0f}, measured in {took}")


if __name__ == "__main__":
    main()
