import json
from dataclasses import replace

import numpy as np
import pytest
from fakes import FIXTURES, SHARED, needs_shared

from tracker.layouts import COFW_29, IBUG_68, WFLW_98
from train.metrics import (
    Normaliser,
    area_under_curve,
    default_threshold,
    error_grid,
    failure_rate,
    normalised_mean_error,
    normalisers,
    yardstick,
)

LAYOUTS = {"WFLW": WFLW_98, "300W": IBUG_68, "COFW": COFW_29}
PUBLISHED = json.loads((FIXTURES / "metrics.json").read_text())
"""What the authors' code said of 150 made-up faces of each layout."""


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("normaliser", ["ocular", "pupil"])
def test_nme_equals_the_authors_numbers(name: str, normaliser: Normaliser) -> None:
    faces, errors = np.load(FIXTURES / "metrics.npz"), np.load(FIXTURES / "metrics_errors.npz")
    predicted, truth = faces[f"{name}/pred"], faces[f"{name}/gt"]
    nme = normalised_mean_error(predicted, truth, LAYOUTS[name], normaliser)
    np.testing.assert_allclose(nme, errors[f"{name}/nme_{normaliser}"][:30], rtol=1e-5)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_first_normaliser_is_that_of_the_published_table(name: str) -> None:
    errors = np.load(FIXTURES / "metrics_errors.npz")
    first = normalisers(LAYOUTS[name])[0]
    np.testing.assert_array_equal(errors[f"{name}/nme_default"], errors[f"{name}/nme_{first}"])


@pytest.mark.parametrize("case", PUBLISHED)
@pytest.mark.parametrize(
    ("suffix", "threshold"), [("", None), ("10", 0.1), ("08", 0.08)], ids=["default", "10", "8"]
)
def test_failures_and_area_equal_the_authors_numbers(
    case: str, suffix: str, threshold: float | None
) -> None:
    name, normaliser = case.split("/")
    nme, expected = np.load(FIXTURES / "metrics_errors.npz")[f"{name}/nme_{normaliser}"], PUBLISHED
    threshold = threshold or default_threshold(name)
    assert failure_rate(nme, threshold) == expected[case][f"fr{suffix}"]
    assert area_under_curve(nme, threshold) == pytest.approx(expected[case][f"auc{suffix}"], 1e-12)


@pytest.mark.parametrize("case", PUBLISHED)
def test_the_grid_of_errors_is_the_authors(case: str) -> None:
    name, _ = case.split("/")
    grid = error_grid(default_threshold(name))
    assert len(grid) == PUBLISHED[case]["n_grid"]
    assert grid[-1] == PUBLISHED[case]["last_grid"]


@needs_shared
@pytest.mark.parametrize("name", LAYOUTS)
def test_failures_and_area_from_the_points_themselves_agree(name: str) -> None:
    faces = np.load(SHARED / "fixtures/star/metrics.npz")
    for normaliser in ("ocular", "pupil"):
        nme = normalised_mean_error(
            faces[f"{name}/pred"], faces[f"{name}/gt"], LAYOUTS[name], normaliser
        )
        expected = PUBLISHED[f"{name}/{normaliser}"]
        assert nme.mean() == pytest.approx(expected["nme_mean"], rel=1e-6)
        assert failure_rate(nme, expected["thresh"]) == expected["fr"]
        assert area_under_curve(nme, expected["thresh"]) == expected["auc"]


def test_failures_are_those_beyond_the_threshold() -> None:
    assert failure_rate(np.array([0.01, 0.08, 0.081, 0.5]), 0.08) == 0.5


def test_a_missed_face_is_a_failure_and_adds_no_area() -> None:
    found, missed = np.zeros(3), np.array([0, 0, 0, np.inf])
    assert (failure_rate(found, 0.1), failure_rate(missed, 0.1)) == (0, 0.25)
    assert area_under_curve(missed, 0.1) == pytest.approx(0.75 * area_under_curve(found, 0.1))


@pytest.mark.parametrize(("normaliser", "length"), [("box", 60), ("diagonal", np.hypot(40, 90))])
def test_box_and_diagonal_are_those_of_the_tight_box(normaliser: Normaliser, length: float) -> None:
    points = np.random.default_rng(0).uniform([10, 10], [50, 100], (1, 68, 2))
    points[0, 3], points[0, 9] = (10, 10), (50, 100)
    assert yardstick(points, IBUG_68, normaliser) == pytest.approx(length)


def test_a_layout_of_ones_own_has_no_pupils() -> None:
    assert normalisers(replace(IBUG_68, name="mine")) == ("ocular", "box", "diagonal")
