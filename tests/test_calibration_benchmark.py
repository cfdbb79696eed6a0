import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.calibration.__main__ import as_json, cross_validate
from benchmarks.calibration.covariance_plot import draw
from benchmarks.calibration.covariance_scores import Predictions, bins, by_part, scores
from tracker.layouts import COFW_29, IBUG_68
from train.calibration_samples import CalibrationSamples


def predictions(rng: np.random.Generator, crops: int, landmarks: int) -> Predictions:
    """Errors drawn from the predicted covariances."""
    root = np.eye(2) + rng.uniform(-0.6, 0.6, (crops, landmarks, 2, 2))
    size = np.exp(rng.normal(0, 0.5, (crops, landmarks, 1, 1)))
    covariance = size * (root @ root.swapaxes(-1, -2))
    noise = rng.standard_normal((crops, landmarks, 2, 1))
    return Predictions((np.linalg.cholesky(covariance) @ noise)[..., 0], covariance)


def test_covariances_that_are_right_score_as_such(rng: np.random.Generator) -> None:
    true = predictions(rng, 4000, 5)
    found = scores(true)
    assert found.half_squared == pytest.approx(1, abs=0.03)
    for percent, share in found.coverage_percent.items():
        assert share == pytest.approx(float(percent), abs=1.5)
    for entry in bins(true).values():
        assert entry.slope == pytest.approx(1, abs=0.1)
        assert entry.correlation > 0.95


def test_a_unit_gaussian_costs_its_entropy_and_a_wrong_scale_more(
    rng: np.random.Generator,
) -> None:
    error = rng.standard_normal((4000, 5, 2))
    unit = np.broadcast_to(np.eye(2), (4000, 5, 2, 2))
    found = scores(Predictions(error, unit))
    assert found.nats == pytest.approx(1 + np.log(2 * np.pi), abs=0.03)
    assert found.sharpness == 1
    too_wide = scores(Predictions(error, 4 * unit))
    assert too_wide.half_squared == pytest.approx(0.25, abs=0.01)
    assert too_wide.nats > found.nats + 0.5


def test_every_landmark_is_in_a_part(rng: np.random.Generator) -> None:
    assert set(by_part(predictions(rng, 3, 68), IBUG_68)) == {o.name for o in IBUG_68.outlines}
    assert "others" in by_part(predictions(rng, 3, 29), COFW_29)


def test_the_scores_are_written_and_draw(rng: np.random.Generator) -> None:
    layout = replace(COFW_29, outlines=COFW_29.outlines[:2])
    true = predictions(rng, 60, 29)
    scored = cross_validate(
        CalibrationSamples(1e-2 * true.error, 1e-4 * true.covariance, np.arange(60)),
        layout,
        128,
        1.2,
    )
    assert set(scored.methods) == {"calibrated", "constant per landmark", "raw heat map"}
    assert scored.methods["calibrated"].nats < scored.methods["constant per landmark"].nats
    content = json.loads(json.dumps(as_json({"absolute": scored}, "made up")))
    assert set(content) == {"machine", "data", "absolute"}
    assert set(content["absolute"]["methods"]["calibrated"]["bins"]) == {"xx", "yy", "xy"}
    assert draw({"absolute": scored.bins}, "made up").startswith(b"\x89PNG")
