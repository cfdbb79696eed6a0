"""The network of expressions corrects what landmarks say of a head, as far as both are sure."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tracker.analysis import face_fusion
from tracker.analysis.expression_crop import (
    ALIGNED_BY,
    FACE_CROP_PX,
    crop_camera_from_frame,
    face_crop_from_frame,
)
from tracker.analysis.expression_reading import ExpressionRead, read_expressions
from tracker.analysis.eye_looks import eye_looks
from tracker.analysis.face_analyser import FaceAnalyser
from tracker.analysis.face_fusion import Difference, difference_of, followed_difference, fused
from tracker.analysis.head_fit import POSE, HeadFit
from tracker.analysis.linear_face import load_linear_face
from tracker.analysis.pinhole import PinholeCamera
from tracker.crop import transform

from .analysed_faces import FOCAL_PX, analysed_face, eye, turned

LINEAR = load_linear_face()


@pytest.fixture(autouse=True)
def _all_is_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(face_fusion, "BY_EXPRESSION_NETWORK", NAMES)
    monkeypatch.setattr(face_fusion, "_LEAST_DEVIATION", 0.0)
    face_fusion.shared_with.cache_clear()
    yield
    face_fusion.shared_with.cache_clear()


CAMERA = PinholeCamera(FOCAL_PX, (320.0, 240.0))
NAMES = ("jawOpen", "browInnerUp", "cheekPuff")
VAGUE = np.array([[0.0, 0, 0], [1e6, 1e6, 1e6]])
"""Of a network that expects nothing of a face."""


def seen_from(rotation: np.ndarray, place: tuple[float, float, float]) -> np.ndarray:
    placed = LINEAR.mean[list(ALIGNED_BY)] @ rotation.T + np.array(place)
    return CAMERA.project(placed)


def the_fit() -> HeadFit:
    count = POSE + LINEAR.basis.shape[-1]
    shape = np.zeros(LINEAR.basis.shape[-1])
    return HeadFit(turned("y", 20.0), np.array([0.0, 0, 600]), shape, 0.01 * np.eye(count), 1.0)


def a_read(values: list[float], deviation: float, turn_deg: float = 0.0) -> ExpressionRead:
    """Of `the_fit`, turned by so much about the camera's vertical."""
    fit = the_fit()
    matrix = face_crop_from_frame(seen_from(fit.rotation, (0, 0, 600)))
    rotation = crop_camera_from_frame(matrix, CAMERA) @ turned("y", turn_deg) @ fit.rotation
    spread = np.full(3, deviation)
    return ExpressionRead(NAMES, np.array(values), spread, rotation, spread, matrix, VAGUE)


def test_a_crop_follows_the_face_wherever_it_is_and_however_it_is_tilted() -> None:
    usual = seen_from(np.eye(3), (0, 0, 600))
    there = transform(face_crop_from_frame(usual), usual)
    assert (there > 0).all()
    assert (there < FACE_CROP_PX - 1).all()
    turn = turned("z", 35.0)[:2, :2]
    moved = 1.7 * (usual - 300) @ turn.T + (90, 410)
    np.testing.assert_allclose(transform(face_crop_from_frame(moved), moved), there, atol=1e-6)


def test_a_camera_that_turns_to_a_face_sees_it_as_the_crop_shows_it() -> None:
    # the whole scene turned about the camera: the face is seen from the same side
    towards = turned("x", 11.0) @ turned("y", 17.0)
    rotation, place = turned("y", 25.0), np.array([0.0, 0.0, 900.0])
    ahead = crop_camera_from_frame(
        face_crop_from_frame(seen_from(rotation, tuple(place))), CAMERA
    ) @ rotation  # fmt: skip
    beside_place = towards @ place
    beside = crop_camera_from_frame(
        face_crop_from_frame(seen_from(towards @ rotation, tuple(beside_place))), CAMERA
    ) @ (towards @ rotation)
    angle = np.degrees(np.arccos((np.trace(beside @ ahead.T) - 1) / 2))
    assert angle < 1.5  # a similarity is not quite a projection


@pytest.mark.parametrize(("deviation", "share"), [(1e-4, 1.0), (0.1, 0.5), (100.0, 0.0)])
def test_a_correction_counts_as_far_as_the_network_is_sure(
    deviation: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_fusion, "_OUTLIER_FROM", 1e9)
    plain = replace(
        LINEAR,
        pose_inflation=np.ones(POSE),
        coefficient_inflation=np.ones(len(LINEAR.names)),
    )
    read = a_read([0.4, 0.2, 0.7], deviation, turn_deg=4.0)
    head = fused(plain, the_fit(), difference_of(plain, the_fit(), CAMERA, read, 0.0))
    said = dict(zip(head.names, head.values, strict=True))
    assert said["jawOpen"] == pytest.approx(0.4 * share, abs=1e-3)
    assert said["cheekPuff"] == 0.7  # nothing else knows it
    turn = head.fit.rotation @ the_fit().rotation.T
    assert np.degrees(np.arcsin(turn[0, 2])) == pytest.approx(4.0 * share, abs=0.05)
    assert (np.linalg.eigvalsh(head.fit.covariance) > 0).all()


