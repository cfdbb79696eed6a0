"""Head pose, eyes and expression of faces that are made from the linear face itself."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tracker.analysis.calm_spread import calmed_spread, relative_spread
from tracker.analysis.eye_reading import EyesRead
from tracker.analysis.face_analyser import FaceAnalyser
from tracker.analysis.linear_face import LinearFace, load_linear_face
from tracker.analysis.neutral_face import Neutral, beyond_neutral, learned_neutral
from tracker.analysis.pinhole import PinholeCamera
from tracker.analysis.rotations import (
    angle_slopes,
    openface_angles,
    rotation_of,
    yaw_pitch_roll_deg,
)
from tracker.cli.arguments import asked_analysis, build_parser
from tracker.errors import FaceTrackError
from tracker.face_analysis import FaceAnalysis
from tracker.io.analysis_columns import analysis_columns
from tracker.io.drawing import draw_faces
from tracker.io.tables import CsvSink, JsonLinesSink
from tracker.layouts import IBUG_68, WFLW_98
from tracker.run.analysis_stage import AnalysisSettings, AnalysisStage
from tracker.types import Face, Frame, LandmarkEstimate

WIDTH, HEIGHT, FOV_DEG = 640, 480, 50.0
CAMERA = PinholeCamera.of_size(WIDTH, HEIGHT, FOV_DEG)
FRONTAL = np.eye(3)


@pytest.fixture(scope="module")
def linear() -> LinearFace:
    return load_linear_face()


def turned(yaw_deg: float = 0, pitch_deg: float = 0, roll_deg: float = 0) -> np.ndarray:
    """Right of the picture, down, counter-clockwise; out of rotations about single axes."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_z = rotation_of(np.array([0, 0, -roll]))
    about_x = rotation_of(np.array([pitch, 0, 0]))
    return about_z @ about_x @ rotation_of(np.array([0, -yaw, 0]))


def seen(
    linear: LinearFace,
    rotation: np.ndarray = FRONTAL,
    place_mm: tuple[float, float, float] = (0, 0, 700),
    *,
    noise_px: float = 0.2,
    rng: np.random.Generator | None = None,
    identity: np.ndarray | None = None,
    **coefficients: float,
) -> Face:
    """A face as a tracker would report it."""
    values = [coefficients.get(name, 0.0) for name in linear.names]
    people = np.zeros(linear.identity.shape[-1]) if identity is None else identity
    shape = linear.mean + linear.basis @ np.concatenate([values, people])
    points = CAMERA.project(shape @ rotation.T + np.array(place_mm))
    if rng is not None:
        points = points + noise_px * rng.normal(size=points.shape)
    covariance = np.tile(noise_px**2 * np.eye(2), (68, 1, 1))
    estimate = LandmarkEstimate(points, covariance)
    return Face(0, 0.9, estimate, estimate, layout=IBUG_68)


def analysed(analyser: FaceAnalyser, face: Face, time_s: float = 0.0) -> FaceAnalysis:
    (face,) = analyser.analyse([face], time_s)
    assert face.analysis is not None
    return face.analysis


def analyser() -> FaceAnalyser:
    return FaceAnalyser(WIDTH, HEIGHT, fov_deg=FOV_DEG)


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


def test_expression_is_found_whatever_the_pose(linear: LinearFace) -> None:
    expressed = {"jawOpen": 0.6, "mouthSmileLeft": 0.7, "browInnerUpLeft": 0.5,
                 "browInnerUpRight": 0.5}  # fmt: skip
    for yaw in (-40, 0, 40):
        face = seen(linear, turned(yaw, 10), **expressed)
        found = analysed(analyser(), face).expression
        assert found["jawOpen"].value == pytest.approx(0.6, abs=0.2)
        assert found["mouthSmileLeft"].value == pytest.approx(0.7, abs=0.25)
        assert found["mouthSmileRight"].value < 0.2
        assert found["browInnerUp"].value > 0.2
        assert all(e.deviation > 0 and 0 <= e.value <= 1 for e in found.values())


def test_a_blink_has_its_times_and_shuts_the_eyes_to_the_end(linear: LinearFace) -> None:
    faces, blinks, shut, opened = analyser(), [], [], []
    for i in range(120):
        depth = {60: 0.5, 61: 1.0, 62: 1.0, 63: 0.4}.get(i, 0.0)
        face = seen(linear, turned(10, 5), eyeBlinkLeft=depth, eyeBlinkRight=depth)
        found = analysed(faces, face, i / 30)
        blinks += [found.blink] if found.blink else []
        side = found.expression["eyeBlinkLeft"].value, found.expression["eyeBlinkRight"].value
        (shut if depth == 1 else opened).append(side) if depth in (0, 1) else None
    (blink,) = blinks
    assert (blink.shut_s, blink.open_s) == pytest.approx((61 / 30, 63 / 30), abs=1 / 30)
    assert np.min(shut) >= 0.9
    assert np.max(opened) <= 0.1


