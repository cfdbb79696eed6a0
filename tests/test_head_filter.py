"""The filter of a whole face: what it takes out, what it lets through, what it survives."""

from dataclasses import replace

import numpy as np
import pytest

from tracker.filter.config import MotionConfig, smoothed
from tracker.filter.face_depth import depths_of
from tracker.filter.head_filter import HeadFilter
from tracker.filter.similarity import fit, head_terms, moved
from tracker.filter.state import HeadState, joined
from tracker.layouts import COFW_29, IBUG_68, WFLW_98, Layout

RATE, NOISE_PX = 30, 0.2


def face_of(layout: Layout, seed: int = 0) -> np.ndarray:
    """Landmarks all over a square of 200 pixels, the eye corners 100 apart."""
    points = np.random.default_rng(seed).uniform(0, 200, (layout.count, 2))
    right, left = layout.eye_corners
    points[right], points[left] = (50, 80), (150, 80)
    return points


def noise_of(layout: Layout, faces: int = 1) -> np.ndarray:
    return np.tile(NOISE_PX**2 * np.eye(2), (faces, layout.count, 1, 1))


class Follower:
    """A filter that knows its measurement noise, on made-up measurements."""

    def __init__(self, layout: Layout = IBUG_68, seed: int = 0) -> None:
        self.layout, self.rng, self.noise_px = layout, np.random.default_rng(seed), NOISE_PX
        self.filter = HeadFilter(layout, MotionConfig())
        self.state: HeadState | None = None
        self.nis: list[float] = []
        self.head_nis: list[float] = []

    def noise(self) -> np.ndarray:
        return (self.noise_px / NOISE_PX) ** 2 * noise_of(self.layout)

    def __call__(self, truth: np.ndarray, dt_s: float = 1 / RATE) -> np.ndarray:
        measured = truth + self.rng.normal(0, self.noise_px, truth.shape)
        if self.state is None:
            # As in life: the absolute covariance is a hundred times the frame-to-frame noise.
            self.state = self.filter.start(measured[None], 100 * self.noise())
        else:
            self.state, seen = self.filter.update(
                self.state, measured[None], self.noise(), np.array([dt_s])
            )
            self.nis.append(float(seen.landmarks[0]))
            self.head_nis.append(float(seen.head[0]))
        return self.state.points[0]


def error_px(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.square(found - truth).sum(-1).mean()))


@pytest.mark.parametrize("layout", [WFLW_98, IBUG_68, COFW_29], ids=lambda layout: layout.name)
def test_a_still_face_gets_ten_times_quieter(layout: Layout) -> None:
    follow, truth = Follower(layout), face_of(layout)
    late = [error_px(follow(truth), truth) for _ in range(150)][120:]
    assert np.mean(late) < NOISE_PX * np.sqrt(2) / 8


def test_a_moving_face_is_not_late_and_quieter_than_its_measurements() -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    errors = []
    for index in range(120):
        x = 100 * index / RATE if index >= 30 else 100 * 30 / RATE  # one eye distance a second
        truth = shape + np.array([x, 0.0])
        errors.append(error_px(follow(truth), truth))
    assert np.mean(errors[60:]) < 0.7 * NOISE_PX * np.sqrt(2)


def test_a_turning_and_growing_face_is_followed() -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    center = shape.mean(0)
    for index in range(90):
        angle, scale = np.radians(20) * np.sin(index / 15), 1 + 0.2 * np.sin(index / 20)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        truth = (shape - center) @ turn.T + center
        found = follow(truth)
    assert error_px(found, truth) < 0.8 * NOISE_PX * np.sqrt(2)


def test_a_blink_keeps_its_depth_and_leaves_the_rest_alone() -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    lids = [37, 38, 43, 44]
    for _ in range(60):
        follow(shape)
    closed = shape.copy()
    closed[lids, 1] += 6
    for _ in range(3):
        found = follow(closed)
    assert np.mean(found[lids, 1] - shape[lids, 1]) > 0.95 * 6
    others = [27, 28, 29, 30]
    assert error_px(found[others], shape[others]) < NOISE_PX


@pytest.mark.parametrize("jump_px", [60.0, 300.0])
def test_a_face_that_jumps_is_where_it_landed(jump_px: float) -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    for _ in range(60):
        follow(shape)
    there = shape + np.array([jump_px, -jump_px / 2])
    for _ in range(3):
        found = follow(there)
        assert error_px(found, there) < 3 * NOISE_PX
    assert follow.state is not None
    ahead = follow.filter.expected(follow.state, np.array([1 / RATE]))[0]
    assert error_px(ahead, there) < 5  # it does not fly on


