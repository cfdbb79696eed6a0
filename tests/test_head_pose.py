"""Head pose: faces are made from a known one and found again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from posed_faces import HEIGHT, WIDTH, analysed, analyser, seen, turned
from safetensors.numpy import load_file

from tracker.analysis.calm_spread import calmed_spread, relative_spread
from tracker.analysis.face_analyser import FaceAnalyser
from tracker.analysis.linear_face import LinearFace, load_linear_face
from tracker.analysis.rotations import (
    angle_slopes,
    openface_angles,
    rotation_of,
    yaw_pitch_roll_deg,
)
from tracker.errors import FaceTrackError
from tracker.types import LandmarkEstimate


def test_the_file_is_small_and_reads_as_the_library_reads_it(linear: LinearFace) -> None:
    path = Path(__file__).parents[1] / "tracker/analysis/linear_face.safetensors"
    assert path.stat().st_size < 300_000
    for name, tensor in load_file(path).items():
        np.testing.assert_array_equal(getattr(linear, name), tensor.astype(float))


def test_a_file_that_is_none_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345678{}")
    with pytest.raises(FaceTrackError, match="is no linear face"):
        load_linear_face(tmp_path / "x")


def test_the_head_lies_as_its_frame_says(linear: LinearFace) -> None:
    right, left = linear.mean[[36, 45]]
    assert right[0] < -30 < 30 < left[0]  # the person's left is on the picture's right
    np.testing.assert_allclose((right + left) / 2, 0, atol=1e-3)
    assert linear.mean[30, 2] < -20  # the nose is nearer to the camera
    assert linear.mean[8, 1] > 80  # the chin is below
    pupils = linear.eyeball - np.array([0, 0, linear.eyeball_radius])
    assert np.linalg.norm(pupils[1] - pupils[0]) == pytest.approx(63, abs=0.1)


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (60, 0, 0), (-60, 10, 5), (20, 25, -30), (0, -25, 80), (-80, 0, 0)]
)
def test_pose_and_distance_of_a_face_in_its_first_frame(
    linear: LinearFace, angles: tuple[float, float, float]
) -> None:
    pose = analysed(analyser(), seen(linear, turned(*angles), (80, -60, 900))).pose
    np.testing.assert_allclose(yaw_pitch_roll_deg(pose.rotation), angles, atol=2.5)
    np.testing.assert_allclose(pose.translation_mm, (80, -60, 900), rtol=0.04, atol=3)
    assert np.linalg.eigvalsh(pose.covariance).min() > 0


def test_pose_goes_on_through_profile_and_a_fast_turn_without_a_jump(linear: LinearFace) -> None:
    faces, yaws = analyser(), 85 * np.sin(np.arange(90) / 90 * 4 * np.pi)
    found = [
        yaw_pitch_roll_deg(analysed(faces, seen(linear, turned(yaw)), i / 30).pose.rotation)[0]
        for i, yaw in enumerate(yaws)
    ]
    assert np.abs(yaws - found).max() < 3
    assert np.corrcoef(np.diff(yaws), np.diff(found))[0, 1] > 0.99


def test_ninety_percent_intervals_hold_errors_of_their_size(linear: LinearFace) -> None:
    rng, scaled = np.random.default_rng(0), []
    count = linear.identity.shape[-1]
    for _ in range(60):
        rotation = turned(*rng.normal(0, (25, 10, 8)))
        face = seen(linear, rotation, noise_px=1.0, rng=rng, identity=rng.normal(size=count))
        pose = analysed(analyser(), face).pose
        error = pose.rotation @ rotation.T
        axis = np.array([error[2, 1], error[0, 2], error[1, 0]]) / np.sqrt(
            np.diagonal(pose.covariance)[:3]
        )
        scaled.append(axis)
    # independent errors are less than the common ones of a network, which the intervals allow for
    assert np.mean(np.abs(scaled) < 1.645) > 0.85


def test_openface_angles_are_those_of_rx_ry_rz() -> None:
    x, y, z = 0.3, -0.5, 0.2
    rotation = rotation_of(np.array([x, 0, 0])) @ rotation_of(np.array([0, y, 0]))
    np.testing.assert_allclose(
        openface_angles(rotation @ rotation_of(np.array([0, 0, z]))), (x, y, z)
    )


def test_slopes_of_angles_are_their_differences() -> None:
    rotation, small = turned(30, 20, 10), 1e-6
    for axis in range(3):
        after = openface_angles(rotation_of(small * np.eye(3)[axis]) @ rotation)
        np.testing.assert_allclose(
            (after - openface_angles(rotation)) / small, angle_slopes(rotation)[:, axis], atol=1e-4
        )


def test_a_still_face_has_a_still_pose_and_an_identity_that_settles(linear: LinearFace) -> None:
    rng = np.random.default_rng(1)
    person, faces = rng.normal(size=linear.identity.shape[-1]), analyser()
    yaws = []
    for i in range(150):
        face = seen(linear, turned(15), identity=person, noise_px=0.05, rng=rng)
        yaws.append(yaw_pitch_roll_deg(analysed(faces, face, i / 30).pose.rotation)[0])
    assert np.std(yaws[60:]) < 0.1
    assert abs(np.mean(yaws[60:]) - 15) < 2.5


def test_without_a_stated_field_of_view_no_face_is_nearer_than_70_cm(linear: LinearFace) -> None:
    near = seen(linear, place_mm=(0, 0, 300))
    pose = analysed(FaceAnalyser(WIDTH, HEIGHT), near).pose
    assert pose.translation_mm[2] == pytest.approx(700, rel=0.05)
    stated = analysed(analyser(), near).pose
    assert stated.translation_mm[2] == pytest.approx(300, rel=0.05)


def test_covariances_that_flicker_move_no_head(linear: LinearFace) -> None:
    """Landmarks at rest, whose variances change by a fifth from frame to frame."""
    rng = np.random.default_rng(3)
    faces, angles, still = analyser(), [], seen(linear, turned(20), jawOpen=0.3)
    for i in range(60):
        factor = np.exp(rng.normal(0, 0.2, (68, 1, 1)))
        estimate = LandmarkEstimate(still.landmarks.mean, still.landmarks.covariance * factor)
        (face,) = faces.analyse([replace(still, landmarks=estimate)], i / 30)
        assert face.analysis is not None
        angles.append(yaw_pitch_roll_deg(face.analysis.pose.rotation))
    assert np.diff(np.array(angles[30:]), axis=0).std(0).max() < 0.01


def test_a_landmark_that_is_suddenly_covered_counts_less_at_once() -> None:
    points = np.random.default_rng(0).normal(0, 50, (68, 2))
    plain = LandmarkEstimate(points, np.tile(np.eye(2), (68, 1, 1)))
    covered = LandmarkEstimate(points, plain.covariance * np.r_[9.0, np.ones(67)][:, None, None])
    spread, calm = calmed_spread(relative_spread(plain), covered, 1 / 30)
    np.testing.assert_allclose(calm.covariance[0], 9 * np.eye(2), rtol=1e-9)
    np.testing.assert_allclose(calm.covariance[1:], plain.covariance[1:], rtol=1e-9)
    _, after = calmed_spread(spread, plain, 1 / 30)
    assert 8 < after.covariance[0, 0, 0] < 9  # and comes back slowly