def test_eyes_that_stay_shut_do_not_blink(linear: LinearFace) -> None:
    faces = analyser()
    for i in range(90):
        depth = float(30 <= i < 60)
        face = seen(linear, eyeBlinkLeft=depth, eyeBlinkRight=depth)
        assert analysed(faces, face, i / 30).blink is None


def eyes_of(linear: LinearFace, rotation: np.ndarray, gaze: np.ndarray, shut: float) -> EyesRead:
    """Of eyes at 70 cm that look along a direction of the camera's frame."""
    centres = linear.eyeball @ rotation.T + np.array([0, 0, 700])
    points = CAMERA.project(centres + linear.eyeball_radius * gaze)
    spread = np.tile(0.04 * np.eye(2), (2, 1, 1))
    return EyesRead(points, spread, np.full(2, shut), np.full(2, 0.02))


@pytest.mark.parametrize("head_yaw", [0, 25])
@pytest.mark.parametrize("look", [(0, 0), (20, 0), (-15, 10), (0, -15)])
def test_gaze_follows_the_pupils_whatever_the_head_does(
    linear: LinearFace, head_yaw: float, look: tuple[float, float]
) -> None:
    across, down = np.radians(look)
    gaze = np.array([math.sin(across), math.sin(down), 0])
    gaze[2] = -math.sqrt(1 - gaze @ gaze)
    rotation = turned(head_yaw)
    eyes = {0: eyes_of(linear, rotation, gaze, shut=0.1)}
    (face,) = analyser().analyse([seen(linear, rotation)], 0.0, eyes=eyes)
    assert face.analysis is not None
    for eye in (face.analysis.left_eye, face.analysis.right_eye):
        assert eye.gaze is not None
        assert eye.gaze_deviation_deg is not None
        assert np.degrees(np.arccos(min(eye.gaze @ gaze, 1))) < 4
        assert 1 < eye.gaze_deviation_deg < 15


def test_shut_eyes_and_unknown_pupils_have_no_gaze(linear: LinearFace) -> None:
    ahead = np.array([0, 0, -1.0])
    (face,) = analyser().analyse([seen(linear)], 0.0)
    assert face.analysis is not None
    assert face.analysis.left_eye.gaze is None
    shut = {0: eyes_of(linear, FRONTAL, ahead, shut=0.97)}
    (face,) = analyser().analyse([seen(linear)], 0.1, eyes=shut)
    assert face.analysis is not None
    assert face.analysis.left_eye.gaze is None
    assert face.analysis.right_eye.pupil is None


def test_a_close_look_sees_blinks_that_the_landmarks_of_the_lids_miss(linear: LinearFace) -> None:
    faces, ahead, blinks, said = analyser(), np.array([0, 0, -1.0]), [], []
    for i in range(60):
        eyes = {0: eyes_of(linear, FRONTAL, ahead, shut=0.95 if 30 <= i < 36 else 0.1)}
        (face,) = faces.analyse([seen(linear)], i / 30, eyes=eyes)
        assert face.analysis is not None
        said.append(face.analysis.expression["eyeBlinkLeft"].value)
        if face.analysis.blink:
            blinks.append(face.analysis.blink)
    assert max(said[:30]) < 0.1
    assert min(said[30:36]) > 0.9
    assert [(b.shut_s, b.open_s) for b in blinks] == [(1.0, 1.2)]


def test_a_neutral_that_is_calibrated_is_the_mean_and_stays() -> None:
    neutral = Neutral(np.zeros(1))
    for i in range(30):
        neutral = learned_neutral(neutral, np.array([0.3 + 0.1 * (-1) ** i]), 0.1, 2.0)
    np.testing.assert_allclose(neutral.level, 0.3, atol=0.02)
    np.testing.assert_allclose(beyond_neutral(neutral, np.array([0.3]))[0], 0, atol=0.02)
    np.testing.assert_allclose(beyond_neutral(neutral, np.array([1.0]))[0], 1)


def test_what_a_face_always_does_becomes_its_neutral(linear: LinearFace) -> None:
    faces = FaceAnalyser(WIDTH, HEIGHT, fov_deg=FOV_DEG, calibrate_neutral_s=1.0)
    for i in range(45):
        found = analysed(faces, seen(linear, jawOpen=0.3), i / 30)
    assert found.expression["jawOpen"].value < 0.1
    assert analysed(faces, seen(linear, jawOpen=1.0), 1.6).expression["jawOpen"].value > 0.6


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