def test_landmarks_that_were_not_measured_move_with_the_head() -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    for _ in range(30):
        follow(shape)
    moved_by = np.array([30.0, 10.0])
    measured = shape + moved_by
    measured[5:9] = np.nan
    assert follow.state is not None
    state, _ = follow.filter.update(
        follow.state, measured[None], noise_of(IBUG_68), np.array([1 / RATE])
    )
    assert np.isfinite(state.points).all()
    assert error_px(state.points[0, 5:9], shape[5:9] + moved_by) < 1.0


@pytest.mark.parametrize("dt_s", [0.0, 1e-6, 1 / 240, 0.5, 10.0])
def test_any_step_of_time_leaves_a_proper_covariance(dt_s: float) -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    for _ in range(10):
        follow(shape)
    found = follow(shape, dt_s)
    assert error_px(found, shape) < 3 * NOISE_PX
    assert follow.state is not None
    covariance = follow.filter.covariance(follow.state)[0]
    assert (np.linalg.eigvalsh(covariance) > 0).all()


def test_normalised_innovations_are_what_the_noise_says() -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    for _ in range(150):
        follow(shape)
    # A share of every innovation goes into the fit of the head's motion.
    assert 0.8 < np.mean(follow.nis[60:]) < 1.1


@pytest.mark.parametrize("reach_px", [0.0, 3.0, 30.0], ids=["still", "swaying", "moving"])
def test_innovations_of_the_head_are_what_its_covariance_says(reach_px: float) -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    for index in range(210):
        follow(shape + np.array([reach_px * np.sin(2 * np.pi * 0.3 * index / RATE), 0.0]))
    # The 95 % band of chi-square over this many frames, four numbers each, is 1 +- 0.10.
    assert np.mean(follow.head_nis[30:]) == pytest.approx(1, abs=0.12)


def test_a_head_that_sways_a_little_does_not_pass_for_noise() -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    late = []
    for index in range(240):
        phase = 2 * np.pi * 0.3 * index / RATE
        found = follow(shape + np.array([6 * np.sin(phase), 0.0]))
        if index >= 60:  # how far behind it is, against its speed
            late.append((6 * np.sin(phase) - (found - shape)[:, 0].mean()) * np.cos(phase))
    speed_px_s = 6 * 2 * np.pi * 0.3
    assert abs(np.mean(late) * 2 / speed_px_s) < 0.3 / RATE


def test_many_faces_at_once_are_each_as_alone(rng: np.random.Generator) -> None:
    alone = [Follower(seed=seed) for seed in range(4)]
    shapes = [face_of(IBUG_68, seed) + 300 * seed for seed in range(4)]
    for _ in range(20):
        for follow, shape in zip(alone, shapes, strict=True):
            follow(shape)
    measured = np.stack([shape + rng.normal(0, 3, shape.shape) for shape in shapes])
    states = [follow.state for follow in alone if follow.state is not None]
    together = alone[0].filter
    dt_s = np.array([1 / 30, 1 / 15, 0.0, 0.2])
    after, _ = together.update(joined(states), measured, noise_of(IBUG_68, 4), dt_s)
    for index, state in enumerate(states):
        one, _ = together.update(
            state, measured[index : index + 1], noise_of(IBUG_68), dt_s[index : index + 1]
        )
        np.testing.assert_allclose(after[index : index + 1].points, one.points, atol=1e-9)
        np.testing.assert_allclose(
            after[index : index + 1].landmark_covariance, one.landmark_covariance, atol=1e-9
        )


def test_what_is_missing_of_a_face_is_nothing_to_the_others(rng: np.random.Generator) -> None:
    sizes = (1.0, 4.0)
    alone = [Follower(seed=seed) for seed in range(2)]
    shapes = [size * face_of(IBUG_68) for size in sizes]
    for _ in range(20):
        for follow, shape in zip(alone, shapes, strict=True):
            follow(shape)
    measured = np.stack([shape + rng.normal(0, 1, shape.shape) for shape in shapes])
    measured[0, 5:9], measured[1, 40] = np.nan, np.nan
    states = [follow.state for follow in alone if follow.state is not None]
    together, dt_s = alone[0].filter, np.full(2, 1 / RATE)
    after, seen = together.update(joined(states), measured, noise_of(IBUG_68, 2), dt_s)
    for index, state in enumerate(states):
        here = slice(index, index + 1)
        one, told = together.update(state, measured[here], noise_of(IBUG_68), dt_s[here])
        np.testing.assert_allclose(after[here].points, one.points, rtol=1e-9)
        np.testing.assert_allclose(
            together.covariance(after)[here], together.covariance(one), rtol=1e-6
        )
        np.testing.assert_allclose(seen.log_likelihood[index], told.log_likelihood[0], rtol=1e-9)


def test_a_face_out_of_sight_is_less_and_less_sure() -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    for _ in range(30):
        follow(shape)
    assert follow.state is not None
    state, spread = follow.state, []
    for _ in range(3):
        state = follow.filter.coast(state, np.array([1 / RATE]))
        spread.append(float(np.trace(follow.filter.covariance(state)[0, 0])))
    assert spread == sorted(spread)
    assert spread[-1] > 4 * spread[0]


