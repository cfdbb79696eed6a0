"""Labels of the face detector follow the pixels they belong to."""

import numpy as np
import pytest
import torch

from models.face_net import CHANNELS, STRIDES
from train.detector.cell_targets import detector_loss, targets_of
from train.detector.face_labels import (
    label_of_landmarks,
    label_of_yunet,
    mirrored,
    no_labels,
    roll_of,
    similarity,
    transformed,
)
from train.detector.face_sources import is_held_out
from train.synthetic import portrait_face

NO_REGIONS = np.zeros((0, 3), np.float32)


@pytest.fixture
def upright() -> np.ndarray:
    """The portrait's label: its head is tilted by a few degrees."""
    return label_of_landmarks(portrait_face().points)


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    """Counter-clockwise as seen, about the origin: right goes up, which is -y."""
    angle = np.radians(degrees)
    x, y = points.T
    return np.stack(
        [np.cos(angle) * x + np.sin(angle) * y, -np.sin(angle) * x + np.cos(angle) * y], -1
    )


def test_the_square_of_the_portrait_is_that_of_its_landmarks(upright: np.ndarray) -> None:
    points = portrait_face().points
    assert abs(roll_of(upright)) < 10
    low, high = points.min(0), points.max(0)
    assert upright[2] == pytest.approx((high - low).max(), rel=0.06)
    np.testing.assert_allclose(upright[:2], (low + high) / 2, atol=0.04 * upright[2])
    assert upright[3] < upright[5]  # the person's right eye is on the picture's left


@pytest.mark.parametrize("degrees", [-170, -90, -30, 45, 90, 135])
def test_a_turned_head_has_the_same_square_turned(upright: np.ndarray, degrees: float) -> None:
    label = label_of_landmarks(turned(portrait_face().points, degrees))
    expected = roll_of(upright) + degrees
    assert (roll_of(label) - expected + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)
    assert label[2] == pytest.approx(upright[2], rel=1e-4)
    np.testing.assert_allclose(label[:2], turned(upright[None, :2], degrees)[0], atol=1e-2)


def test_a_similarity_moves_labels_as_it_moves_landmarks(upright: np.ndarray) -> None:
    matrix = similarity(0.6, 75, (10, 20), (200, 300))
    points = portrait_face().points
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(
        transformed(upright[None], matrix)[0], label_of_landmarks(moved), atol=1e-2
    )
    np.testing.assert_allclose(matrix @ [10, 20, 1], [200, 300])
    assert roll_of(transformed(upright[None], matrix)[0]) == pytest.approx(roll_of(upright) + 75)


def test_the_mirror_swaps_the_eyes_and_turns_the_roll(upright: np.ndarray) -> None:
    flipped = mirrored(upright[None], 512)
    assert roll_of(flipped[0]) == pytest.approx(-roll_of(upright), abs=1e-3)
    assert flipped[0, 3] < flipped[0, 5]
    np.testing.assert_allclose(mirrored(flipped, 512)[0], upright, atol=1e-3)


def test_a_row_of_yunet_gives_nearly_the_square_of_the_landmarks() -> None:
    # What YuNet (2026may) says of the portrait: box, five points, score.
    points = [227.1, 193.3, 307.8, 195.4, 266.5, 240.0, 228.5, 267.9, 302.2, 269.6]
    row = np.array([182.9, 120.5, 170.3, 212.5, *points, 0.9])
    label, truth = label_of_yunet(row), label_of_landmarks(portrait_face().points)
    assert label[2] == pytest.approx(truth[2], rel=0.15)
    np.testing.assert_allclose(label[:2], truth[:2], atol=0.12 * truth[2])


def test_one_photograph_or_person_is_on_one_side_of_the_split() -> None:
    held = [is_held_out(f"photo/{number}") for number in range(2000)]
    assert 0.07 < np.mean(held) < 0.13
    empty = [is_held_out(f"backgrounds/{number}") for number in range(2000)]
    assert 0.21 < np.mean(empty) < 0.29


@pytest.mark.parametrize("side", [10.0, 14.0, 25.0, 60.0, 120.0, 300.0, 900.0])
def test_every_face_is_somebody_s_and_its_strongest_cell_is_the_nearest(side: float) -> None:
    label = np.array([150.0, 97, side, *6 * (100.0,)], np.float32)
    levels = targets_of(label[None], NO_REGIONS, 320)
    best = max(levels, key=lambda level: level.score.max())
    assert best.score.max() == 1
    row, column = np.unravel_index(best.score.argmax(), best.score.shape)
    stride = 320 / len(best.score)
    assert abs((column + 0.5) * stride - 0.5 - 150) <= stride / 2
    assert abs((row + 0.5) * stride - 0.5 - 97) <= stride / 2
    assert best.label[2, row, column] == side


def test_what_is_ignored_is_neither_face_nor_background() -> None:
    levels = targets_of(no_labels(), np.array([[160, 160, 80]], np.float32), 320)
    for level, stride in zip(levels, STRIDES, strict=True):
        assert level.score.max() == 0
        middle = (160 // stride, 160 // stride)
        assert level.counts[0, 0] == 1
        assert level.counts[middle] == 0 or stride == 64


def maps_that_say(label: np.ndarray, size_px: int, logit: float) -> list[torch.Tensor]:
    """Maps in which every cell of every level points at the label."""
    maps = []
    for stride in STRIDES:
        cells = -(-size_px // stride)
        middle = (torch.arange(cells) + 0.5) * stride - 0.5
        own_y, own_x = torch.meshgrid(middle, middle, indexing="ij")
        level = torch.zeros(1, CHANNELS, cells, cells)
        level[0, 0] = logit
        for channel, value in enumerate([*label[:2], *label[3:]]):
            own = own_x if channel % 2 == 0 else own_y
            level[0, (1, 2, 4, 5, 6, 7, 8, 9)[channel]] = (value - own) / (2 * stride)
        level[0, 3] = float(np.log(label[2] / (2 * stride)))
        maps.append(level)
    return maps


def batched(levels: list) -> list:
    return [tuple(torch.from_numpy(part)[None] for part in level) for level in levels]


def test_only_the_truth_costs_nothing() -> None:
    label = np.array([150.0, 97, 60, 130, 80, 170, 80, 150, 120], np.float32)
    targets = batched(targets_of(label[None], NO_REGIONS, 320))
    right = detector_loss(maps_that_say(label, 320, -4.0), targets)
    assert float(right.box) == pytest.approx(0, abs=1e-5)
    assert float(right.points) == pytest.approx(0, abs=1e-5)
    for column in range(9):
        wrong = label.copy()
        wrong[column] += 5
        loss = detector_loss(maps_that_say(wrong, 320, -4.0), targets)
        assert float(loss.box + loss.points) > 0.01


def test_a_picture_without_faces_costs_what_is_said_there() -> None:
    targets = batched(targets_of(no_labels(), NO_REGIONS, 320))
    label = np.array([150.0, 97, 60, 130, 80, 170, 80, 150, 120], np.float32)
    quiet = detector_loss(maps_that_say(label, 320, -8.0), targets)
    loud = detector_loss(maps_that_say(label, 320, 1.0), targets)
    assert float(quiet.total) < 0.01 < float(loud.total)


def test_yunet_s_five_points_are_read_in_its_order() -> None:
    row = np.array([0, 0, 100, 100, 30, 40, 70, 40, 50, 60, 35, 80, 65, 80, 0.9], float)
    label = label_of_yunet(row)
    np.testing.assert_allclose(label[3:], [30, 40, 70, 40, 50, 80])
    assert roll_of(label) == pytest.approx(0)
