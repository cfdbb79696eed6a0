"""The calibration law that ships inside weight files: its mathematics, and its way to a file."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.linalg import expm, logm
from test_checkpoint import CONFIG, INFO

from models.checkpoint import load_checkpoint, save_checkpoint
from models.covariance_law import (
    Calibration,
    SpreadLaw,
    by_spread_law,
    from_level_and_stretch,
    level_and_stretch,
)
from models.landmark_net import LandmarkNet
from models.torch_landmarker import load_torch_landmarker

PROPORTIONAL = SpreadLaw(
    own=1.0, part=0.0, face=0.0, shape=1.0, usual_level=0.0, parts=((0, 1), (2,)),
    usual=((float(np.log(0.04)), 0.0, 0.0),) * 3,
)  # fmt: skip


def spreads(rng: np.random.Generator, faces: int) -> np.ndarray:
    root = rng.uniform(-0.08, 0.08, (faces, 3, 2, 2))
    return root @ root.swapaxes(-1, -2) + 0.001 * np.eye(2)


def test_level_and_stretch_are_the_matrix_logarithm(rng: np.random.Generator) -> None:
    for matrix in spreads(rng, 5).reshape(-1, 2, 2):
        level, (half, xy) = level_and_stretch(matrix)
        found = level * np.eye(2) + [[half, xy], [xy, -half]]
        np.testing.assert_allclose(found, logm(matrix + 1e-6 * np.eye(2)), atol=1e-9)
        back = from_level_and_stretch(level, np.array([half, xy]))
        np.testing.assert_allclose(back, expm(found), atol=1e-12)


def test_with_plain_exponents_the_covariance_is_the_spread_times_a_constant(
    rng: np.random.Generator,
) -> None:
    spread = 128**2 * spreads(rng, 4)
    found = by_spread_law(spread, PROPORTIONAL, 128)
    np.testing.assert_allclose(found, 0.04 * spread, rtol=1e-2)


def test_the_covariance_turns_with_the_spread_where_ellipses_are_usually_round(
    rng: np.random.Generator,
) -> None:
    law = replace(PROPORTIONAL, own=0.7, part=0.5, face=0.4, shape=3.0)
    spread, angle = spreads(rng, 4), 0.7
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = by_spread_law(turn @ spread @ turn.T, law)
    np.testing.assert_allclose(turned, turn @ by_spread_law(spread, law) @ turn.T, rtol=1e-6)


def test_a_hard_face_is_hard_at_each_of_its_landmarks(rng: np.random.Generator) -> None:
    law = replace(PROPORTIONAL, part=0.5, face=0.6)
    easy = spreads(rng, 1)
    hard = easy.copy()
    hard[:, 2] *= 4  # alone in its part
    ratio = by_spread_law(hard, law)[0, :, 0, 0] / by_spread_law(easy, law)[0, :, 0, 0]
    expected = np.exp(np.log(4) * np.array([0.6 / 3, 0.6 / 3, 1 + 0.5 + 0.6 / 3]))
    np.testing.assert_allclose(ratio, expected, rtol=1e-2)


def test_landmarks_that_the_network_doubts_have_wider_covariances(rng: np.random.Generator) -> None:
    law = replace(PROPORTIONAL, confidence=-0.2, usual_log_odds=3.0)
    spread, log_odds = spreads(rng, 4), np.array([3.0, 0.0, -6.0, -60.0])
    ratio = by_spread_law(spread, law, log_odds=log_odds) / by_spread_law(spread, law)
    expected = np.exp([0.0, 0.6, 1.8, 1.8])  # what says nothing more widens no further
    np.testing.assert_allclose(ratio, np.broadcast_to(expected[:, None, None, None], ratio.shape))


def test_any_heat_map_has_a_covariance_no_wider_than_the_crop() -> None:
    law = replace(PROPORTIONAL, own=3.0, shape=4.0, usual=((2.0, 0.0, 0.0),) * 3)
    one_cell, line, everywhere = np.zeros((2, 2)), np.diag([0.08, 0.0]), np.eye(2) / 12
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = by_spread_law(np.stack([one_cell, line, everywhere])[None], law)[0]
    assert np.isfinite(found).all()
    assert (np.linalg.eigvalsh(found) > 0).all()
    assert (np.sqrt(np.linalg.det(found)) <= 1 / 12 + 1e-9).all()


def test_a_law_comes_back_from_its_file(tmp_path: Path) -> None:
    stored = INFO.calibration
    assert isinstance(stored, Calibration)
    law = replace(PROPORTIONAL, parts=((0, 1), (2, 3, 4)), usual=((-3.0, 0.1, -0.2),) * 5)
    path, state = tmp_path / "w.safetensors", LandmarkNet(CONFIG).state_dict()
    heavy = replace(stored, absolute=replace(law, confidence=-0.1), error_degrees_of_freedom=6.5)
    for calibration in (stored, replace(stored, measurement_noise=law), heavy, None):
        save_checkpoint(path, state, replace(INFO, calibration=calibration))
        assert load_checkpoint(path)[1].calibration == calibration


def test_a_crop_gets_the_covariances_of_its_law(tmp_path: Path) -> None:
    law = replace(PROPORTIONAL, parts=((0, 1), (2, 3, 4)), usual=((-3.0, 0.1, -0.2),) * 5)
    finer = replace(law, usual=((-7.0, 0.0, 0.0),) * 5)
    assert INFO.calibration is not None
    calibration = replace(INFO.calibration, absolute=law, measurement_noise=finer)
    path = tmp_path / "w.safetensors"
    save_checkpoint(path, LandmarkNet(CONFIG).state_dict(), replace(INFO, calibration=calibration))
    landmarker = load_torch_landmarker(path, "cpu")
    crops = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8).numpy()
    answer, (_, spread, *_) = landmarker(crops), landmarker.raw(crops)
    np.testing.assert_allclose(answer.covariance, by_spread_law(spread, law, 32))
    np.testing.assert_allclose(answer.measurement_noise, by_spread_law(spread, finer, 32))
