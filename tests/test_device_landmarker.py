"""The GPU back end, held against the others; what needs no graph of CUDA runs on the CPU too."""

import copy
import warnings
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import models
import tracker
from models.description import CheckpointInfo
from models.device_landmarker import DeviceLandmarker
from models.landmark_net import LandmarkNet, LandmarkNetConfig
from models.torch_landmarker import HeatmapLandmarker, load_network
from tracker.augmentation import augmented
from tracker.crop import landmark_square
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from tracker.landmarker import (
    CropCutter,
    FrameLandmarker,
    Landmarker,
    crops_of,
    measurements_in_frame,
    on_frames,
)
from tracker.layouts import IBUG_68
from tracker.types import Box, Face, Image
from train.synthetic import portrait_face

CPU = torch.device("cpu")
FACE = Box(*landmark_square(portrait_face().points, margin=1.0))
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a GPU that PyTorch can use"
)


@pytest.fixture(scope="module")
def single() -> DeviceLandmarker:
    return DeviceLandmarker(*load_network("lite"), CPU, torch.float32)


@pytest.fixture(scope="module")
def half() -> DeviceLandmarker:
    return DeviceLandmarker(*load_network("lite"), CPU)


@pytest.fixture(scope="module")
def plain() -> HeatmapLandmarker:
    return HeatmapLandmarker(*load_network("lite"), CPU)


def crop_squares(faces: int) -> list[Box]:
    """Different crops of the portrait."""
    rng = np.random.default_rng(faces)
    shifts, growths = rng.uniform(-9, 9, (faces, 2)), rng.uniform(0.85, 1.2, faces)
    return [
        Box(FACE.center_x + x, FACE.center_y + y, FACE.side * growth)
        for (x, y), growth in zip(shifts, growths, strict=True)
    ]


def cut(landmarker: Landmarker, boxes: list[Box]) -> Any:
    """Crops of the portrait."""
    on = on_frames(landmarker)
    return on.cut(portrait(), crops_of(boxes, on))


def landmarks(
    landmarker: Landmarker | FrameLandmarker, image: Image, squares: list[Box]
) -> np.ndarray:
    on = on_frames(landmarker)
    matrices = crops_of(squares, on)
    found = measurements_in_frame(on.locate(on.cut(image, matrices)), matrices)
    return np.stack([measurement.landmarks.mean for measurement in found])


@pytest.mark.parametrize("enlarged", [1, 4], ids=["near-its-size", "strongly-reduced"])
def test_landmarks_are_those_of_crops_that_opencv_cut(
    enlarged: int, single: DeviceLandmarker, plain: HeatmapLandmarker
) -> None:
    image = cv2.resize(portrait(), None, fx=enlarged, fy=enlarged)
    squares = [
        Box(s.center_x * enlarged, s.center_y * enlarged, s.side * enlarged)
        for s in crop_squares(4)
    ]
    ours, theirs = (landmarks(each, image, squares) for each in (single, plain))
    away = np.linalg.norm(ours - theirs, axis=-1) / enlarged
    assert away.mean() < 0.005
    assert away.max() < 0.05


def test_mirror_images_are_cut_on_the_device_too(
    single: DeviceLandmarker, plain: HeatmapLandmarker
) -> None:
    ours, theirs = (
        np.asarray(on.cut(portrait(), augmented(crop_squares(3), on)[0]))
        for on in (on_frames(single), on_frames(plain))
    )
    assert len(theirs) == 18
    np.testing.assert_allclose(theirs[9:], theirs[:9, :, ::-1], atol=8)  # sampled a 1/32 px apart
    assert np.abs(ours.astype(int) - theirs).mean() < 0.05


