import json
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.calibration_plot import drawn
from benchmarks.calibration_scores import Claims, bins, by_part, scores

from benchmarks.calibration import as_text, judge
from tracker.layouts import COFW_29, IBUG_68
from train.calibration_samples import CalibrationSamples


def claims(rng: np.random.Generator, looks: int, landmarks: int) -> Claims:
    """Errors drawn from the very covariances that are claimed."""
    root = np.eye(2) + rng.uniform(-0.6, 0.6, (looks, landmarks, 2, 2))
    size = np.exp(rng.normal(0, 0.5, (looks, landmarks, 1, 1)))
    covariance = size * (root @ root.swapaxes(-1, -2))
    noise = rng.standard_normal((looks, landmarks, 2, 1))
    return Claims((np.linalg.cholesky(covariance) @ noise)[..., 0], covariance)


def test_claims_that_are_true_score_as_such(rng: np.random.Generator) -> None:
    true = claims(rng, 4000, 5)
    told = scores(true)
    assert told.half_squared == pytest.approx(1, abs=0.03)
    for percent, share in told.coverage_percent.items():
        assert share == pytest.approx(float(percent), abs=1.5)
    for entry in bins(true).values():
        assert entry.slope == pytest.approx(1, abs=0.1)
        assert entry.correlation > 0.95


def test_a_unit_gaussian_costs_its_entropy_and_a_wrong_scale_more(
    rng: np.random.Generator,
) -> None:
    error = rng.standard_normal((4000, 5, 2))
    unit = np.broadcast_to(np.eye(2), (4000, 5, 2, 2))
    told = scores(Claims(error, unit))
    assert told.nats == pytest.approx(1 + np.log(2 * np.pi), abs=0.03)
    assert told.sharpness == 1
    too_wide = scores(Claims(error, 4 * unit))
    assert too_wide.half_squared == pytest.approx(0.25, abs=0.01)
    assert too_wide.nats > told.nats + 0.5


def test_every_landmark_is_in_a_part(rng: np.random.Generator) -> None:
    assert set(by_part(claims(rng, 3, 68), IBUG_68)) == {o.name for o in IBUG_68.outlines}
    assert "others" in by_part(claims(rng, 3, 29), COFW_29)


def test_the_judgement_is_written_and_drawn(rng: np.random.Generator) -> None:
    layout = replace(COFW_29, outlines=COFW_29.outlines[:2])
    true = claims(rng, 60, 29)
    judged = judge(
        CalibrationSamples(1e-2 * true.error, 1e-4 * true.covariance, np.arange(60)),
        layout,
        128,
        1.2,
    )
    assert set(judged.methods) == {"calibrated", "constant per landmark", "raw heat map"}
    assert judged.methods["calibrated"].nats < judged.methods["constant per landmark"].nats
    content = json.loads(as_text({"absolute": judged}, "made up"))
    assert set(content) == {"machine", "what", "absolute"}
    assert set(content["absolute"]["methods"]["calibrated"]["bins"]) == {"xx", "yy", "xy"}
    assert drawn({"absolute": judged.bins}, "made up").startswith(b"\x89PNG")