def test_faces_of_other_layouts_and_unknown_landmarks_stay_without_analysis(
    linear: LinearFace,
) -> None:
    face = seen(linear)
    nowhere = LandmarkEstimate(np.full((68, 2), np.nan), face.landmarks.covariance)
    others = [replace(face, layout=WFLW_98), replace(face, landmarks=nowhere)]
    assert all(f.analysis is None for f in analyser().analyse(others, 0.0))


def test_wrong_arguments_say_what_came() -> None:
    with pytest.raises(ValueError, match="0 x 480"):
        FaceAnalyser(0, 480)
    with pytest.raises(ValueError, match="fov_deg"):
        FaceAnalyser(640, 480, fov_deg=190.0)
    with pytest.raises(ValueError, match="calibrate_neutral_s"):
        FaceAnalyser(640, 480, calibrate_neutral_s=0.0)


def test_tables_have_openfaces_columns_and_nothing_more_unless_asked(
    linear: LinearFace, tmp_path: Path
) -> None:
    rotation = turned(yaw_deg=-20)  # to the left of the picture: OpenFace's positive Ry
    faces = analyser().analyse([seen(linear, rotation, (0, 0, 800))], 0.0)
    frame = Frame(0, 0.0, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    plain, full = tmp_path / "plain.csv", tmp_path / "full.csv"
    lines = tmp_path / "full.jsonl"
    for sink in (
        CsvSink(plain, IBUG_68, by_name=False, raw=False),
        CsvSink(full, IBUG_68, by_name=False, raw=False, analysis=True),
        JsonLinesSink(lines, raw=False, analysis=True),
    ):
        sink.write(frame, faces)
        sink.write(frame, [])
        sink.close()
    with plain.open() as file:
        header = file.readline().strip().split(",")
    assert header[-1] == "cov_yy_67"
    with full.open() as file:
        first, none = csv.DictReader(file)
    assert float(first["pose_Tz"]) == pytest.approx(800, rel=0.04)
    assert float(first["pose_Ry"]) == pytest.approx(math.radians(20), abs=0.04)
    assert 0 < float(first["pose_Ry_sd"]) < 0.2
    assert first["gaze_0_x"] == ""
    assert float(first["eyeBlinkLeft"]) <= 0.1
    assert {none[name] for name in analysis_columns()} == {""}
    described = json.loads(lines.read_text().splitlines()[0])["faces"][0]["analysis"]
    assert described["pose_Rx"] == float(first["pose_Rx"])
    assert "gaze_0_x" not in described


def test_axes_are_drawn_where_the_head_points(linear: LinearFace) -> None:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    faces = analyser().analyse([seen(linear, turned(yaw_deg=40))], 0.0)
    plain, drawn = draw_faces(image, faces), draw_faces(image, faces, axes=True)
    blue = (drawn != plain).any(-1) & (drawn[..., 2] > 200) & (drawn[..., 0] < 120)
    start = faces[0].landmarks.mean[[36, 45]].mean(0)
    assert np.nonzero(blue)[1].mean() > start[0] + 10  # it looks to the right of the picture


def test_flags_ask_for_an_analysis_and_refuse_to_tune_none() -> None:
    parse = build_parser().parse_args
    assert asked_analysis(parse(["clip.mp4"])) is None
    asked = asked_analysis(parse(["clip.mp4", "--axes", "--fov", "70", "--calibrate-neutral", "2"]))
    assert asked == AnalysisSettings(fov_deg=70.0, calibrate_neutral_s=2.0)
    with pytest.raises(FaceTrackError, match="--fov needs an analysis"):
        asked_analysis(parse(["clip.mp4", "--fov", "70"]))


def test_frames_of_another_size_and_pictures_begin_anew(linear: LinearFace) -> None:
    stage = AnalysisStage(AnalysisSettings(fov_deg=FOV_DEG), stills=True)
    wide = Frame(0, 0.0, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    large = Frame(1, 0.0, np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8))
    (face,) = stage.take(wide, [seen(linear)])
    (other,) = stage.take(large, [seen(linear)])
    assert face.analysis is not None
    assert other.analysis is not None
    # the same pixels through the longer lens of the larger picture: twice as far, and off its axis
    ratio = other.analysis.pose.translation_mm[2] / face.analysis.pose.translation_mm[2]
    assert ratio == pytest.approx(2, rel=0.05)


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
