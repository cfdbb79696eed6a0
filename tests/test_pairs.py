"""Two views of one face: drawn as a tracker's next frame, taught to err alike."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_augment import PLAIN, center_of_mass, dotted, face
from test_datasets import write_300w
from test_fit import CPU, curve_of, made_up_batch

from models.landmark_net import Stage
from tracker.crop import transform
from tracker.layouts import IBUG_68
from train.augment import AugmentConfig, RandomCrop
from train.datasets import DataError, Sample, open_data_set
from train.faces import gather
from train.fit import Limits, fit, resolved
from train.losses import consistency_loss
from train.objective import Labels, objective
from train.processes import Processes
from train.recipes import RECIPES, Recipe
from train.run_folder import RunFolder
from train.synthetic.face import portrait_face
from train.training_run import Execution, Run
from train.views import Draw, TrainingView, TrainingViews, batches

PAIRED = replace(RECIPES["tiny"], pair_share=0.25, consistency_weight=10.0)
PAIR = torch.tensor([False, True, False])
"""One face twice, another once."""


def motion_between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The similarity that brings points nearest to others, as a 3 x 3 matrix."""
    matrix, _ = cv2.estimateAffinePartial2D(one, other, method=cv2.LMEDS)
    return np.vstack([matrix, [0, 0, 1]])


@pytest.mark.parametrize("blink", [0.0, 1.0])
def test_the_next_frame_is_the_same_view_a_little_elsewhere(blink: float) -> None:
    portrait, size_px = portrait_face(), 128
    crop = RandomCrop(IBUG_68, 1.5, replace(PLAIN, blink=blink))
    motions = []
    for seed in range(40):  # mirrored ones among them
        view, again = (
            crop(
                portrait.image,
                face(portrait.points),
                size_px,
                np.random.default_rng(seed),
                np.random.default_rng(100 + seed) if is_second else None,
            )
            for is_second in (False, True)
        )
        motion = motion_between(view[1], again[1])
        np.testing.assert_allclose(transform(motion, view[1]), again[1], atol=0.02)
        motions.append(motion)
    linear = np.array(motions)[:, :2, :2]
    middle = np.array([transform(motion, np.full(2, (size_px - 1) / 2)) for motion in motions])
    scale = np.sqrt(np.linalg.det(linear))
    angle_deg = np.degrees(np.arctan2(linear[:, 1, 0], linear[:, 0, 0]))
    shift = middle / (size_px - 1) - 0.5
    for deviation in (scale.std() * 100, angle_deg.std(), shift.std() * 100):
        assert 0.7 < deviation < 1.4


def test_landmarks_of_the_next_frame_lie_on_its_picture(rng: np.random.Generator) -> None:
    points = rng.uniform(100, 200, (68, 2)).astype(np.float32)
    crop = RandomCrop(IBUG_68, 1.5, replace(PLAIN, mirror=0))
    for seed in range(6):
        view, moved, _ = crop(
            dotted(points, seed), face(points), 128, rng, np.random.default_rng(seed)
        )
        np.testing.assert_allclose(moved[seed], center_of_mass(view), atol=0.4)


def test_the_next_frame_has_noise_of_its_own_and_leaves_the_first_alone() -> None:
    portrait, noisy = portrait_face(), AugmentConfig(noise=1, occlusion=0, blur=0, gamma=0, grey=0)
    crop = RandomCrop(IBUG_68, 1.5, noisy)

    def seen(next_frame: int | None) -> np.ndarray:
        other = None if next_frame is None else np.random.default_rng(next_frame)
        sample = face(portrait.points)
        return crop(portrait.image, sample, 64, np.random.default_rng(3), other)[0]

    np.testing.assert_array_equal(seen(None), seen(None))
    assert (seen(None) != seen(1)).mean() > 0.5
    assert (seen(1) != seen(2)).mean() > 0.5


def test_without_pairs_a_run_draws_what_it_always_drew() -> None:
    first = next(batches(RECIPES["lite"], 50, 20, 0))
    said = [9, 21, 31, 26, 41, 5, 48, 10, 42, 0, 65, 58, 60, 68, 50, 69]
    assert first == [Draw(place, sample, 64) for place, sample in enumerate(said)]


@pytest.mark.parametrize(
    ("pair_share", "pseudo", "alone", "twice"),
    [
        pytest.param(0.125, 20, (10, 2), (0, 2), id="all-pseudo-labelled"),
        pytest.param(0.25, 20, (8, 0), (1, 3), id="labelled-where-pseudo-labelled-run-out"),
        pytest.param(0.5, 20, (0, 0), (5, 3), id="every-face-twice"),
        pytest.param(0.25, 0, (8, 0), (4, 0), id="nothing-pseudo-labelled"),
    ],
)
def test_pseudo_labelled_faces_are_seen_twice_first(
    pair_share: float, pseudo: int, alone: tuple[int, int], twice: tuple[int, int]
) -> None:
    recipe = replace(RECIPES["lite"], images=1600, pair_share=pair_share)
    whole = list(batches(recipe, 50, pseudo, 0))
    assert list(batches(recipe, 50, pseudo, 160)) == whole[10:]
    firsts = [draw for draws in whole for draw in draws if not draw.again]
    assert len({draw.number for draw in firsts}) == len(firsts)
    seen = [draw.sample for draw in firsts if draw.sample < 50]
    assert sorted(seen[:50]) == list(range(50))
    for draws in whole:
        assert len(draws) == recipe.batch
        seconds = [place for place, draw in enumerate(draws) if draw.again]
        for place in seconds:
            assert draws[place] == replace(draws[place - 1], again=True)
        pairs = [draws[place].sample < 50 for place in seconds]
        others = [
            draw.sample < 50
            for place, draw in enumerate(draws)
            if not {place, place + 1} & set(seconds)
        ]
        assert (sum(pairs), len(pairs) - sum(pairs)) == twice
        assert (sum(others), len(others) - sum(others)) == alone