def test_what_a_network_expects_of_any_face_is_no_evidence() -> None:
    read = a_read([0.2, 0.1, 0.1], 0.1)
    tells_nothing = replace(read, usual=np.array([[0.2, 0.1, 0.1], [0.1, 0.1, 0.1]]))
    # truth 0.4 with error 0.1 and prior 0 with deviation 0.1: the mean of both is 0.2
    tells_half = replace(
        read, deviations=np.full(3, np.sqrt(0.005)), usual=np.array([[0.0] * 3, [0.1] * 3])
    )
    some = difference_of(LINEAR, the_fit(), CAMERA, tells_half, 0.0)
    assert some.mean[3] == pytest.approx(0.4)
    assert some.deviation[3] == pytest.approx(0.1)
    none = difference_of(LINEAR, the_fit(), CAMERA, tells_nothing, 0.0)
    assert none.mean[3] == pytest.approx(0.2)
    assert none.deviation[3] > 4 * 0.1


def test_an_outlier_of_the_network_counts_less() -> None:
    read = a_read([0.9, 0.1, 0.7], 0.01)
    head = fused(LINEAR, the_fit(), difference_of(LINEAR, the_fit(), CAMERA, read, 0.0))
    said = dict(zip(head.names, head.values, strict=True))
    assert said["jawOpen"] < 0.2


def test_both_halves_of_the_brow_rise_by_what_the_network_says_of_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(face_fusion, "_OUTLIER_FROM", 1e9)
    read = a_read([0.0, 0.6, 0.0], 1e-4)
    head = fused(LINEAR, the_fit(), difference_of(LINEAR, the_fit(), CAMERA, read, 0.0))
    said = dict(zip(head.names, head.values, strict=True))
    halves = [said["browInnerUpLeft"], said["browInnerUpRight"]]
    np.testing.assert_allclose(halves, 0.6, atol=1e-3)


def a_difference(frame: int, mean: np.ndarray) -> Difference:
    return Difference(frame / 30, NAMES, mean, np.full(6, 0.1))


def test_noise_is_averaged_and_a_change_is_followed_at_once(rng: np.random.Generator) -> None:
    followed = a_difference(0, np.zeros(6))
    means = []
    for frame in range(1, 91):
        noisy = a_difference(frame, 0.1 + rng.normal(0, 0.004, 6))
        followed = followed_difference(followed, noisy)
        means.append(followed.mean)
    assert np.diff(means[30:], axis=0).std() < 0.05 * 0.004 * np.sqrt(2)
    leapt = followed_difference(followed, a_difference(91, np.full(6, 0.5)))
    np.testing.assert_allclose(leapt.mean, 0.5)


def test_an_analysis_by_the_network_says_more_than_landmarks_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Reader:
        names, usual = NAMES, VAGUE

        def __call__(self, crops: np.ndarray) -> np.ndarray:
            assert crops.shape == (1, FACE_CROP_PX, FACE_CROP_PX, 3)
            return np.array([[0.8, 0, 0.5, 0.01, 0.1, 0.02, 0, 0, 0, 9, 9, 9.0]])

    monkeypatch.setattr("tracker.analysis.expressed.BY_EXPRESSION_NETWORK", NAMES)
    monkeypatch.setattr(face_fusion, "_OUTLIER_FROM", 1e9)
    face = analysed_face(np.eye(3), track_id=5)
    reads = read_expressions(np.zeros((480, 640, 3), np.uint8), [face], Reader())
    analyser = FaceAnalyser(640, 480)
    (alone,) = analyser.analyse([face], 0.0)
    (seen,) = analyser.analyse([face], 0.1, expressions=reads)
    assert alone.analysis is not None
    assert seen.analysis is not None
    assert "cheekPuff" not in alone.analysis.expression
    assert seen.analysis.expression["cheekPuff"].value == pytest.approx(0.5, abs=0.05)
    assert alone.analysis.expression["jawOpen"].value < 0.1
    assert seen.analysis.expression["jawOpen"].value > 0.6
    (held,) = analyser.analyse([face], 0.2)
    (gone,) = analyser.analyse([face], 0.6)
    assert held.analysis is not None
    assert gone.analysis is not None
    assert held.analysis.expression["jawOpen"].value > 0.6
    assert gone.analysis.expression["jawOpen"].value < 0.1


def test_eyes_look_out_and_in_from_their_own_head() -> None:
    rotation = turned("y", 30.0)
    aside = rotation @ turned("y", -20.0) @ np.array([0.0, 0.0, -1.0])  # to the picture's right
    looks = eye_looks(rotation, eye(0.9, aside), eye(0.9, aside))
    assert looks["eyeLookOutLeft"].value == looks["eyeLookInRight"].value
    assert looks["eyeLookOutLeft"].value == pytest.approx(20 / 35)
    others = set(looks) - {"eyeLookOutLeft", "eyeLookInRight"}
    assert len(others) == 6
    assert all(looks[name].value == pytest.approx(0, abs=1e-9) for name in others)
    assert set(eye_looks(rotation, eye(0.1, None), eye(0.9, aside))) == {
        f"eyeLook{way}Left" for way in ("In", "Out", "Up", "Down")
    }
