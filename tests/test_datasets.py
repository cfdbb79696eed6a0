from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import SHARED, needs_shared

from tracker.layouts import IBUG_68
from train.datasets import DataError, Sample, hold_out, read_300w, read_pseudo_labels
from train.datasets.ibug import read_pts


def write_pts(path: Path, points: np.ndarray) -> None:
    """As iBUG does: 1-based."""
    lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points + 1)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n")


def write_300w(folder: Path, rng: np.random.Generator, faces: int = 12) -> Path:
    """Made-up faces in the public folder layout."""
    for number in range(faces):
        place = folder / ("afw", "helen/trainset", "lfpw/trainset")[number % 3]
        place.mkdir(parents=True, exist_ok=True)
        stem = place / f"image_{number:04d}"
        picture = cv2.resize(rng.integers(0, 256, (10, 10, 3), dtype=np.uint8), (120, 120))
        cv2.imwrite(str(stem.with_suffix(".jpg")), picture)
        write_pts(stem.with_suffix(".pts"), rng.uniform(30, 90, (68, 2)))
    return folder


def test_points_become_zero_based(tmp_path: Path, rng: np.random.Generator) -> None:
    points = rng.uniform(0, 100, (68, 2)).round(3)
    write_pts(tmp_path / "x.pts", points)
    np.testing.assert_allclose(read_pts(tmp_path / "x.pts", IBUG_68), points, atol=1e-4)


def test_all_three_folders_are_read(tmp_path: Path, rng: np.random.Generator) -> None:
    samples = read_300w(write_300w(tmp_path, rng))
    assert len(samples) == 12
    assert samples[0].read_image().shape == (120, 120, 3)


@pytest.mark.parametrize("content", ["", "{ 1 2", "{ 1 2 3 }", "{ 1 2\n3 4 }", "{ a b }"])
def test_a_damaged_annotation_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "bad.pts").write_text(content)
    with pytest.raises(DataError, match=r"bad\.pts"):
        read_pts(tmp_path / "bad.pts", IBUG_68)


def test_another_layout_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected afw, helen/trainset, lfpw/trainset"):
        read_300w(tmp_path)


def test_a_missing_picture_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    (write_300w(tmp_path, rng) / "afw/image_0000.jpg").unlink()
    with pytest.raises(DataError, match=r"image_0000\.pts: no \.jpg"):
        read_300w(tmp_path)


def test_pseudo_labels_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_text("no")
    with pytest.raises(DataError, match=r"not made by train\.teacher"):
        read_pseudo_labels(tmp_path / "x.npz")


def test_faces_of_one_photograph_stay_on_one_side() -> None:
    samples = [
        Sample(Path(f"afw/{photo}_{face}.jpg"), np.zeros((68, 2)), photograph=f"afw/{photo}")
        for photo in range(40)
        for face in range(1, 4)
    ]
    training, held = hold_out(samples, 0.25, seed=3)
    assert len(held) == 30
    photographs = [{s.image_path.stem.split("_")[0] for s in part} for part in (training, held)]
    assert not photographs[0] & photographs[1]
    assert hold_out(samples[::-1], 0.25, seed=3)[1][::-1] == held


@needs_shared
def test_the_real_folder_holds_2012_faces() -> None:
    samples = read_300w(SHARED / "data/300w")
    assert len(samples) == 2012
    training, held = hold_out(samples, 0.1, 0)
    assert len(training) + len(held) == 2012
