from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch

import models
from models.calibrated_landmarker import CropEstimates
from models.checkpoint import CheckpointInfo
from models.landmark_net import LandmarkNet, LandmarkNetConfig
from tracker.crop import transform
from tracker.layouts import IBUG_68
from train.datasets import Sample
from train.predict import (
    EXACT,
    ROBUSTNESS,
    CropPerturbation,
    MultiCrop,
    crops_of,
    horizontal_bias_of,
    mirror_image,
    perturbations,
    predict,
)

RIGHT, LEFT = IBUG_68.eye_corners
EYES = np.array([[70.3, 90.6], [131.8, 99.2]])
"""Centres of the two discs of the made-up face: its right eye is on the left."""


@dataclass
class EyesLandmarker:
    """Calls the disc in the left half of a crop the right eye; other landmarks lie between."""

    covariance: np.ndarray
    offset_px: float = 0.0
    """Added to x, as by a network whose labels were off."""
    horizontal_bias: float = 0.0
    layout_name = IBUG_68.name
    layout_table: ClassVar[dict[str, object]] = {}
    input_px = 96
    margin = 2.0
    antialiased = True

    def stages(self, crops: np.ndarray, last: int) -> list[CropEstimates]:
        right, left = (self._centers(crops, side) for side in (-1, 1))
        mean = np.repeat((right + left)[:, None] / 2, IBUG_68.count, axis=1)
        mean[:, RIGHT], mean[:, LEFT] = right, left
        mean[..., 0] += self.offset_px
        covariance = np.broadcast_to(self.covariance, (*mean.shape, 2))
        return [CropEstimates(mean, covariance, covariance, np.ones(len(mean)))] * last

    def _centers(self, crops: np.ndarray, side: int) -> np.ndarray:
        rows, columns = np.mgrid[: self.input_px, : self.input_px]
        mass = crops[..., 0] * (side * (columns - (self.input_px - 1) / 2) > 0)
        total = mass.sum((1, 2))
        return np.stack([(mass * axis).sum((1, 2)) / total for axis in (columns, rows)], -1)


