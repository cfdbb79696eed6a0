from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.covariance_law import SpreadLaw, by_spread_law
from tracker.gaussian import CHI_SQUARE_2, squared_mahalanobis
from train.calibrate import fit_presence
from train.calibration_samples import CalibrationSamples, CropPredictor, sample_measurement_noise
from train.datasets import Sample
from train.mesh_teacher import fit_mesh_to_landmarks
from train.spread_law import (
    CovarianceRule,
    cross_validated_covariances,
    degrees_of_freedom,
    fit_law,
    fold_of,
    spread_rule,
)

PARTS = ((0, 1, 2), (3, 4))
LAW = SpreadLaw(
    own=0.8, part=0.5, face=0.6, shape=1.5, usual_level=-5.0, parts=PARTS,
    usual=((-7.0, 0.3, 0.1), (-8.0, -0.2, 0.0), (-6.5, 0.0, 0.4), (-7.5, 0.5, -0.2), (-9.0, 0, 0)),
)  # fmt: skip


def spreads(rng: np.random.Generator, looks: int, landmarks: int = 5) -> np.ndarray:
    """Of faces that are easy or hard as a whole, in crop sides."""
    root = np.eye(2) + rng.uniform(-0.4, 0.4, (looks, landmarks, 2, 2))
    hardness = rng.normal(0, 0.4, (looks, 1)) + rng.normal(0, 0.3, (looks, landmarks))
    return np.exp(hardness - 5.0)[..., None, None] * (root @ root.swapaxes(-1, -2))


def drawn(rng: np.random.Generator, covariance: np.ndarray) -> np.ndarray:
    noise = rng.standard_normal((*covariance.shape[:-1], 1))
    return (np.linalg.cholesky(covariance) @ noise)[..., 0]


def observed(
    rng: np.random.Generator, spread: np.ndarray, covariance: np.ndarray
) -> CalibrationSamples:
    return CalibrationSamples.usual(drawn(rng, covariance), spread, np.arange(len(spread)))


def nats(seen: CalibrationSamples, covariance: np.ndarray) -> float:
    squared = squared_mahalanobis(seen.error, covariance)
    return float((squared + np.log(np.linalg.det(covariance))).mean() / 2)


def constant(seen: CalibrationSamples) -> CovarianceRule:
    mean = np.einsum("fli,flj->lij", seen.error, seen.error) / len(seen.error)
    return lambda seen: np.broadcast_to(mean, seen.spread.shape)


def test_the_fit_finds_the_law_that_errors_were_drawn_with(rng: np.random.Generator) -> None:
    spread = spreads(rng, 6000)
    fitted = fit_law(observed(rng, spread, by_spread_law(spread, LAW)), PARTS)
    for name in ("own", "part", "face", "shape"):
        assert getattr(fitted, name) == pytest.approx(getattr(LAW, name), abs=0.12), name
    same_level = replace(fitted, usual_level=LAW.usual_level)
    ratio = by_spread_law(spread, same_level) / by_spread_law(spread, LAW)
    assert np.exp(np.abs(np.log(ratio[..., 0, 0])).mean()) < 1.2


def test_what_a_network_thinks_of_its_landmarks_counts_as_far_as_it_tells(
    rng: np.random.Generator,
) -> None:
    spread, log_odds = spreads(rng, 3000), rng.normal(2.0, 1.5, 3000)
    truth = replace(LAW, confidence=-0.3, usual_log_odds=2.0)
    error = drawn(rng, by_spread_law(spread, truth, log_odds=log_odds))
    seen = replace(CalibrationSamples.usual(error, spread, np.arange(3000)), log_odds=log_odds)
    fitted = fit_law(seen, PARTS)
    assert fitted.confidence == pytest.approx(-0.3, abs=0.03)
    assert fitted.usual_log_odds == pytest.approx(2.0, abs=0.1)
    assert fit_law(replace(seen, log_odds=None), PARTS).confidence == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("degrees", [5.0, 12.0])
def test_how_heavy_tails_are_is_found(rng: np.random.Generator, degrees: float) -> None:
    normal = rng.standard_normal((20_000, 2))
    heavy = normal * np.sqrt((degrees - 2) / rng.chisquare(degrees, (20_000, 1)))
    assert degrees_of_freedom(np.square(heavy).sum(-1)) == pytest.approx(degrees, rel=0.1)
    assert degrees_of_freedom(np.square(normal).sum(-1)) > 100


def test_errors_with_heavy_tails_lie_in_the_ellipses_as_often_as_these_say(
    rng: np.random.Generator,
) -> None:
    spread = spreads(rng, 1500)
    gaussian = drawn(rng, by_spread_law(spread, LAW))
    heavy = gaussian / np.sqrt(rng.chisquare(15, (1500, 5, 1)) / 15)
    seen = CalibrationSamples.usual(heavy, spread, np.arange(1500))
    squared = squared_mahalanobis(seen.error, cross_validated_covariances(seen, spread_rule(PARTS)))
    assert squared.mean() / 2 == pytest.approx(1, abs=0.1)
    for share, radius in CHI_SQUARE_2.items():
        assert (squared <= radius).mean() == pytest.approx(share, abs=0.04), share