def test_pairs_stay_together_when_a_batch_is_shared_out() -> None:
    recipe = replace(RECIPES["lite"], pair_share=0.25)
    draws = next(batches(recipe, 50, 20, 0))
    shares = [Processes(CPU.device, rank, 2).share(draws) for rank in range(2)]
    assert shares[0] + shares[1] == draws
    for share in shares:
        for part in (share[:4], share[4:]):
            assert not part[0].again


def test_a_batch_that_would_split_pairs_is_refused(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    faces = gather(open_data_set(write_300w(tmp_path, rng, faces=30)), None, select_on_test=False)
    assert resolved(PAIRED, faces, None, CPU, 2).batch == 4
    with pytest.raises(DataError, match="a batch of 4 cannot be shared out evenly in pairs"):
        resolved(PAIRED, faces, None, CPU, 4)
    with pytest.raises(ValueError, match=r"between 0 and 0\.5, got 0\.6"):
        replace(PAIRED, pair_share=0.6)


def test_views_of_a_pair_say_which_is_the_second(tmp_path: Path) -> None:
    portrait = portrait_face()
    cv2.imwrite(str(tmp_path / "face.png"), portrait.image)
    views = TrainingViews([Sample(tmp_path / "face.png", portrait.points)], IBUG_68, PAIRED)
    one, other, alike = (views[Draw(5, 0, 64, again=again)] for again in (False, True, True))
    assert [bool(view.again) for view in (one, other)] == [False, True]
    assert 0 < (one.target - other.target).abs().max() < 0.2
    torch.testing.assert_close(other.crop, alike.crop, rtol=0, atol=0)


def dots(cells: list[tuple[int, int]]) -> torch.Tensor:
    """One landmark a face, all its weight in one cell (x, y) of nine by nine."""
    maps = torch.zeros(len(cells), 1, 9, 9, dtype=torch.double)
    for index, (x, y) in enumerate(cells):
        maps[index, 0, y, x] = 1
    return maps


def test_views_that_err_alike_lose_nothing() -> None:
    maps, truth = dots([(2, 3), (4, 4), (8, 0)]), torch.tensor([(2, 3), (4, 4), (0, 8)]) / 4 - 1.0
    wrong_label = torch.tensor([0.3, -0.2])  # in both views of the pair
    target = (truth + wrong_label).double()[:, None]
    assert consistency_loss(maps, target, PAIR).item() == pytest.approx(0, abs=1e-12)


def test_views_that_err_apart_lose_the_distance_and_pull_each_other() -> None:
    maps = dots([(2, 3), (4, 4), (8, 0)]).requires_grad_()
    target = torch.tensor([(-0.5, -0.25), (-0.1, 0.0), (0.0, 0.0)]).double()[:, None]
    loss = consistency_loss(maps, target, PAIR)
    assert loss.item() == pytest.approx((0.1 - 0.005) / 3)  # of three faces; smooth-L1
    (gradient,) = torch.autograd.grad(loss, maps)
    # More weight on the right moves the first view towards the second's error, and the reverse.
    assert gradient[0, 0, 3, 8] < 0 < gradient[1, 0, 4, 8]
    assert not gradient[2].any()
    assert not torch.autograd.grad(consistency_loss(maps, target, PAIR & False), maps)[0].any()


def test_beyond_the_crop_the_nearest_border_is_right() -> None:
    recipe: Recipe = replace(PAIRED, star=None, cross_entropy_weight=0.0)
    maps = dots([(8, 4), (8, 4), (8, 4)])
    target = torch.tensor([(1.1, 0.0), (1.3, 0.0), (-1.0, 0.0)]).double()[:, None]
    labels = Labels(target, torch.zeros(3, 1), torch.zeros(3, 0, 9, 9, dtype=torch.uint8), PAIR, 36)
    found = objective([Stage(maps, maps, None, None)], labels, recipe)
    assert {name: loss.item() for name, loss in found.items()} == {"consistency": 0.0}


def test_a_pair_changes_the_step_and_parts_of_a_batch_add_up() -> None:
    batch: TrainingView = made_up_batch()._replace(again=torch.tensor([False, True, False, True]))
    gradients = []
    for parts in (1, 2):
        run = Run(PAIRED, IBUG_68, CPU, Execution(accumulate=parts))
        run.network.eval()
        assert run._backward(batch)["consistency"] > 0
        gradients.append([p.grad for p in run.network.parameters()])
    for whole, added in zip(*gradients, strict=True):
        torch.testing.assert_close(added, whole, rtol=1e-4, atol=1e-6)


def test_a_run_with_pairs_goes_on_where_it_stopped(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    faces = gather(
        open_data_set(write_300w(tmp_path / "300w", rng, faces=30)), None, select_on_test=False
    )
    for name, visits in (("whole", [np.inf]), ("cut", [0, np.inf])):
        folder = RunFolder(tmp_path / name)
        for minutes in visits:
            run = Run(PAIRED, faces.layout, CPU)
            if folder.state.exists():
                run.load(folder.state)
            folder.begin(PAIRED, faces.described, run.images)
            fit(run, faces, folder, Limits(workers=0, minutes=minutes), None)
    assert [row["images"] for row in curve_of(tmp_path / "cut")] == [4, 32, 64, 96]
    assert all(row["consistency"] > 0 for row in curve_of(tmp_path / "cut"))
    one, other = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    for key, tensor in one.items():
        torch.testing.assert_close(other[key], tensor, rtol=0, atol=0, msg=key)
