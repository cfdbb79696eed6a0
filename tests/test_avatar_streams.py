"""VMC and plain OSC against a receiver of other make."""

import numpy as np
import pytest
from analysed_faces import analysed_face, plain_face, turned, update_of
from receivers import TO_THE_CAMERA, Receiver, rotated

from tracker.analysis.rotations import yaw_pitch_roll_deg
from tracker.streams.frames_of_reference import (
    quaternion_of,
    shared_out,
    turning_to,
    unity_quaternion,
)
from tracker.streams.osc_stream import OscStream
from tracker.streams.vmc_stream import VRM0, VmcStream


@pytest.mark.parametrize(
    ("axis", "degrees", "ahead"),
    [
        # The camera's x is right in its picture, y down; an avatar's x is to its own right, y up.
        pytest.param("y", 30, (0.5, 0, 0.866), id="to-the-persons-right"),
        pytest.param("y", -30, (-0.5, 0, 0.866), id="to-the-persons-left"),
        pytest.param("x", 30, (0, -0.5, 0.866), id="down"),
        pytest.param("x", -30, (0, 0.5, 0.866), id="up"),
    ],
)
def test_an_avatar_looks_where_the_person_looks(axis: str, degrees: float, ahead: tuple) -> None:
    rotation = turned(axis, degrees)
    face_looks = rotation @ TO_THE_CAMERA
    # The picture's right is the person's left.
    np.testing.assert_allclose(face_looks, -np.array(ahead), atol=1e-3)
    np.testing.assert_allclose(rotated(unity_quaternion(rotation), (0, 0, 1)), ahead, atol=1e-3)


def test_an_avatar_tilts_its_head_to_the_same_shoulder() -> None:
    clockwise_as_seen = turned("z", 20)  # the person's head leans to the left shoulder
    top = rotated(unity_quaternion(clockwise_as_seen), (0, 1, 0))
    assert top[0] < -0.3  # to the avatar's left


def test_quaternions_and_angles_give_the_rotation_back(rng: np.random.Generator) -> None:
    for _ in range(50):
        yaw, pitch, roll = rng.uniform(-85, 85, 3)
        rotation = turned("z", -roll) @ turned("x", pitch) @ turned("y", -yaw)
        assert yaw_pitch_roll_deg(rotation) == pytest.approx((yaw, pitch, roll))
        quaternion = quaternion_of(rotation)
        columns = [rotated(quaternion, tuple(unit)) for unit in np.eye(3)]
        np.testing.assert_allclose(np.stack(columns, -1), rotation, atol=1e-12)
        neck, head = shared_out(quaternion, 0.4)
        both = rotated(neck, tuple(rotated(head, (0.2, -0.4, 0.7))))
        np.testing.assert_allclose(both, rotation @ [0.2, -0.4, 0.7], atol=1e-12)
        direction = rng.standard_normal(3)
        np.testing.assert_allclose(
            rotated(turning_to(direction), (0, 0, 1)), direction / np.linalg.norm(direction)
        )
    for half_turn in (np.diag([1.0, -1, -1]), np.diag([-1.0, 1, -1]), np.diag([-1.0, -1, 1])):
        turn = quaternion_of(half_turn)
        np.testing.assert_allclose(rotated(turn, (1, 2, 3)), half_turn @ [1, 2, 3], atol=1e-12)


