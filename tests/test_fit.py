"""Training as a user runs it: tiny, on made-up faces."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_datasets import write_300w

from models.checkpoint import CheckpointInfo, save_checkpoint
from tracker.layouts import IBUG_68
from train.datasets import DataError
from train.fit import Run
from train.recipes import RECIPES
from train.views import batches

ROOT = Path(__file__).parents[1]


def command(data: Path, run: Path) -> list[str]:
    flags = ["--data", str(data), "--config", "tiny-300w", "--run", str(run), "--workers", "0"]
    return [sys.executable, "-m", "train.fit", *flags]


def log_of(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_run_ends_where_an_uninterrupted_one_does(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = write_300w(tmp_path / "300w", rng)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(data, whole), cwd=ROOT, check=True, capture_output=True)
    process = subprocess.Popen(command(data, killed), cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (killed / "state.pt").exists():
        assert time.monotonic() < deadline, "no state after a minute"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert log_of(killed)[-1]["images"] < 96, "killed too late to show anything"
    subprocess.run(command(data, killed), cwd=ROOT, check=True, capture_output=True)
    assert log_of(killed)[-1]["images"] == log_of(whole)[-1]["images"] == 96
    one, other = (load_file(run / "landmarks.safetensors") for run in (whole, killed))
    for name, tensor in one.items():
        torch.testing.assert_close(other[name], tensor, msg=name)


def test_a_folder_that_is_no_data_set_gives_one_line(tmp_path: Path) -> None:
    asked = command(tmp_path, tmp_path / "run")
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_steps_on_one_batch_lower_its_loss() -> None:
    run = Run(RECIPES["tiny-300w"], IBUG_68, torch.device("cpu"))
    run.images = 48  # past the warm-up
    generator = torch.Generator().manual_seed(0)
    crops = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8, generator=generator)
    target = torch.rand(4, 68, 2, generator=generator) - 0.5
    losses = []
    for _ in range(12):
        losses.append(run.step(crops, target, run.network.run_stages)["cross_entropy"])
        run.images = 48
    assert losses[-1] < losses[0]


def test_a_run_can_start_from_the_weights_of_another(tmp_path: Path) -> None:
    one = Run(RECIPES["tiny-300w"], IBUG_68, torch.device("cpu"))
    with torch.no_grad():
        for parameter in one.network.parameters():
            parameter.add_(0.25)
    info = CheckpointInfo(
        architecture=one.network.config, layout="300W-68", input_px=32, margin=1.2
    )
    save_checkpoint(tmp_path / "w.safetensors", one.network.state_dict(), info)
    other = Run(RECIPES["tiny-300w"], IBUG_68, torch.device("cpu"))
    other.start_from(tmp_path / "w.safetensors")
    for name, tensor in one.network.state_dict().items():
        torch.testing.assert_close(other.network.state_dict()[name], tensor, rtol=1e-3, atol=1e-3)
    with pytest.raises(DataError, match="another network"):
        Run(RECIPES["lite-300w"], IBUG_68, torch.device("cpu")).start_from(
            tmp_path / "w.safetensors"
        )


def test_the_draws_of_a_run_do_not_depend_on_where_it_resumes() -> None:
    recipe = RECIPES["lite-300w"]
    whole = list(batches(recipe, 50, 20, 0))
    assert list(batches(recipe, 50, 20, 160 * recipe.batch)) == whole[160:]
    sizes = [draws[0].size_px for draws in whole]
    assert sizes == sorted(sizes)
    assert sizes[-1] == recipe.input_px
    share = np.mean([draw.sample >= 50 for draws in whole[:500] for draw in draws])
    assert abs(share - recipe.pseudo_share) < 0.02


def test_the_learning_rate_rises_stays_and_falls() -> None:
    recipe = RECIPES["lite-300w"]
    rates = [recipe.learning_rate_at(progress) for progress in (0.0, 0.02, 0.5, 0.8, 1.0)]
    assert rates[0] == rates[-1] == 0
    assert rates[1] == rates[2] == recipe.learning_rate
    assert 0 < rates[3] < recipe.learning_rate
