"""The filter for landmarks of any origin."""

import numpy as np
import pytest

from tracker import LandmarkFilter
from tracker.layouts import IBUG_68, WFLW_98, Layout, Outline

RATE, NOISE_PX = 30, 0.8


def shape_of(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(100, 300, (count, 2))


def rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(np.square(error).sum(-1))))


@pytest.mark.parametrize("count", [5, 68, 468])
def test_a_still_shape_of_any_number_of_points_gets_much_calmer(
    count: int, rng: np.random.Generator
) -> None:
    calm, truth = LandmarkFilter(count, NOISE_PX), shape_of(count)
    for frame in range(120):
        found = calm.update(truth + rng.normal(0, NOISE_PX, truth.shape), frame / RATE)
    assert rms(found.mean - truth) < NOISE_PX * np.sqrt(2) / 3
    assert found.covariance.shape == (count, 2, 2)
    assert (np.linalg.eigvalsh(found.covariance) > 0).all()


def test_a_moving_shape_is_not_late(rng: np.random.Generator) -> None:
    calm, shape = LandmarkFilter(IBUG_68, NOISE_PX), shape_of(68)
    errors = []
    for frame in range(150):
        truth = shape + np.array([100 * np.sin(frame / 20), 40 * np.cos(frame / 30)])
        found = calm.update(truth + rng.normal(0, NOISE_PX, truth.shape), frame / RATE)
        errors.append(rms(found.mean - truth))
    assert np.mean(errors[30:]) < NOISE_PX * np.sqrt(2)


def test_several_faces_are_each_as_alone(rng: np.random.Generator) -> None:
    shapes = np.stack([shape_of(29, seed) for seed in range(3)])
    together, alone = LandmarkFilter("COFW-29"), [LandmarkFilter("COFW-29") for _ in range(3)]
    for frame in range(20):
        measured = shapes + rng.normal(0, 1, shapes.shape)
        found = together.update(measured, frame / RATE)
        for face in range(3):
            one = alone[face].update(measured[face], frame / RATE)
            np.testing.assert_allclose(found.mean[face], one.mean, atol=1e-9)
            np.testing.assert_allclose(found.covariance[face], one.covariance, atol=1e-9)


def test_what_was_never_measured_is_nan_and_what_is_missing_moves_along(
    rng: np.random.Generator,
) -> None:
    calm, shape = LandmarkFilter(10), shape_of(10)
    for frame in range(60):
        truth = shape + np.array([2.0 * frame, 0.0])
        measured = truth + rng.normal(0, 0.5, truth.shape)
        measured[3] = np.nan
        if frame >= 20:
            measured[4] = np.nan
        if frame < 30:
            measured[5] = np.nan
        found = calm.update(measured, frame / RATE)
        assert np.isnan(found.mean[3]).all()
        assert np.isnan(found.covariance[3]).all()
        assert np.isnan(found.mean[5]).all() == (frame < 30)
    assert rms((found.mean - truth)[[4, 5]]) < 3
    rest = np.delete(np.arange(10), 3)
    assert rms((found.mean - truth)[rest]) < 2


def test_a_face_that_is_not_there_coasts_and_grows_unsure() -> None:
    calm, shape = LandmarkFilter(10), shape_of(10)
    for frame in range(30):
        before = calm.update(np.stack([shape, shape + 300]), frame / RATE)
    gone = np.stack([shape, np.full_like(shape, np.nan)])
    for frame in range(30, 33):
        after = calm.update(gone, frame / RATE)
    np.testing.assert_allclose(after.mean[1], shape + 300, atol=1)
    spread = [np.trace(e.covariance[1], axis1=1, axis2=2).mean() for e in (before, after)]
    assert spread[1] > 2 * spread[0]


