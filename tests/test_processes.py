"""Many processes train as one does: two of them on the CPU, as `torchrun` starts them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import one_step_of_many
import pytest
import torch
from test_datasets import write_300w
from test_fit import command, curve_of, fit_here

from train.processes import Processes

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or os.name == "nt", reason="needs gloo"
)


def torchrun(*arguments: str) -> None:
    asked = [
        *(sys.executable, "-m", "torch.distributed.run"),
        *("--standalone", "--nproc-per-node", "2", *arguments),
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_two_processes_make_the_step_of_one_with_twice_the_batch(tmp_path: Path) -> None:
    torchrun(str(ROOT / "tests/one_step_of_many.py"), str(tmp_path / "step.pt"))
    two = torch.load(tmp_path / "step.pt", weights_only=True)
    one = one_step_of_many.step(Processes(torch.device("cpu")))
    for kind in ("losses", "gradients", "buffers"):
        assert two[kind].keys() == one[kind].keys()
        for name, tensor in one[kind].items():
            # Rounding of a bias whose gradient is zero but for rounding is left out.
            scale = float(tensor.float().abs().max())
            torch.testing.assert_close(
                two[kind][name], tensor, rtol=2e-3, atol=max(1e-4 * scale, 1e-5), msg=name
            )


def test_a_run_of_two_processes_goes_on_with_one(tmp_path: Path, rng: np.random.Generator) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    fit_here(data, tmp_path / "one")
    started = command(data, tmp_path / "two", "--minutes", "0")
    torchrun(*started[1:])
    assert [row["images"] for row in curve_of(tmp_path / "two")] == [4]
    fit_here(data, tmp_path / "two")
    last = [curve_of(tmp_path / name)[-1] for name in ("one", "two")]
    assert last[0]["images"] == last[1]["images"] == 96
    assert last[1]["nme_percent"] == pytest.approx(last[0]["nme_percent"], rel=0.05)
