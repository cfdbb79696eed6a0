"""Expression of known faces; the analysis in tables, drawings and flags."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from posed_faces import FOV_DEG, HEIGHT, WIDTH, analysed, analyser, seen, turned

from tracker.analysis.face_analyser import FaceAnalyser
from tracker.analysis.linear_face import LinearFace
from tracker.analysis.neutral_face import Neutral, beyond_neutral, learned_neutral
from tracker.cli.arguments import asked_analysis, build_parser
from tracker.errors import FaceTrackError
from tracker.io.analysis_columns import analysis_columns
from tracker.io.drawing import draw_faces
from tracker.io.tables import CsvSink, JsonLinesSink
from tracker.layouts import IBUG_68, WFLW_98
from tracker.run.analysis_stage import AnalysisSettings, AnalysisStage
from tracker.types import Frame, LandmarkEstimate


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
