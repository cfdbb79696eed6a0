"""Views that are shown more than once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from test_datasets import write_300w

from tracker.crop import crop_pixels, normalised_coordinates
from tracker.layouts import IBUG_68
from train.datasets import DataError
from train.fit import train
from train.fit_flags import build_parser
from train.processes import Processes
from train.recipes import RECIPES
from train.run_folder import RunFolder
from train.view_pool import ViewPool, resampled, similarity
from train.views import TrainingView

_SIZE = 64


def _dots(points: np.ndarray) -> np.ndarray:
    """A black picture with a white blob at each point of its pixels."""
    y, x = np.mgrid[:_SIZE, :_SIZE]
    blobs = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) for px, py in points)
    return np.repeat((255 * blobs).clip(0, 255).astype(np.uint8)[None], 3, 0)


def _views(faces: int) -> TrainingView:
    points = np.full((68, 2), 31.5)
    points[36], points[45] = (20.0, 25.0), (43.0, 25.0)
    target = normalised_coordinates(points, _SIZE)
    crop = _dots(points[[36]])
    return TrainingView(
        torch.from_numpy(crop).repeat(faces, 1, 1, 1),
        torch.from_numpy(target).float().repeat(faces, 1, 1),
        torch.linspace(0, 1, 68).repeat(faces, 1),
        torch.zeros(faces, 0, 16, 16, dtype=torch.uint8),
        torch.zeros(faces, dtype=torch.bool),
        ["one"] * faces,  # type: ignore[arg-type]
        [""] * faces,  # type: ignore[arg-type]
    )


def _pool(views: Iterator[TrainingView], capacity: int = 32) -> ViewPool:
    return ViewPool(views, capacity, torch.device("cpu"), IBUG_68.mirror.tolist(), 0)


@pytest.mark.parametrize("size_px", [32, 48, 64])
def test_landmarks_stay_on_what_they_mark(size_px: int) -> None:
    pool = _pool(iter([_views(16), _views(16)]))
    batch = pool.batch(24, size_px)
    mirrored = 0
    for crop, target, certainty in zip(batch.crop, batch.target, batch.certainty, strict=True):
        picture = crop.float().mean(0).numpy()
        weight = np.where(picture > 0.5 * picture.max(), picture, 0)
        y, x = np.mgrid[:size_px, :size_px]
        seen = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
        points = crop_pixels(target.numpy(), size_px)
        # In the mirror the marked eye's corner has its partner's name.
        name = int(np.linalg.norm(points[[36, 45]] - seen, axis=-1).argmin())
        mirrored += name
        assert np.linalg.norm(points[[36, 45][name]] - seen) < 0.5
        assert certainty[36] == pytest.approx((45 if name else 36) / 67, abs=1e-6)
    assert 4 < mirrored < 20


def test_a_turn_is_that_of_the_picture() -> None:
    points = np.array([[40.0, 20.0]])
    crops = torch.from_numpy(_dots(points))[None]
    angle, scale = torch.tensor([30.0]), torch.tensor([1.1])
    ours = resampled(crops, similarity(angle, scale), torch.zeros(1, 2), _SIZE)[0, 0].numpy()
    around = cv2.getRotationMatrix2D((31.5, 31.5), -30.0, 1.1)
    theirs = cv2.warpAffine(_dots(points)[0], around, (_SIZE, _SIZE))
    assert np.abs(ours - theirs)[8:-8, 8:-8].max() < 4


def test_new_views_take_the_place_of_the_oldest() -> None:
    old, new = _views(20), _views(40)
    new.certainty[:] = 0.5
    pool = _pool(iter([old, new]), capacity=40)
    pool.batch(40, _SIZE)
    assert torch.equal(pool.batch(30, _SIZE).certainty, torch.full((30, 68), 0.5))


def test_what_cannot_be_read_is_said_by_the_one_who_asks() -> None:
    def broken() -> Iterator[TrainingView]:
        yield _views(2)
        raise DataError("no picture can be read")

    pool = _pool(broken())
    with pytest.raises(DataError, match="no picture"):
        pool.batch(8, _SIZE)


def test_a_run_from_a_pool_follows_the_clock_to_its_last_size(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_300w(tmp_path / "300w", rng, faces=30)
    growing = replace(RECIPES["tiny"], sizes=((0.0, 16), (0.5, 32)), evaluate_every=10**9)
    monkeypatch.setitem(RECIPES, "tiny", growing)
    run = tmp_path / "run"
    flags = ["--data", str(data), "--config", "tiny", "--run-folder", str(run), "--device", "cpu"]
    how = ["--workers", "0", "--pool", "16", "--by-clock", "--minutes", "0.05", "--images", "8"]
    train(build_parser().parse_args([*flags, *how]), Processes(torch.device("cpu")))
    (row,) = RunFolder(run).rows()
    assert row["size_px"] == 32
    assert row["images"] > 8  # the clock ends it, not the pictures
