"""Hard views of an easy face: the annotation goes along with what is seen."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.layouts import COFW_29, IBUG_68
from train.augment import AugmentConfig, RandomCrop
from train.datasets import Sample
from train.hard_views import cast_shadow, cover_with, cut_by_border, open_mouth, shrink_face
from train.synthetic.face import portrait_face

NOTHING = AugmentConfig(
    shift=0, angle_deg=0, scale=0, mirror=0, occlusion=0, blur=0, gamma=0, noise=0, grey=0
)


@pytest.fixture
def portrait() -> tuple[np.ndarray, Sample]:
    face = portrait_face()
    return face.image, Sample(Path("portrait.jpg"), face.points.astype(np.float32))


@pytest.mark.parametrize("seed", range(8))
def test_a_border_cuts_the_face_and_moves_no_landmark_against_the_picture(
    portrait: tuple[np.ndarray, Sample], seed: int
) -> None:
    image, sample = portrait
    cut, moved = cut_by_border(image, sample, np.random.default_rng(seed))
    (offset,) = np.unique((sample.points - moved.points).round(3), axis=0)
    x, y = offset.round().astype(int)
    height, width = cut.shape[:2]
    np.testing.assert_array_equal(cut, image[y : y + height, x : x + width])
    outside = (moved.points < 0) | (moved.points > np.array([width, height]) - 1)
    assert 0 < outside.any(-1).sum() < 68


def test_a_named_crop_stays_with_the_face_that_a_border_cuts(
    portrait: tuple[np.ndarray, Sample],
) -> None:
    image, sample = portrait
    sample = replace(sample, named_square=(260.0, 240.0, 180.0))
    for seed in range(8):
        _, moved = cut_by_border(image, sample, np.random.default_rng(seed))
        assert moved.named_square is not None
        shift = np.array([260, 240]) - moved.named_square[:2]
        np.testing.assert_allclose(sample.points - moved.points, np.tile(shift, (68, 1)), atol=1e-3)


def test_an_opened_mouth_moves_lower_lip_and_chin_and_nothing_else(
    portrait: tuple[np.ndarray, Sample],
) -> None:
    image, sample = portrait
    _, closed = open_mouth(image, sample, IBUG_68, 0.0)
    opened_picture, opened = open_mouth(image, sample, IBUG_68, 1.0)
    moves = (opened.points - closed.points) / IBUG_68.interocular(closed.points)
    assert moves[66, 1] == pytest.approx(0.27, abs=0.01)  # middle of the lower lip
    assert moves[8, 1] > 0.2  # chin
    np.testing.assert_allclose(moves[17:55], 0, atol=1e-6)  # brows, nose, eyes, upper lip
    middle = ((opened.points[62] + opened.points[66]) / 2).round().astype(int)
    lip = opened.points[51].round().astype(int)
    assert opened_picture[middle[1], middle[0]].mean() < opened_picture[lip[1], lip[0]].mean()


def test_a_layout_without_lips_keeps_its_mouth(portrait: tuple[np.ndarray, Sample]) -> None:
    image, sample = portrait
    assert open_mouth(image, sample, COFW_29, 1.0) == (image, sample)


def test_a_shadow_darkens_a_part_and_brightens_nothing(
    portrait: tuple[np.ndarray, Sample],
) -> None:
    image, sample = portrait
    crop = cv2.resize(image[:400, :400], (128, 128))
    for seed in range(6):
        dark = cast_shadow(crop, sample.points * 0.32, np.random.default_rng(seed))
        assert (dark <= crop).all()
        ratio = (dark.mean(-1) + 1) / (crop.mean(-1) + 1)
        assert ratio.max() > 0.7
        assert ratio.min() < 0.8 * ratio.max()


def test_what_covers_a_face_comes_from_the_other_picture() -> None:
    black, white = np.zeros((64, 64, 3), np.uint8), np.full((50, 80, 3), 255, np.uint8)
    shares = []
    for seed in range(20):
        covered = cover_with(black, lambda: white, np.random.default_rng(seed))
        shares.append((covered > 127).mean())
    assert max(shares) < 0.5
    assert np.median(shares) > 0.02


def test_a_small_face_keeps_its_place(portrait: tuple[np.ndarray, Sample]) -> None:
    crop = cv2.resize(portrait[0][:400, :400], (128, 128))
    small = shrink_face(crop, np.random.default_rng(0))
    assert small.shape == crop.shape
    assert np.abs(cv2.blur(small, (32, 32)).astype(int) - cv2.blur(crop, (32, 32))).mean() < 4
    assert cv2.Laplacian(small, cv2.CV_64F).std() < 0.5 * cv2.Laplacian(crop, cv2.CV_64F).std()


@pytest.mark.parametrize(
    "name", ["border", "wide_mouth", "shadow", "covering", "small_face", "wrong_crop"]
)
def test_a_recipe_asks_for_each_by_its_chance(
    name: str, portrait: tuple[np.ndarray, Sample]
) -> None:
    image, sample = portrait
    donor: Callable[[], np.ndarray] = lambda: 255 - image  # noqa: E731
    plain, always = (
        RandomCrop(IBUG_68, 1.2, config) for config in (NOTHING, replace(NOTHING, **{name: 1.0}))
    )
    rngs = np.random.default_rng(3), np.random.default_rng(3)
    one, other = (
        crop(image, sample, 96, rng, None, donor)[0]
        for crop, rng in zip((plain, always), rngs, strict=True)
    )
    assert (one != other).any()