def test_a_marionette_gets_one_bundle_with_bones_and_blend_values() -> None:
    rotation = turned("y", 40)
    gaze = rotation @ turned("y", 10) @ TO_THE_CAMERA  # ten degrees further to the right
    face = analysed_face(rotation, expression={"jawOpen": 0.5, "eyeBlinkLeft": 1.2}, gaze=gaze)
    with Receiver() as receiver:
        stream = VmcStream(receiver.address)
        stream.send(update_of(analysed_face(np.eye(3), track_id=9), face, sequence=7))
        messages = receiver.messages()
        stream.send(update_of(sequence=8))
        nobody = dict(receiver.messages())
        stream.send(update_of(plain_face()))
        unanalysed = receiver.messages()
        stream.close()
    assert messages[0] == ("/VMC/Ext/OK", [1, 3, 0, 1])
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    once = dict(messages)
    assert once["/VMC/Ext/T"] == [pytest.approx(7 / 30)]
    assert once["/VMC/Thru/star-tracker/sequence"] == ["frame", 7]
    assert once["/VMC/Thru/star-tracker/face"] == ["id", 3]
    assert once["/VMC/Ext/Root/Pos"] == ["root", 0, 0, 0, 0, 0, 0, 1]
    bones = {params[0]: params[1:] for name, params in messages if name == "/VMC/Ext/Bone/Pos"}
    assert set(bones) == {"Neck", "Head", "LeftEye", "RightEye"}
    ahead = rotated(bones["Neck"][3:], tuple(rotated(bones["Head"][3:], (0, 0, 1))))
    np.testing.assert_allclose(
        ahead, [np.sin(np.radians(40)), 0, np.cos(np.radians(40))], atol=1e-6
    )
    eye = rotated(bones["LeftEye"][3:], (0, 0, 1))
    np.testing.assert_allclose(eye, [np.sin(np.radians(10)), 0, np.cos(np.radians(10))], atol=1e-6)
    values = dict(params for name, params in messages if name == "/VMC/Ext/Blend/Val")
    assert values == {"JawOpen": pytest.approx(0.5), "EyeBlinkLeft": 1.0}
    assert nobody["/VMC/Ext/OK"] == [1, 3, 0, 0]
    assert "/VMC/Ext/Bone/Pos" not in nobody
    upright = [params for name, params in unanalysed if name == "/VMC/Ext/Bone/Pos"]
    assert upright == [["Neck", 0, 0, 0, 0, 0, 0, 1], ["Head", 0, 0, 0, 0, 0, 0, 1]]


def test_avatars_without_perfect_sync_get_the_presets_of_vrm_0() -> None:
    expression = {"eyeBlinkLeft": 0.8, "eyeBlinkRight": 0.1, "jawOpen": 0.6, "mouthFunnel": 0.5}
    with Receiver() as receiver:
        stream = VmcStream(receiver.address, VRM0)
        stream.send(update_of(analysed_face(np.eye(3), expression=expression)))
        messages = receiver.messages()
        stream.close()
    values = dict(params for name, params in messages if name == "/VMC/Ext/Blend/Val")
    assert values == pytest.approx({"Blink_L": 0.8, "Blink_R": 0.1, "A": 0.3, "O": 0.3})


def test_osc_has_every_landmark_with_id_number_and_time() -> None:
    gaze = np.array([0.0, 0.6, -0.8])
    face = analysed_face(turned("x", -10), expression={"jawOpen": 0.25}, gaze=gaze)
    with Receiver() as receiver:
        stream = OscStream(receiver.address)
        stream.send(update_of(face, plain_face(), sequence=60))
        (frame,), first, second = receiver.messages(), receiver.messages(), receiver.messages()
        stream.close()
    assert frame == ("/face/frame", [60, 2.0, 2, 640, 480])
    assert [name for name, _ in second] == ["/face/landmarks", "/face/covariances"]
    assert all(params[:3] == [0, 60, 2.0] for _, params in second)
    assert all(params[:3] == [3, 60, 2.0] for _, params in first)
    once = dict(first)
    assert once["/face/landmarks"][3] == pytest.approx(0.97)
    np.testing.assert_allclose(once["/face/landmarks"][4:], face.landmarks.mean.ravel(), rtol=1e-6)
    assert once["/face/covariances"][3:6] == [1, 0, 4]
    assert once["/face/pose"][7:10] == [0, 0, 600]
    assert once["/face/pose"][10:] == pytest.approx([0, -10, 0], abs=1e-5)
    assert once["/face/eye"][3:] == pytest.approx(["right", 0.25, 0.05, 0, 0.6, -0.8])
    assert once["/face/expression"][3:] == ["jawOpen", 0.25, pytest.approx(0.1)]
