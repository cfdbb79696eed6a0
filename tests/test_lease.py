"""The way to a machine that is lent, and back."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_datasets import write_300w

from models.checkpoint import CheckpointError, load_checkpoint
from tracker.crop import transform
from train import lease
from train.datasets import hold_out, open_data_set
from train.lease import pack_data_set


def test_a_packed_data_set_is_the_same_data_set(tmp_path: Path, rng: np.random.Generator) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    samples = open_data_set(data).split("train")
    assert pack_data_set(data, tmp_path / "packed", 64, 95) > 0
    packed = open_data_set(tmp_path / "packed").split("train")
    held = [[s.image_path.name for s in hold_out(faces)[1]] for faces in (samples, packed)]
    assert held[0] == held[1]
    for sample, small in zip(samples, packed, strict=True):
        assert max(small.read_image().shape) <= 64
        # One similarity, without turn, takes all points along.
        spread = [np.ptp(one.points, axis=0) for one in (sample, small)]
        scale = spread[1] / spread[0]
        assert scale[0] == pytest.approx(scale[1], abs=1e-3)
        matrix = np.diag([scale[0], scale[0], 1.0])
        matrix[:2, 2] = small.points[0] - scale[0] * sample.points[0]
        np.testing.assert_allclose(transform(matrix, sample.points), small.points, atol=0.01)


def test_pieces_come_home_whole(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    monkeypatch.setattr(lease, "PIECE_BYTES", 10_000)
    run, out = tmp_path / "run", tmp_path / "out"
    flags = ["--data", str(data), "--config", "tiny", "--run-folder", str(run), "--workers", "0"]
    asked = ["lease", "train", "--out", str(out), "--minutes", "5", "--device", "cpu", "--", *flags]
    monkeypatch.setattr("sys.argv", asked)
    lease.main()
    assert len(list(out.glob("best.safetensors.*"))) > 2
    lease.join(out, tmp_path / "joined.safetensors")
    assert (tmp_path / "joined.safetensors").read_bytes() == (run / "best.safetensors").read_bytes()
    times = json.loads((out / "forward.json").read_text())["forward"]
    assert {row["precision"] for row in times} == {"fp32", "bf16"}
    assert all(row["median_ms"] > 0 for row in times)
    next(iter(out.glob("best.safetensors.01"))).unlink()
    with pytest.raises(CheckpointError, match="damaged"):
        lease.join(out, tmp_path / "joined.safetensors")
    load_checkpoint(run / "best.safetensors")