def test_a_constant_covariance_is_beaten_where_the_spread_tells_something(
    rng: np.random.Generator,
) -> None:
    spread = spreads(rng, 300)
    seen = observed(rng, spread, by_spread_law(spread, LAW))
    ours = nats(seen, cross_validated_covariances(seen, spread_rule(PARTS)))
    assert ours < nats(seen, cross_validated_covariances(seen, constant)) - 0.1


def test_a_spread_that_tells_nothing_does_no_harm(rng: np.random.Generator) -> None:
    spread = spreads(rng, 300)
    root = np.eye(2) + rng.uniform(-0.3, 0.3, (5, 2, 2))
    truth = np.broadcast_to(1e-4 * root @ root.swapaxes(-1, -2), spread.shape)
    seen = observed(rng, spread, truth)
    ours = nats(seen, cross_validated_covariances(seen, spread_rule(PARTS)))
    assert ours < nats(seen, cross_validated_covariances(seen, constant)) + 0.02


def test_two_faces_are_enough_for_a_covariance(rng: np.random.Generator) -> None:
    spread = spreads(rng, 2)
    seen = observed(rng, spread, by_spread_law(spread, LAW))
    covariance = by_spread_law(spread, fit_law(seen, PARTS))
    assert (np.linalg.eigvalsh(covariance) > 0).all()
    assert 0.05 < np.square(seen.error).mean() / covariance[..., 0, 0].mean() < 20


def test_looks_at_one_photograph_stay_on_one_side() -> None:
    photograph = np.repeat(np.arange(30), 3)
    fold = fold_of(photograph, 5)
    assert all(len(set(fold[photograph == number])) == 1 for number in range(30))
    assert (np.bincount(fold) == 18).all()


class SeesTheSpot:
    """A landmarker that finds the one bright spot of a crop, wherever the crop lies."""

    input_px, margin, horizontal_bias = 64, 1.2, 0.0

    def raw(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        grid = np.stack(np.meshgrid(np.arange(64), np.arange(64)), -1).reshape(-1, 2)
        weight = np.clip(crops[..., 0].reshape(len(crops), -1) - 60.0, 0, None)
        mean = np.stack([np.average(grid, 0, of) for of in weight])[:, None]
        return mean, np.broadcast_to(np.eye(2), (len(crops), 1, 2, 2)), np.ones((len(crops), 1))


def test_a_landmark_that_follows_the_picture_does_not_flicker(rng: np.random.Generator) -> None:
    y, x = np.mgrid[:120, :120]
    spot = 255 * np.exp(-((x - 61.3) ** 2 + (y - 57.8) ** 2) / 50)
    image = np.repeat(spot[..., None], 3, -1).astype(np.uint8)
    looker = CropPredictor(SeesTheSpot())
    squares = [(60 + dx, 60 + dy, 40 + d) for dx, dy, d in rng.uniform(-4, 4, (8, 3))]
    rolls_deg = list(rng.uniform(-20, 20, 8))
    looks, _ = looker.crops(image, squares, rolls_deg=rolls_deg)
    found = np.stack([look.mean[0] for look in looks])
    np.testing.assert_allclose(found, np.broadcast_to([61.3, 57.8], (8, 2)), atol=0.1)


def test_the_crop_of_another_frame_lies_anywhere_within_a_cell(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), np.zeros((80, 80, 3), np.uint8))

    class SeesItsCrop(SeesTheSpot):
        """Always says the crop's middle: then the change is that of the crop."""

        def raw(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            spread = np.broadcast_to(np.eye(2), (len(crops), 1, 2, 2))
            return np.full((len(crops), 1, 2), 31.5), spread, np.ones((len(crops), 1))

    sample = Sample(path, np.array([[20.0, 20.0], [60.0, 60.0]]))
    seen = sample_measurement_noise(CropPredictor(SeesItsCrop()), [sample] * 60)
    cell = 4 / 64  # in crop sides
    assert seen.error.std() == pytest.approx(cell / np.sqrt(12), rel=0.15)
    assert len(np.unique(seen.photograph)) == 1


def test_presence_tells_two_clouds_apart(rng: np.random.Generator) -> None:
    faces = np.column_stack([np.ones(200), rng.normal([-2, 0, 3], 1, (200, 3))])
    others = np.column_stack([np.ones(200), rng.normal([2, 0, 3], 1, (200, 3))])
    truth = np.repeat([1.0, 0.0], 200)
    weights = fit_presence(np.concatenate([faces, others]), truth)
    assert ((faces @ weights) > 0).mean() > 0.95
    assert ((others @ weights) < 0).mean() > 0.95


def test_the_teacher_learns_a_linear_map_and_ignores_place_and_size(
    rng: np.random.Generator,
) -> None:
    mixing = rng.dirichlet(np.ones(30), 68)
    base = rng.uniform(-1, 1, (30, 3))
    shapes = [base + 0.1 * rng.standard_normal((30, 3)) for _ in range(300)]
    meshes = [rng.uniform(20, 90) * shape + rng.uniform(0, 400, 3) for shape in shapes]
    landmarks = [mixing @ mesh[:, :2] for mesh in meshes]
    translate = fit_mesh_to_landmarks(meshes[:-20], landmarks[:-20])
    for mesh, truth in zip(meshes[-20:], landmarks[-20:], strict=True):
        extent = np.ptp(mesh[:, 0])
        assert np.abs(translate(mesh) - truth).max() < 0.02 * extent
