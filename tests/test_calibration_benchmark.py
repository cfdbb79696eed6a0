from dataclasses import replace

import numpy as np
import pytest

from benchmarks.calibration.__main__ import cross_validate, table_of
from benchmarks.calibration.covariance_scores import parts_of, scores
from benchmarks.calibration.picture_confidence import scores_in_pictures
from tracker.layouts import COFW_29, IBUG_68
from train.calibration_samples import CalibrationSamples


def predictions(
    rng: np.random.Generator, crops: int, landmarks: int
) -> tuple[np.ndarray, np.ndarray]:
    """Errors drawn from the predicted covariances, and these."""
    root = np.eye(2) + rng.uniform(-0.6, 0.6, (crops, landmarks, 2, 2))
    size = np.exp(rng.normal(0, 0.5, (crops, landmarks, 1, 1)))
    covariance = size * (root @ root.swapaxes(-1, -2))
    noise = rng.standard_normal((crops, landmarks, 2, 1))
    return (np.linalg.cholesky(covariance) @ noise)[..., 0], covariance


def test_covariances_that_are_right_score_as_such(rng: np.random.Generator) -> None:
    found = scores(*predictions(rng, 4000, 5))
    assert found.half_squared == pytest.approx(1, abs=0.03)
    for percent, share in found.coverage_percent.items():
        assert share == pytest.approx(float(percent), abs=1.5)


def test_a_unit_gaussian_costs_its_entropy_and_a_wrong_scale_more(
    rng: np.random.Generator,
) -> None:
    error = rng.standard_normal((4000, 5, 2))
    unit = np.broadcast_to(np.eye(2), (4000, 5, 2, 2))
    found = scores(error, unit)
    assert found.nats == pytest.approx(1 + np.log(2 * np.pi), abs=0.03)
    assert found.sharpness == 1
    too_wide = scores(error, 4 * unit)
    assert too_wide.half_squared == pytest.approx(0.25, abs=0.01)
    assert too_wide.nats > found.nats + 0.5


def test_every_landmark_is_in_a_part() -> None:
    assert set(parts_of(IBUG_68)) == {o.name for o in IBUG_68.outlines}
    for layout in (IBUG_68, COFW_29):
        assert np.any(list(parts_of(layout).values()), axis=0).all()
    assert "others" in parts_of(COFW_29)


def test_calibrated_covariances_are_scored_beside_their_rivals(rng: np.random.Generator) -> None:
    layout = replace(COFW_29, outlines=COFW_29.outlines[:2])
    error, covariance = predictions(rng, 60, 29)
    observed = CalibrationSamples.usual(1e-2 * error, 1e-4 * covariance, np.arange(60))
    scored, hard = cross_validate(observed, layout, 128)
    assert hard is None
    is_hard = np.arange(60) % 2 == 1
    usual, hard = cross_validate(replace(observed, is_hard=is_hard), layout, 128)
    assert hard is not None
    both = (usual.methods["calibrated"].nats + hard.methods["calibrated"].nats) / 2
    assert both == pytest.approx(scored.methods["calibrated"].nats)
    assert set(scored.methods) == {"calibrated", "constant per landmark", "raw heat map"}
    assert scored.methods["calibrated"].nats < scored.methods["constant per landmark"].nats
    assert table_of(scored, "absolute", 128).row_count == 3 + 3


def test_confidence_in_pictures_ranks_errors_over_six_percent() -> None:
    confidence, error = np.array([0.99, 0.95, 0.9, 0.2]), np.array([0.02, 0.07, 0.05, 0.3])
    found = scores_in_pictures(confidence, error, faces=6)
    assert (found.missed, found.hard) == (2, 2)
    assert found.auroc_hard == pytest.approx(3 / 4)  # of four pairs the second face spoils one
    assert found.gap == pytest.approx((3 * (1 - 0.9466667) + 0.2) / 4, abs=1e-6)