@pytest.mark.parametrize("layout", [WFLW_98, IBUG_68, COFW_29], ids=lambda layout: layout.name)
@pytest.mark.parametrize("axis", [0, 1], ids=["yaw", "pitch"])
def test_a_head_that_turns_in_depth_is_followed_better_than_it_is_measured(
    layout: Layout, axis: int
) -> None:
    # A person flatter than the mean face, 35 degrees to and fro.
    follow, shape = Follower(layout), face_of(layout)
    follow.noise_px = 0.7
    depths = depths_of(layout)
    assert depths is not None
    across, deep, errors = shape - shape.mean(0), 70 * depths, []
    for index in range(150):
        angle = np.radians(35) * np.sin(2 * np.pi * 0.4 * max(index / RATE - 1, 0))
        turned = across.copy()
        turned[:, axis] = across[:, axis] * np.cos(angle) + deep * np.sin(angle)
        truth = turned + 300
        errors.append(error_px(follow(truth), truth))
    assert np.sqrt(np.mean(np.square(errors[30:]))) < 1.1 * follow.noise_px * np.sqrt(2)


@pytest.mark.parametrize("axis", [0, 1], ids=["yaw", "pitch"])
def test_a_turn_of_an_unusual_face_is_motion_and_is_not_taken_for_noise(axis: int) -> None:
    # Every part has a depth of its own, up to 0.2 eye distances off; 30 degrees to and fro.
    follow, shape, rng = Follower(), face_of(IBUG_68), np.random.default_rng(5)
    follow.noise_px = 0.7
    depths = depths_of(IBUG_68)
    assert depths is not None
    own = depths.copy()
    for part in IBUG_68.parts:
        own[list(part)] += rng.uniform(-0.2, 0.2)
    across, errors = shape - shape.mean(0), []
    for index in range(300):
        angle = np.radians(30) * np.sin(2 * np.pi * 0.25 * max(index / RATE - 1, 0))
        turned = across.copy()
        turned[:, axis] = across[:, axis] * np.cos(angle) + 100 * own * np.sin(angle)
        truth = turned + 300
        errors.append(error_px(follow(truth), truth))
    assert np.sqrt(np.mean(np.square(errors[60:]))) < 0.85 * follow.noise_px * np.sqrt(2)


def test_a_small_turn_is_a_motion_of_the_head_and_leaves_nothing_to_the_parts() -> None:
    depths = depths_of(IBUG_68)
    assert depths is not None
    shape = face_of(IBUG_68)
    terms = head_terms(np.moveaxis(shape[None], -1, 0), np.array([100.0]), depths)
    yaw, pitch = np.radians(20), np.radians(-10)
    u, v = (shape - shape.mean(0)).T
    u, z = (
        u * np.cos(yaw) + 100 * depths * np.sin(yaw),
        100 * depths * np.cos(yaw) - u * np.sin(yaw),
    )
    v = v * np.cos(pitch) - z * np.sin(pitch)
    offset = (np.stack([u, v], -1) - (shape - shape.mean(0))).T[:, None]
    precision = np.ones((3, 1, 68)) * np.array([1.0, 0.0, 1.0])[:, None, None]
    left = offset
    for _ in range(20):  # a group after the other, for they are not orthogonal
        *_, left = fit(terms, left, precision)
    assert np.abs(left).max() < 0.01 * np.abs(offset).max()


def test_the_motion_of_a_head_is_found_among_parts_that_move_by_themselves() -> None:
    shape = np.moveaxis(face_of(IBUG_68)[None], -1, 0)
    terms = head_terms(shape, np.array([100.0]))
    motion = np.array([[3.0, -2.0, 1.5, 0.5]])
    precision = np.ones((3, 1, 68)) * np.array([1.0, 0.0, 1.0])[:, None, None]
    found, variance, left = fit(terms, moved(terms, motion), precision)
    np.testing.assert_allclose(found, motion, atol=1e-9)
    np.testing.assert_allclose(left, 0, atol=1e-9)
    assert (variance > 0).all()
    assert (variance[0, :2] >= 1 / 68 - 1e-9).all()


def test_a_landmark_with_a_wide_covariance_says_little_about_the_head() -> None:
    shape = np.moveaxis(face_of(IBUG_68)[None], -1, 0)
    terms = head_terms(shape, np.array([100.0]))
    offset = np.zeros((2, 1, 68))
    offset[0, 0, 10] = 50.0
    precision = np.ones((3, 1, 68)) * np.array([1.0, 0.0, 1.0])[:, None, None]
    wide = precision.copy()
    wide[:, 0, 10] *= 1e-6
    led, *_ = fit(terms, offset, precision)
    kept, *_ = fit(terms, offset, wide)
    assert abs(kept[0, 0]) < 1e-3 < abs(led[0, 0])


