import numpy as np
import pytest

from benchmarks.jitter import consistency, smoothness, truth_metrics
from tracker.layouts import COFW_29, IBUG_68
from tracker.run.stability import LAG_TOLERANCE_S, lag_s

FPS = 30.0
TIMES = np.arange(150) / FPS


def moved(course: np.ndarray, rng: np.random.Generator, landmarks: int = 10) -> np.ndarray:
    """Landmarks that all go the same way along x."""
    shape = rng.uniform(0, 100, (landmarks, 2))
    return shape + np.stack([course, np.zeros_like(course)], -1)[:, None]


def test_constant_acceleration_is_measured_as_such() -> None:
    track = np.zeros((150, 4, 2))
    track[..., 1] = 0.5 * 7.0 * np.square(TIMES)[:, None]
    assert smoothness.acceleration(TIMES, track) == pytest.approx(7.0)


def test_white_noise_has_the_acceleration_of_its_variance(
    rng: np.random.Generator,
) -> None:
    times = np.arange(3000) / FPS
    track = rng.normal(0, 0.2, (3000, 20, 2))
    # Second differences of white noise have 1 + 4 + 1 times its variance, on two axes.
    expected = np.sqrt(6 * 2) * 0.2 * FPS**2
    assert smoothness.acceleration(times, track) == pytest.approx(expected, rel=0.01)


def test_a_gap_in_the_measurements_or_the_clock_is_no_acceleration() -> None:
    track = np.zeros((150, 4, 2))
    track[..., 0] = 30 * TIMES[:, None]
    track[70] = np.nan
    late = TIMES + 0.5 * (np.arange(150) >= 100)
    assert smoothness.acceleration(TIMES, track) == pytest.approx(0, abs=1e-8)
    assert smoothness.acceleration(late, track) == pytest.approx(0, abs=1e-8)


def test_without_rigid_motion_nothing_is_left_of_a_head_that_only_moves(
    rng: np.random.Generator,
) -> None:
    shape = rng.uniform(-50, 50, 30) + 1j * rng.uniform(-50, 50, 30)
    similarity = np.exp(0.3j * np.sin(2 * TIMES)) * (1 + 0.2 * np.sin(TIMES))
    track = similarity[:, None] * shape + (40 * np.sin(TIMES) + 20j * TIMES)[:, None]
    points = np.stack([track.real, track.imag], -1)
    points[3] = np.nan
    left = smoothness.without_rigid_motion(points)
    assert np.isnan(left[3]).all()
    assert np.nanstd(left, axis=0).max() < 1e-9
    noise = rng.normal(0, 0.1, points.shape)
    noisy = smoothness.without_rigid_motion(points + noise)
    # Four of 60 coordinates go with the similarity; scale varies about one.
    assert np.nanstd(noisy, axis=0).mean() == pytest.approx(0.1, rel=0.12)


@pytest.mark.parametrize("delay_s", [0.0, 0.007, 0.05, 0.21])
def test_lag_of_a_delayed_sine_is_its_delay(delay_s: float) -> None:
    courses = (40 * np.sin(np.pi * (TIMES - delay)) for delay in (0.0, delay_s))
    truth, track = (moved(course, np.random.default_rng(0)) for course in courses)
    assert lag_s(TIMES, track, truth) == pytest.approx(delay_s, abs=5 * LAG_TOLERANCE_S)


def test_lag_of_a_constant_velocity_is_seen_too_and_of_stillness_there_is_none(
    rng: np.random.Generator,
) -> None:
    truth = moved(60 * TIMES, rng)
    late = truth - [60 * 0.04, 0]
    assert lag_s(TIMES, late, truth) == pytest.approx(0.04, abs=1e-3)
    assert np.isnan(lag_s(TIMES, late, np.broadcast_to(truth[0], truth.shape)))


def test_the_reference_carries_a_bias_that_turns_and_grows_with_the_face(
    rng: np.random.Generator,
) -> None:
    shape = rng.uniform(-50, 50, 12) + 1j * rng.uniform(-50, 50, 12)
    bias = rng.normal(0, 2, 12) + 1j * rng.normal(0, 2, 12)
    similarity = np.exp(0.5j * np.sin(TIMES)) * (1 + 0.3 * np.cos(TIMES))
    places = [similarity[:, None] * (shape + shift) + (30 * TIMES)[:, None] for shift in (0, bias)]
    truth, raw = (np.stack([place.real, place.imag], -1) for place in places)
    raw[11] = np.nan
    found = truth_metrics.reference(raw, truth)
    np.testing.assert_allclose(np.delete(found, 11, 0), np.delete(raw, 11, 0), atol=1e-9)


def test_an_exponential_answer_reaches_half_and_ninety_percent_when_it_must() -> None:
    times = np.arange(900) / 300  # fine enough for the continuous answer
    step = 50.0 * (times >= 1)
    answer = np.where(times >= 1, 50 * (1 - np.exp(-(times - 1) / 0.1)), 0)
    truth, followed = (moved(course, np.random.default_rng(0)) for course in (step, answer))
    half, ninety = (truth_metrics.step_delay_s(times, followed, truth, at) for at in (0.5, 0.9))
    assert half == pytest.approx(0.1 * np.log(2), abs=4e-3)
    assert ninety == pytest.approx(0.1 * np.log(10), abs=4e-3)


