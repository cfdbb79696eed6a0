"""The way to a machine that is lent, and back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_datasets import write_300w

from models.checkpoint import CheckpointError, load_checkpoint
from tracker.crop import transform
from train import lease, lease_check
from train.datasets import (
    DataError,
    hold_out,
    open_data_set,
    read_pseudo_labels,
    write_pseudo_labels,
)
from train.faces import gather
from train.held_out_errors import errors
from train.lease import Packing, pack_data_set, pack_labels
from train.run_folder import RunFolder


def test_a_packed_data_set_is_the_same_data_set(tmp_path: Path, rng: np.random.Generator) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    samples = open_data_set(data).split("train")
    pack_data_set(data, tmp_path / "packed", Packing(64, 95))
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


def test_annotations_of_ones_own_are_packed_too(tmp_path: Path, rng: np.random.Generator) -> None:
    source = open_data_set(write_300w(tmp_path / "300w", rng, faces=3)).split("train")
    own = tmp_path / "own"
    own.mkdir()
    header = ["picture", *(f"{axis}_{i}" for i in range(68) for axis in "xy")]
    rows = [",".join(header)]
    for sample in source:
        (own / sample.image_path.name).write_bytes(sample.image_path.read_bytes())
        rows.append(",".join([sample.image_path.name, *map(str, sample.points.ravel())]))
    (own / "landmarks.csv").write_text("\n".join(rows) + "\n")
    pack_data_set(own, tmp_path / "packed", Packing(64, 95))
    packed = open_data_set(tmp_path / "packed").split("train")
    for sample, small in zip(source, packed, strict=True):
        scale = np.ptp(small.points, axis=0) / np.ptp(sample.points, axis=0)
        assert scale[0] == pytest.approx(scale[1], abs=1e-3)
        assert max(small.read_image().shape) <= 64


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
    faces = gather(open_data_set(data), None, select_on_test=False)
    (last,) = [row for row in RunFolder(run).rows() if row["images"] == 96]
    found = errors(str(run / "last.safetensors"), faces)
    assert found == {"held out": pytest.approx(last["nme_percent"], abs=0.05)}


def test_packed_labels_can_be_moved(tmp_path: Path, rng: np.random.Generator) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=3)
    samples = open_data_set(data).split("train")
    certain = [replace(s, certainty=np.linspace(0, 1, 68), first_pixel=1.0) for s in samples]
    write_pseudo_labels(tmp_path / "some" / "labels.npz", certain)
    pack_labels(tmp_path / "some" / "labels.npz", tmp_path / "packed", Packing(64, 90))
    (tmp_path / "packed").rename(tmp_path / "moved")
    packed = read_pseudo_labels(tmp_path / "moved" / "labels.npz")
    for sample, small in zip(certain, packed, strict=True):
        assert max(small.read_image().shape) <= 64
        scale = np.ptp(small.points, axis=0) / np.ptp(sample.points, axis=0)
        assert small.first_pixel == pytest.approx(scale[0], rel=1e-3)
        assert small.certainty is not None
        np.testing.assert_allclose(small.certainty, np.linspace(0, 1, 68), atol=1e-6)


def test_pictures_of_one_name_do_not_overwrite_each_other(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=2)
    one, other = open_data_set(data).split("train")[:2]
    twin = tmp_path / "elsewhere" / one.image_path.parent.name / one.image_path.name
    twin.parent.mkdir(parents=True)
    twin.write_bytes(other.image_path.read_bytes())
    both = [one, replace(other, image_path=twin)]
    write_pseudo_labels(tmp_path / "labels.npz", both)
    with pytest.raises(DataError, match="same name"):
        pack_labels(tmp_path / "labels.npz", tmp_path / "packed", Packing(64, 90))


def test_the_check_measures_agreement_and_speed(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=4)
    monkeypatch.setattr(lease_check, "_WARM_UPS", 0)
    monkeypatch.setattr(lease_check, "_RUNS", 2)
    monkeypatch.setattr(lease_check, "_STEPS", 1)
    monkeypatch.setattr(lease_check, "_FACES", (1, 2))
    flags = ["--crops", str(data), "--json", str(tmp_path / "gpu.json"), "--device", "cpu"]
    monkeypatch.setattr("sys.argv", ["lease_check", *flags, "--configs", "tiny"])
    lease_check.main()
    report = json.loads((tmp_path / "gpu.json").read_text())
    assert 0 < report["agreement"]["largest_px"] < 0.2
    assert [row["faces"] for row in report["latency lite"]] == [1, 2]
    assert all(row["p50_ms"] > 0 for row in report["latency tiny"])
    assert "pictures a second, tiny, 32 px" in report