def test_the_same_crops_give_the_same_answer(
    single: DeviceLandmarker, plain: HeatmapLandmarker
) -> None:
    crops = cut(plain, crop_squares(3))
    ours, theirs = single(crops), plain(crops)
    np.testing.assert_allclose(ours.mean, theirs.mean, atol=1e-3)
    np.testing.assert_allclose(ours.covariance, theirs.covariance, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(
        ours.measurement_noise, theirs.measurement_noise, rtol=1e-3, atol=1e-5
    )
    np.testing.assert_allclose(ours.confidence, theirs.confidence, atol=1e-4)


def test_neither_padding_nor_neighbours_change_a_face(
    single: DeviceLandmarker, plain: HeatmapLandmarker, rng: np.random.Generator
) -> None:
    crops = cut(plain, crop_squares(3))
    alone = np.concatenate([single.raw(crop[None]).mean for crop in crops])
    for others in (1, 2, 5):  # they fill up the batch of four or eight, then stay behind
        strangers = rng.integers(0, 256, (others, *crops.shape[1:]), dtype=np.uint8)
        together = single.raw(np.concatenate([crops, strangers])).mean[:3]
        np.testing.assert_allclose(together, alone, atol=1e-3)
        np.testing.assert_allclose(single.raw(crops).mean, alone, atol=1e-3)


def test_half_precision_moves_landmarks_by_hundredths_of_a_pixel_at_most(
    single: DeviceLandmarker, half: DeviceLandmarker
) -> None:
    crops = cut(single, crop_squares(4))
    exact, rounded = single(crops), half(crops)
    moved = np.linalg.norm(rounded.mean - exact.mean, axis=-1)
    assert moved.mean() < 0.005
    assert moved.max() < 0.05
    np.testing.assert_allclose(rounded.confidence, exact.confidence, atol=1e-3)
    spreads = np.trace(rounded.covariance, axis1=-2, axis2=-1)
    np.testing.assert_allclose(spreads, np.trace(exact.covariance, axis1=-2, axis2=-1), rtol=0.02)


def test_the_published_architecture_runs_in_half_precision(rng: np.random.Generator) -> None:
    config = LandmarkNetConfig(
        landmarks=68, edges=IBUG_68.edges, stacks=2, width=16, stem_width=8, depth=2
    )
    assert config.attention
    assert config.heatmap == "instance-relu"
    info = CheckpointInfo(architecture=config, layout="300W-68", input_px=64, margin=1.0)
    torch.manual_seed(0)
    network = LandmarkNet(config).eval()
    exact = DeviceLandmarker(copy.deepcopy(network), info, CPU, torch.float32)
    crops = rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    rounded = DeviceLandmarker(network, info, CPU)
    # Untrained maps have no peak, and a mask switches at a threshold: near, not equal.
    assert np.abs(rounded(crops).mean - exact(crops).mean).mean() < 0.05


def follow(landmarker: Landmarker) -> list[Face]:
    with (
        tracker.FaceTracker(landmarker) as faces,
        SimulatedCamera(portrait(), still_then_moving(0.2), 0.6) as frames,
    ):
        return [face for frame in frames for face in faces.update(frame.image, frame.time_s)]


def check_followed_alike(landmarker: Landmarker) -> None:
    """Looks follow from landmarks, so differences of rounding grow, but far below the noise."""
    ours, theirs = follow(landmarker), follow(models.load_landmarker("lite", "cpu"))
    assert [face.track_id for face in ours] == [face.track_id for face in theirs] == [0] * 18
    away = np.stack(
        [
            np.linalg.norm(found.landmarks.mean - expected.landmarks.mean, axis=-1)
            for found, expected in zip(ours, theirs, strict=True)
        ]
    )
    assert away.mean() < 0.05
    assert away.max() < 0.5


def test_a_face_is_followed_alike_through_both_ways(single: DeviceLandmarker) -> None:
    check_followed_alike(single)


def test_only_the_gpu_back_end_cuts_crops(single: DeviceLandmarker) -> None:
    assert isinstance(single, CropCutter)
    assert not isinstance(models.load_landmarker("lite", "cpu"), CropCutter)
    assert not isinstance(models.load_landmarker("lite", "cpu", "torch"), CropCutter)


def test_a_picture_that_is_a_view_of_another_can_be_cut(single: DeviceLandmarker) -> None:
    mirrored = portrait()[:, ::-1]
    mirrored.flags.writeable = False
    square = Box(511 - FACE.center_x, FACE.center_y, FACE.side)
    kept = np.ascontiguousarray(mirrored)
    np.testing.assert_array_equal(
        landmarks(single, mirrored, [square]), landmarks(single, kept, [square])
    )


@needs_cuda
def test_cuda_gives_this_back_end_and_the_landmarks_of_the_cpu(plain: HeatmapLandmarker) -> None:
    found = models.load_landmarker("lite", "cuda")
    assert isinstance(found, DeviceLandmarker)
    for faces in (1, 3, 9):
        ours, theirs = (landmarks(each, portrait(), crop_squares(faces)) for each in (found, plain))
        away = np.linalg.norm(ours - theirs, axis=-1)
        assert away.mean() < 0.02
        assert away.max() < 0.1


@needs_cuda
def test_a_look_waits_for_the_gpu_once() -> None:
    landmarker = models.load_landmarker("lite", "cuda")
    landmarks(landmarker, portrait(), crop_squares(2))
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as waits:
            warnings.simplefilter("always")
            landmarks(landmarker, portrait(), crop_squares(2))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len([each for each in waits if "synchroniz" in str(each.message)]) == 1


@needs_cuda
def test_cuda_follows_a_face_as_the_cpu_does() -> None:
    check_followed_alike(models.load_landmarker("lite", "cuda"))