def test_each_landmark_counts_as_far_as_its_covariance_allows(rng: np.random.Generator) -> None:
    shape, errors = shape_of(20), []
    noise = np.where(np.arange(20) < 10, 0.2, 5.0)
    covariance = np.square(noise)[:, None, None] * np.eye(2)
    for given in (None, covariance):
        calm = LandmarkFilter(20, noise_px=1.0)
        draws = np.random.default_rng(1)
        for frame in range(15):
            truth = shape + np.array([3.0 * frame, 0.0])
            measured = truth + noise[:, None] * draws.standard_normal(truth.shape)
            found = calm.update(measured, frame / RATE, given)
        errors.append(rms((found.mean - truth)[:10]))
    assert errors[1] < 0.7 * errors[0]


def test_arrays_that_come_back_are_the_callers_own() -> None:
    calm, kept, shape = LandmarkFilter(5), LandmarkFilter(5), shape_of(5)
    for frame in range(5):
        ours, theirs = (one.update(shape, frame / RATE) for one in (calm, kept))
        np.testing.assert_array_equal(ours.mean, theirs.mean)
        ours.mean[:] = 0
        ours.covariance[:] = 0


def test_points_that_go_in_stay_as_they_are() -> None:
    points = shape_of(5)
    before = points.copy()
    calm = LandmarkFilter(5)
    for frame in range(3):
        calm.update(points, frame / RATE)
    np.testing.assert_array_equal(points, before)


def test_a_layout_of_ones_own_is_taken() -> None:
    layout = Layout("cat-3", 3, (Outline("eyes", (0, 1)),), ((0, 1),), (0, 1))
    assert LandmarkFilter(layout).update([[0, 0], [9, 0], [5, 8]], 0.0).mean.shape == (3, 2)
    assert LandmarkFilter("WFLW-98").layout == WFLW_98


def test_forgetting_allows_another_video_with_other_faces() -> None:
    calm = LandmarkFilter(5)
    calm.update(shape_of(5), 3.0)
    calm.reset()
    assert calm.update(np.stack([shape_of(5)] * 2), 0.0).mean.shape == (2, 5, 2)


POINTS = shape_of(5)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param((POINTS[:4], 0.0), r"\(5, 2\) or \(faces, 5, 2\), got \(4, 2\)", id="few"),
        pytest.param((POINTS.T, 0.0), r"got \(2, 5\)", id="transposed"),
        pytest.param(("points", 0.0), "got str", id="text"),
        pytest.param((POINTS * np.inf, 0.0), "within 1e.09 pixels", id="infinite"),
        pytest.param((POINTS, np.inf), "must be finite", id="time"),
        pytest.param((POINTS, 0.0, np.eye(2)), r"shape \(5, 2, 2\)", id="one-covariance"),
        pytest.param((POINTS, 0.0, -np.tile(np.eye(2), (5, 1, 1))), "definite", id="negative"),
        pytest.param((POINTS, 0.0, np.ones((5, 2, 2))), "definite", id="singular"),
    ],
)
def test_what_is_no_measurement_is_refused_and_nothing_changes(arguments: tuple, says: str) -> None:
    calm = LandmarkFilter(5)
    with pytest.raises(ValueError, match=says):
        calm.update(*arguments)
    calm.update(np.stack([POINTS] * 3), -5.0)  # as if nothing had come before
    with pytest.raises(ValueError, match="the same 3 faces in every frame, got 1"):
        calm.update(POINTS, 1.0)
    with pytest.raises(ValueError, match="must not fall"):
        calm.update(np.stack([POINTS] * 3), -6.0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0,), "got 0"), ((-3,), "got -3"), ((10**9,), "1 to 100000 landmarks"),
        ((True,), "got True"), (("68",), "got '68'"),
        ((2.5,), "got 2.5"), ((5, 0.0), "noise_px must lie between"), ((5, "1"), "got str"),
        ((5, float("nan")), "noise_px must lie between"),
    ],
)  # fmt: skip
def test_what_is_no_filter_is_refused(arguments: tuple, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        LandmarkFilter(*arguments)
    with pytest.raises(ValueError, match="smoothing must lie between 0 and 1"):
        LandmarkFilter(5, smoothing=2.0)
