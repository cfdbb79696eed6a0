"""Which device and back end a landmarker gets, and which packages that needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import models

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("device", ["gpu", "tpu", "cuda:", "cuda:x", "CPU", "", None, 0])
def test_a_device_that_nobody_knows_is_refused(device: object) -> None:
    with pytest.raises(
        ValueError, match=r'device must be "auto", "cpu", "cuda", "cuda:N" or "mps"'
    ):
        models.load_landmarker(device=device)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["tensorrt", "ONNX", "", None])
def test_a_back_end_that_nobody_knows_is_refused(backend: object) -> None:
    with pytest.raises(ValueError, match='backend must be "auto", "onnx" or "torch", got'):
        models.load_landmarker(backend=backend)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [None, 3, "", b"lite"])
def test_what_is_no_weight_file_is_refused(weights: object) -> None:
    with pytest.raises(ValueError, match="weights are a name or a path"):
        models.load_landmarker(weights)  # type: ignore[arg-type]


@pytest.mark.parametrize("backend", ["auto", "torch"])
@pytest.mark.parametrize(
    ("device", "says"),
    [("cuda", "sees 0 GPUs"), ("cuda:1", "sees 0 GPUs"), ("mps", "sees no Apple GPU")],
)
def test_a_device_that_is_not_there_never_becomes_the_cpu(
    monkeypatch: pytest.MonkeyPatch, device: str, backend: str, says: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(models.CheckpointError, match=says):
        models.load_landmarker(device=device, backend=backend)


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps"])
def test_onnx_runtime_on_a_gpu_is_refused(device: str) -> None:
    with pytest.raises(models.CheckpointError, match="ONNX Runtime runs on the CPU here"):
        models.load_landmarker(device=device, backend="onnx")


def test_a_second_gpu_needs_two(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.torch_landmarker import choose_device  # noqa: PLC0415

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device("cuda:0") == torch.device("cuda:0")
    assert choose_device("auto").type == "cuda"
    with pytest.raises(models.CheckpointError, match="device cuda:1: PyTorch sees 1 GPUs"):
        choose_device("cuda:1")


def test_an_apple_gpu_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.torch_landmarker import choose_device  # noqa: PLC0415

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == torch.device("mps")


def without(packages: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run code where these packages are not installed."""
    block = (
        "import sys\n"
        "import importlib.util as util\n"
        f"names = {packages.split()!r}\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in names:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, package=None: (\n"
        "    None if name.split('.')[0] in names else found(name, package))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", block + code],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_default_weights_need_neither_torch_nor_what_training_needs() -> None:
    code = (
        "import numpy as np, models, tracker\n"
        "landmarker = models.load_landmarker()\n"
        "answer = landmarker(np.zeros((2, 128, 128, 3), np.uint8))\n"
        "tracker.FaceTracker(landmarker, lambda image: [])\n"
        "print(answer.mean.shape)\n"
    )
    done = without("torch safetensors h5py matplotlib jax filterpy pytest", code)
    assert (done.stdout, done.returncode) == ("(2, 68, 2)\n", 0), done.stderr


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        ("'lite', 'cpu', 'torch'", "torch"),
        ("'lite', 'cuda'", "torch"),
        ("models.weight_files.NAMED_WEIGHTS['lite'], 'cpu', 'torch'", "safetensors"),
    ],
)
def test_a_layer_that_is_missing_is_named_in_one_line(arguments: str, package: str) -> None:
    code = (
        "import models, models.weight_files\n"
        f"try: models.load_landmarker({arguments})\n"
        "except models.CheckpointError as error: print(error)\n"
    )
    done = without(package, code)
    assert done.stdout.endswith('pip install "star-tracker[torch]"\n'), done.stderr
    assert f"needs {package}" in done.stdout
    assert done.stdout.count("\n") == 1


def test_without_onnx_runtime_pytorch_takes_over_and_says_so() -> None:
    code = "import models\nprint(type(models.load_landmarker(device='cpu')).__name__)\n"
    done = without("onnxruntime", code)
    assert done.stdout == "HeatmapLandmarker\n"
    assert "ONNX Runtime is not installed" in done.stderr
