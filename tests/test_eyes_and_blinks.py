"""Lids, blinks and gaze of faces whose eyes are known."""

import math

import numpy as np
import pytest
from posed_faces import CAMERA, FRONTAL, analysed, analyser, seen, turned

from tracker.analysis.eye_reading import EyesRead
from tracker.analysis.linear_face import LinearFace


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
    return EyesRead(points, spread, np.full(2, shut), np.full(2, 0.02), np.zeros((2, 7)))


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