@pytest.fixture
def face(tmp_path: Path) -> Sample:
    image = np.zeros((180, 200, 3), np.uint8)
    for x, y in (EYES * 16).round().astype(int).tolist():
        cv2.circle(image, (x, y), 8 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    cv2.imwrite(str(tmp_path / "face.png"), image)
    points = np.repeat(EYES.mean(0, keepdims=True), IBUG_68.count, axis=0)
    points[[RIGHT, LEFT]] = EYES
    points[8] = (100, 135)
    return Sample(tmp_path / "face.png", points)


@pytest.mark.parametrize(
    "looking",
    [
        pytest.param(MultiCrop(), id="once"),
        pytest.param(MultiCrop(flips=True), id="mirrored"),
        pytest.param(MultiCrop(crops=5), id="crops"),
        pytest.param(MultiCrop(flips=True, crops=3, stages=2), id="all"),
    ],
)
def test_however_often_one_looks_the_landmarks_are_where_they_are(
    face: Sample, looking: MultiCrop
) -> None:
    found = predict(EyesLandmarker(np.eye(2)), [face, face], looking)
    assert found.mean.shape == (2, 68, 2)
    np.testing.assert_allclose(found.mean[1, [RIGHT, LEFT]], EYES, atol=0.1)


@pytest.mark.parametrize("view", [view for views in ROBUSTNESS.values() for view in views], ids=str)
def test_a_crop_that_strays_gives_back_the_same_landmarks(
    face: Sample, view: CropPerturbation
) -> None:
    found = predict(EyesLandmarker(np.eye(2)), [face], perturbation=view)
    np.testing.assert_allclose(found.mean[0, [RIGHT, LEFT]], EYES, atol=0.1)


def test_the_mirror_turns_the_covariance_round(face: Sample) -> None:
    slanted = EyesLandmarker(np.array([[2.0, 1.0], [1.0, 2.0]]))
    once, both = (predict(slanted, [face], MultiCrop(flips=flips)) for flips in (False, True))
    unit = once.covariance[0, 0, 0, 1]
    np.testing.assert_allclose(once.covariance[0], [np.array([[2, 1], [1, 2]]) * unit] * 68, 1e-3)
    # Precisions [[2, -1], [-1, 2]] / 3 and [[2, 1], [1, 2]] / 3 have the mean diag(2 / 3).
    np.testing.assert_allclose(
        both.covariance[0], [1.5 * unit * np.eye(2)] * 68, rtol=1e-3, atol=1e-6
    )


def test_a_network_that_leans_to_the_right_keeps_its_offset_in_the_mirror(face: Sample) -> None:
    leaning = EyesLandmarker(np.eye(2), offset_px=1.5)
    measured = horizontal_bias_of(leaning, [face])
    assert measured == pytest.approx(1.5 / EyesLandmarker.input_px, abs=1e-3)
    corrected = replace(leaning, horizontal_bias=measured)
    once = predict(corrected, [face])
    both = predict(corrected, [face], MultiCrop(flips=True))
    np.testing.assert_allclose(both.mean[0], once.mean[0], atol=0.02)
    assert (once.mean[0, [RIGHT, LEFT]] - EYES)[:, 0].min() > 1


def test_two_mirrors_are_none(face: Sample) -> None:
    look = crops_of(face, MultiCrop(), EyesLandmarker(np.eye(2)))[0]
    mirrored = mirror_image(look)
    np.testing.assert_array_equal(mirrored.crop[:, ::-1], look.crop)
    points = np.array([[0.0, 0.0], [95.0, 40.0]])
    picture = transform(np.linalg.inv(look.crop_from_picture.astype(float)), points)
    expected = np.stack([95 - points[:, 0], points[:, 1]], -1)
    np.testing.assert_allclose(transform(mirrored.crop_from_picture, picture), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        pytest.param(EXACT, (70, 50), id="exact"),
        pytest.param(CropPerturbation(shift=(0.1, -0.2)), (80.1, 29.8), id="right-and-up"),
        pytest.param(CropPerturbation(scale=1.1), (72, 50), id="larger"),
        pytest.param(CropPerturbation(roll_deg=90), (50, 70), id="a-quarter-clockwise"),
        pytest.param(
            CropPerturbation(roll_deg=90, shift=(0, 0.1)), (50, 80.1), id="rolled-then-shifted"
        ),
    ],
)
def test_a_view_moves_points_about_the_middle(
    view: CropPerturbation, expected: tuple[float, float]
) -> None:
    matrix = view.matrix(101)  # the middle of this crop is pixel 50
    np.testing.assert_allclose(transform(matrix, np.array([70.0, 50.0])), expected, atol=1e-4)


def test_looks_around_a_face_are_always_the_same_and_begin_with_the_exact_one() -> None:
    assert perturbations(1) == [EXACT]
    assert perturbations(6) == perturbations(6)
    assert perturbations(6)[0] == EXACT
    np.testing.assert_allclose(
        np.sum([view.shift for view in perturbations(6)], axis=0), 0, atol=1e-12
    )


@pytest.mark.parametrize("wrong", [{"crops": 0}, {"stages": -1}], ids=str)
def test_one_has_to_look_at_least_once(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        MultiCrop(**wrong)


def test_the_last_stage_is_what_the_landmarker_says_and_none_is_left_out() -> None:
    config = LandmarkNetConfig(
        landmarks=68, edges=IBUG_68.edges, stacks=3, width=16, stem_width=8, depth=2
    )
    info = CheckpointInfo(architecture=config, layout="300W-68", input_px=64, margin=1.0)
    torch.manual_seed(0)
    network = LandmarkNet(config).eval()
    landmarker = models.HeatmapLandmarker(network, info, torch.device("cpu"))
    crops = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    stages, whole = landmarker.stages(crops, 3), landmarker(crops)
    np.testing.assert_array_equal(stages[-1].mean, whole.mean)
    np.testing.assert_array_equal(stages[-1].covariance, whole.covariance)
    with torch.inference_mode():
        pictures = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
        decoded = landmarker.network(pictures).stages.double().numpy()
    pixels = ((decoded + 1) * 64 - 1) / 2
    for stage, expected in zip(stages, pixels, strict=True):
        np.testing.assert_allclose(stage.mean, expected, atol=1e-3)