def test_a_small_error_has_settled_from_the_start_and_a_decaying_one_settles_late() -> None:
    raw = np.full(150, 0.6)
    assert truth_metrics.error_settling_s(TIMES, np.full(150, 0.1), raw) == 0.0
    errors = 0.1 + 8 * np.exp(-TIMES / 0.2)
    # 8 exp(-t / 0.2) = 0.1
    assert truth_metrics.error_settling_s(TIMES, errors, raw) == pytest.approx(
        0.2 * np.log(80), abs=1 / FPS
    )


def test_an_error_that_comes_back_has_not_settled_before() -> None:
    raw, errors = np.full(150, 0.6), np.full(150, 0.1)
    errors[60] = 0.3
    assert truth_metrics.error_settling_s(TIMES, errors, raw) == pytest.approx(61 / FPS)
    assert np.isnan(truth_metrics.error_settling_s(TIMES, raw, raw))
    assert np.isnan(truth_metrics.error_settling_s(TIMES, np.nan * raw, raw))


def test_jitter_of_a_track_that_glides_to_rest_settles_when_it_rests(
    rng: np.random.Generator,
) -> None:
    noise = rng.normal(0, 0.1, (150, 200, 2))
    assert truth_metrics.jitter_settling_s(TIMES, noise) == 0.0
    glide = 20 * np.clip(1 - TIMES, 0, None)[:, None, None]
    # From a second on it rests; windows begin 0.5 s before what they end with.
    assert truth_metrics.jitter_settling_s(TIMES, noise + glide) == pytest.approx(
        1.0, abs=2.1 / FPS
    )
    assert np.isnan(truth_metrics.jitter_settling_s(TIMES[:20], noise[:20]))


def blink_course() -> np.ndarray:
    """An eye open by 10 px that shuts for a tenth of a second, twice."""
    shut = sum(np.exp(-(((TIMES - at) / 0.08) ** 2)) for at in (1.5, 3.2))
    return np.asarray(10 * (1 - shut))


def test_the_amplitude_of_a_gesture_that_is_halved_late_and_biased_is_a_half() -> None:
    truth = blink_course()
    late = np.interp(TIMES - 0.03, TIMES, truth)
    amplitude = truth_metrics.gesture_amplitude(TIMES, 3 + 0.5 * late, truth)
    assert amplitude == pytest.approx(0.5, abs=0.03)
    assert truth_metrics.gesture_amplitude(TIMES, truth, truth) == pytest.approx(1)
    assert np.isnan(truth_metrics.gesture_amplitude(TIMES, truth, np.full(150, 10.0)))


@pytest.mark.parametrize("layout", [IBUG_68, COFW_29], ids=lambda layout: layout.name)
def test_openings_are_distances_across_eyes_and_mouth_however_the_head_is_turned(
    layout: object,
) -> None:
    assert layout in (IBUG_68, COFW_29)
    points = np.zeros((1, layout.count, 2))  # type: ignore[attr-defined]
    rings = {o.name: o.members for o in layout.outlines}  # type: ignore[attr-defined]
    for name in ("right eye", "left eye"):
        _draw_ring(points, rings[name], 6.0)
    if "inner lip" in rings:
        _draw_ring(points, rings["inner lip"], 9.0)
    else:
        right, inner, left, _ = rings["lower lip"]
        _draw_ring(points, (right, rings["upper lip"][3], left, inner), 9.0)
    angle = np.radians(30)
    turned = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert truth_metrics.eye_opening(turned, layout) == pytest.approx([6.0])  # type: ignore[arg-type]
    assert truth_metrics.mouth_opening(turned, layout) == pytest.approx([9.0])  # type: ignore[arg-type]


def _draw_ring(points: np.ndarray, ring: tuple[int, ...], height: float) -> None:
    half = len(ring) // 2
    points[0, ring[0]], points[0, ring[half]] = (0, 0), (30, 0)
    for place, (upper, lower) in enumerate(zip(ring[1:half], ring[:half:-1], strict=True), 1):
        points[0, upper] = (30 * place / half, -height / 2)
        points[0, lower] = (30 * place / half, height / 2)


def test_errors_drawn_from_their_covariance_are_consistent(rng: np.random.Generator) -> None:
    root = np.array([[0.5, 0.2], [0.0, 0.1]])
    covariance = np.broadcast_to(root @ root.T, (150, 20, 2, 2))
    truth = np.zeros((150, 20, 2))
    track = rng.standard_normal(truth.shape) @ root.T
    assert consistency.nees(track, covariance, truth) == pytest.approx(1, abs=0.06)
    sure = consistency.nees(track, covariance / 4, truth)
    assert sure == pytest.approx(4, abs=0.24)


def test_the_band_holds_95_of_100_means_of_independent_frames(rng: np.random.Generator) -> None:
    squared = np.square(rng.standard_normal((4000, 90, 2))).mean((1, 2))
    inside = np.mean([consistency.is_inside(mean, 90) for mean in squared])
    assert inside == pytest.approx(0.95, abs=0.015)