def test_a_config_with_one_mode_is_a_plain_filter() -> None:
    follow = Follower()
    follow.filter = HeadFilter(IBUG_68, replace(MotionConfig(), random_walk=(0.02,)))
    shape = face_of(IBUG_68)
    for _ in range(30):
        found = follow(shape)
    assert error_px(found, shape) < NOISE_PX * np.sqrt(2)


def test_the_one_knob_runs_from_as_measured_to_calm() -> None:
    shape, quiet = face_of(IBUG_68), []
    for smoothing in (0.0, 0.5, 1.0):
        follow = Follower()
        config = smoothed(MotionConfig(), smoothing)
        follow.filter = HeadFilter(IBUG_68, config)
        errors = []
        for _ in range(90):
            found = follow(shape)
            errors.append(error_px(found, shape))
        quiet.append(np.mean(errors[60:]))
    assert quiet[0] > 0.9 * NOISE_PX * np.sqrt(2)
    assert quiet[0] > 5 * quiet[1]
    assert quiet[2] < 1.5 * quiet[1]  # it takes longer to settle
    assert smoothed(MotionConfig(), 0.5) == MotionConfig()
    with pytest.raises(ValueError, match="smoothing must lie between 0 and 1"):
        smoothed(MotionConfig(), 1.5)


@pytest.mark.parametrize("has_outliers", [False, True], ids=["all alike", "outliers"])
def test_the_motion_and_its_variance_are_those_of_least_squares(
    has_outliers: bool, rng: np.random.Generator
) -> None:
    faces = np.stack([face_of(IBUG_68, seed) for seed in range(3)])
    depths = depths_of(IBUG_68)
    assert depths is not None
    root = rng.standard_normal((3, 68, 2, 2))
    weight = root @ root.swapaxes(-1, -2) + 0.1 * np.eye(2)
    precision = np.stack([weight[..., 0, 0], weight[..., 0, 1], weight[..., 1, 1]])
    offset, factor = rng.standard_normal((2, 3, 68)), rng.uniform(1, 9, (3, 68))
    terms = head_terms(np.moveaxis(faces, -1, 0), np.full(3, 100.0), depths)
    motion, variance, left = fit(
        terms, offset, precision, lambda _: factor if has_outliers else None
    )
    for face, points in enumerate(faces):
        (u, v), z = (points - points.mean(0)).T / 100, depths
        one, none, expected = np.ones(68), np.zeros(68), offset[:, face].T
        trusted = weight[face] / factor[face, :, None, None] if has_outliers else weight[face]
        for first, columns in (
            (0, [[one, none, u, -v], [none, one, v, u]]),
            (4, [[z, none, u, v], [none, z, -v, u]]),
        ):
            rows = np.moveaxis(np.array(columns), -1, 0)  # (landmarks, xy, numbers)
            covariance = np.linalg.inv(np.einsum("nia,nij,njb->ab", rows, trusted, rows))
            truth = covariance @ np.einsum("nia,nij,nj->a", rows, trusted, expected)
            expected = expected - rows @ truth
            here = slice(first, first + 4)
            np.testing.assert_allclose(motion[face, here], truth, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(variance[face, here], np.diag(covariance), rtol=1e-9)
        np.testing.assert_allclose(left[:, face].T, expected, atol=1e-9)


@pytest.mark.parametrize("place", [0.0, 123.456])
def test_landmarks_in_one_place_tell_of_a_shift_alone(
    place: float, rng: np.random.Generator
) -> None:
    terms = head_terms(np.full((2, 1, 68), place), np.array([100.0]))
    precision = np.ones((3, 1, 68)) * np.array([1.0, 0.0, 1.0])[:, None, None]
    offset = np.array([3.0, -2.0])[:, None, None] + rng.standard_normal((2, 1, 68))
    motion, variance, _ = fit(terms, offset, precision)
    np.testing.assert_allclose(motion[0, :2], offset.mean(-1)[:, 0], rtol=1e-9)
    np.testing.assert_allclose(motion[0, 2:], 0, atol=1e-9)
    np.testing.assert_allclose(variance[0, :2], 1 / 68, rtol=1e-9)
    assert (variance[0, 2:] > 1e6).all()


def test_a_face_that_was_a_point_is_followed_when_it_is_a_face_again() -> None:
    follow, shape = Follower(), face_of(IBUG_68)
    point = np.full_like(shape, 77.3)
    for truth in (point, shape, point, shape):
        for _ in range(20):
            found = follow(truth)
        assert error_px(found, truth) < 3 * NOISE_PX
        assert follow.state is not None
        assert (np.linalg.eigvalsh(follow.filter.covariance(follow.state)) > 0).all()
