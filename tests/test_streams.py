"""Streams against receivers of other make on the loopback."""

import json
import queue
import socket
import struct
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from analysed_faces import analysed_face, frame_of, plain_face, turned, update_of
from fakes import blob_frame, write_video
from pythonosc.osc_bundle import OscBundle
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import run_tracker
from tracker.analysis.rotations import yaw_pitch_roll_deg
from tracker.errors import SinkError
from tracker.layouts import IBUG_68, WFLW_98
from tracker.streams.address import NetAddress
from tracker.streams.face_json import update_as_json
from tracker.streams.frames_of_reference import (
    quaternion_of,
    shared_out,
    turning_to,
    unity_quaternion,
)
from tracker.streams.openseeface_stream import OpenSeeFaceStream
from tracker.streams.osc_stream import OscStream
from tracker.streams.stream_sink import StreamSink
from tracker.streams.update import Update
from tracker.streams.virtual_camera import VirtualCameraStream
from tracker.streams.vmc_stream import VRM0, VmcStream
from tracker.streams.websocket_stream import WebSocketStream
from tracker.types import Frame

PATIENCE_S = 10.0
TO_THE_CAMERA = np.array([0.0, 0.0, -1.0])


class Receiver:
    """A UDP port that somebody listens on."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE_S)
        self.address = NetAddress("127.0.0.1", self._socket.getsockname()[1])

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def datagram(self) -> bytes:
        return self._socket.recv(65_536)

    def messages(self) -> list[tuple[str, list[object]]]:
        """Of one bundle, as python-osc reads it."""
        return [(message.address, message.params) for message in OscBundle(self.datagram())]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rotated(quaternion: np.ndarray, vector: tuple[float, float, float]) -> np.ndarray:
    """Unity's `quaternion * vector`."""
    axis, w = np.asarray(quaternion[:3], float), float(quaternion[3])
    cross = 2 * np.cross(axis, vector)
    return np.asarray(vector) + w * cross + np.cross(axis, cross)


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


class OpenSeeReader:
    """Written after `OpenSee.cs`, which is how receivers read a packet."""

    SIZE = (
        8 + 4 + 2 * 4 + 2 * 4 + 1 + 4 + 3 * 4 + 3 * 4 + 4 * 4 + 4 * 68 + 8 * 68 + 12 * 70 + 4 * 14
    )

    def __init__(self, packet: bytes) -> None:
        self._packet, self._at = packet, 0
        (self.time,) = self._take("d", 1)
        (self.id,) = self._take("i", 1)
        self.resolution = self._take("f", 2)
        self.right_open, self.left_open = self._take("f", 2)
        (self.got_3d,) = self._take("B", 1)
        (self.error,) = self._take("f", 1)
        self.quaternion = np.array(self._take("f", 4))
        self.euler = np.array(self._take("f", 3))
        self.raw_translation = np.array(self._take("f", 3))
        self.confidence = np.array(self._take("f", 68))
        self.points = np.array(self._take("f", 136)).reshape(68, 2)
        self.points_3d = np.array(self._take("f", 210)).reshape(70, 3)
        self.features = self._take("f", 14)
        assert self._at == len(packet) == self.SIZE == 1785

    def _take(self, kind: str, count: int) -> tuple:
        size = struct.calcsize(f"={count}{kind}")
        part = self._packet[self._at : self._at + size]
        self._at += size
        return struct.unpack(f"<{count}{kind}", part)

    @property
    def unity_euler(self) -> np.ndarray:
        """Pitch, yaw and roll that OpenSee.cs works out, in C#'s order of operations."""
        x, y, z = self.euler * [1, -1, 1]
        return np.array([-np.fmod(x + 180, 360), y, np.fmod(z - 90, 360)])

    @property
    def unity_translation(self) -> np.ndarray:
        x, y, z = self.raw_translation
        return np.array([-y, x, -z])


def openseeface_packet_of(*faces, layout=IBUG_68) -> list[OpenSeeReader]:
    with Receiver() as receiver:
        stream = OpenSeeFaceStream(receiver.address, layout)
        stream.send(update_of(*faces))
        packet = receiver.datagram()
        stream.close()
    assert len(packet) == len(faces) * OpenSeeReader.SIZE
    return [OpenSeeReader(packet[i : i + 1785]) for i in range(0, len(packet), 1785)]


def test_openseeface_receivers_read_landmarks_of_every_face() -> None:
    first, second = openseeface_packet_of(plain_face(track_id=0), plain_face(track_id=5))
    assert (first.id, second.id) == (0, 5)
    assert first.time == 1_700_000_000.25
    assert first.resolution == (640, 480)
    points = plain_face().landmarks.mean
    # Of the mouth they know no outer corners: 48 of theirs is 49 of iBUG's, 58 is 60.
    np.testing.assert_allclose(first.points[[0, 47, 48, 52, 53, 58, 62, 65]],
                               points[[0, 47, 49, 53, 55, 60, 64, 67]], rtol=1e-6)  # fmt: skip
    assert first.confidence[:66] == pytest.approx(0.97)
    assert (first.right_open, first.left_open) == (1, 1)
    assert first.got_3d == 0  # nobody analysed it
    assert not first.points_3d.any()
    assert first.features == (0,) * 14


def test_openseeface_receivers_read_pose_gaze_and_features() -> None:
    expression = {"jawOpen": 0.5, "eyeBlinkLeft": 1.0, "mouthSmileRight": 0.5, "browDownLeft": 0.4}
    straight = analysed_face(np.eye(3), expression=expression, gaze=TO_THE_CAMERA)
    (read,) = openseeface_packet_of(straight)
    assert read.got_3d == 1
    np.testing.assert_allclose(read.unity_euler % 360, 0, atol=1e-3)
    assert (read.right_open, read.left_open) == (0.25, pytest.approx(0.9))
    assert read.features[0] == -1  # the left eye is shut
    assert read.features[3] == pytest.approx(-0.4)  # the left brow is down
    assert read.features[10] == pytest.approx(-0.5)  # the right corner of the mouth is up
    assert read.features[12] == pytest.approx(0.5)
    # Upright and straight ahead: x to the person's right, y down as packed, z into the head.
    right, left, nose, chin = read.points_3d[[36, 45, 30, 8]]
    assert right[0] > 0.3 > -0.3 > left[0]
    assert chin[1] > 0.4
    assert right[1] < 0
    assert not nose.any()
    assert right[2] > 0.2
    np.testing.assert_allclose(
        read.points_3d[66] - read.points_3d[68], [0, 0, -12 / 122], atol=1e-6
    )
    assert (read.points[66:] > 0).all()
    assert 4 < read.unity_translation[2] < 6  # 0.6 m


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_openseeface_turns_as_its_own_solver_would(axis: str) -> None:
    """It has rows first, a head with axes opposite to ours, and finds it behind the camera."""
    face = analysed_face(turned(axis, 15), translation_mm=(60, -45, 3000))
    (read,) = openseeface_packet_of(face)
    shape = read.points_3d[:66] * [1, -1, -1]  # as OpenSeeFace keeps it before it packs
    camera = np.array([[640.0, 0, 240], [0, 640, 320], [0, 0, 1]])
    rows_first = np.ascontiguousarray(read.points[:66, ::-1])
    upright, _ = cv2.Rodrigues(np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]]))
    _, turn, place = cv2.solvePnP(
        shape, rows_first, camera, np.zeros(4), upright, np.array([[0.0], [0], [-10]]),
        useExtrinsicGuess=True, flags=cv2.SOLVEPNP_ITERATIVE,
    )  # fmt: skip
    solved, _ = cv2.Rodrigues(turn)
    sent = np.stack([rotated(read.quaternion, tuple(unit)) for unit in np.eye(3)], -1)
    between = np.degrees(np.arccos((np.trace(solved.T @ sent) - 1) / 2))
    assert between < 3  # it leaves perspective out, and the solver does not
    np.testing.assert_allclose(read.raw_translation, place.ravel(), rtol=0.05, atol=0.02)
    angles = (read.unity_euler + 180) % 360 - 180
    assert sorted(np.abs(angles)) == pytest.approx([0, 0, 15], abs=1e-3)
    x, y, z = read.euler
    about = turned("z", z) @ turned("y", y) @ turned("x", x)
    np.testing.assert_allclose(about, sent, atol=1e-5)
    np.testing.assert_allclose(read.unity_translation * 122, [60, 45, 3000], atol=60)


def test_openseeface_refuses_other_landmarks() -> None:
    with pytest.raises(SinkError, match="WFLW-98"):
        OpenSeeFaceStream(NetAddress("127.0.0.1", 11573), WFLW_98)


def test_every_client_gets_every_frame_as_json() -> None:
    address = NetAddress("127.0.0.1", free_port())
    stream = WebSocketStream(address)
    with connect(f"ws://{address}") as one, connect(f"ws://{address}") as other:
        face = analysed_face(turned("y", -20), expression={"jawOpen": 0.5})
        until(lambda: stream.clients == 2)
        for sequence in range(3):
            stream.send(update_of(face, plain_face(), sequence=sequence))
        for client in (one, other):
            lines = [json.loads(client.recv(PATIENCE_S)) for _ in range(3)]
            assert [line["sequence"] for line in lines] == [0, 1, 2]
        last = lines[-1]
        assert (last["width"], last["height"], last["captured_s"]) == (640, 480, 1_700_000_000.25)
        analysed, plain = last["faces"]
        assert (analysed["face_id"], plain["face_id"]) == (3, 0)
        assert "pose" not in plain
        assert analysed["pose"]["yaw_deg"] == pytest.approx(20)
        assert analysed["expression"] == {"jawOpen": [0.5, 0.1]}
        assert analysed["eyes"]["left"]["gaze"] is None
        assert np.shape(analysed["points"]) == (68, 2)
        stream.close()
        with pytest.raises(ConnectionClosed):
            one.recv(PATIENCE_S)


def test_what_is_not_known_is_null() -> None:
    face = replace(plain_face(), confidence=float("nan"))
    (unsure,) = json.loads(update_as_json(update_of(face)))["faces"]
    assert unsure["confidence"] is None
    unmeasured = replace(plain_face(), measured=None)
    (predicted,) = json.loads(update_as_json(update_of(unmeasured), raw=True))["faces"]
    assert predicted["predicted"]
    assert "points" not in predicted


def test_a_strangers_page_gets_no_faces() -> None:
    address = NetAddress("127.0.0.1", free_port())
    stream = WebSocketStream(address)
    with pytest.raises(InvalidStatus):
        connect(f"ws://{address}", origin="https://evil.example")
    with connect(f"ws://{address}", origin="http://localhost:8080"):
        pass
    with pytest.raises(SinkError, match="cannot listen"):
        WebSocketStream(address)
    stream.close()


def test_a_client_that_does_not_read_is_dropped_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def long_text(update: Update, **_: object) -> str:
        return f"{update.sequence} " + 1_000_000 * "x"

    monkeypatch.setattr("tracker.streams.websocket_stream.update_as_json", long_text)
    address = NetAddress("127.0.0.1", free_port())
    stream = WebSocketStream(address)
    with (
        socket.create_connection((address.host, address.port)) as lazy,
        connect(f"ws://{address}", max_size=None) as keen,
    ):
        lazy.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        until(lambda: stream.clients == 2)
        for sequence in range(60):  # more than any system keeps for a program that does not read
            stream.send(update_of(sequence=sequence))
            assert str(keen.recv(PATIENCE_S)).startswith(f"{sequence} ")
        assert stream.too_slow == 1
        assert stream.clients == 1
    stream.close()


def until(ready) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class StuckStream:
    """A receiver that takes one update and then nothing, until it is let go."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.has_one, self.let_go = threading.Event(), threading.Event()

    def send(self, update: Update) -> None:
        self.received.append(update.sequence)
        self.has_one.set()
        assert self.let_go.wait(PATIENCE_S)

    def close(self) -> None: ...


def test_a_receiver_that_hangs_costs_frames_of_its_own_and_nothing_else() -> None:
    stuck = StuckStream()
    sink = StreamSink("stuck", stuck)
    sink.write(frame_of(0), [])
    assert stuck.has_one.wait(PATIENCE_S)
    for index in range(1, 100):
        sink.write(frame_of(index), [])  # returns, though nothing is taken
    stuck.let_go.set()
    sink.close()
    assert stuck.received == [0, 98, 99]
    assert (sink.sent, sink.dropped) == (3, 97)
    assert str(sink) == "stuck: 3 of 100 frames sent, 97 dropped"


class FullStream:
    def send(self, update: Update) -> None:
        if update.sequence:
            raise BlockingIOError("full buffer")

    def close(self) -> None: ...


class BrokenStream:
    def send(self, update: Update) -> None:
        raise RuntimeError("driver crashed")

    def close(self) -> None: ...


def test_a_full_buffer_is_counted_and_a_crash_is_told_once(caplog) -> None:
    full, broken = StreamSink("full", FullStream()), StreamSink("broken", BrokenStream())
    for index in range(3):
        full.write(frame_of(index), [])
        until(lambda index=index: full.sent + full.undelivered == index + 1)
        broken.write(frame_of(index), [])
    full.close()
    broken.close()
    assert str(full) == "full: 1 of 3 frames sent, 2 not delivered"
    told = [record.getMessage() for record in caplog.records]
    assert told == ["broken: ended, tracking goes on: driver crashed"]


class FakeCamera:
    """What pyvirtualcam's camera is to a program."""

    shown: "queue.Queue[np.ndarray]" = queue.Queue()

    def __init__(self, *, width: int, height: int, fps: float) -> None:
        self.width, self.height, self.fps = width, height, fps

    def send(self, image: np.ndarray) -> None:
        assert image.shape == (self.height, self.width, 3)
        assert image.flags.c_contiguous
        self.shown.put(image.copy())

    def close(self) -> None: ...


@pytest.mark.parametrize("overlay", [True, False])
def test_a_virtual_camera_shows_frames_with_or_without_what_was_found(
    overlay: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=FakeCamera))
    camera = VirtualCameraStream(30, IBUG_68, overlay=overlay, ellipses=False, raw=False)
    camera.send(update_of(plain_face()))
    assert FakeCamera.shown.get(timeout=PATIENCE_S).any() == overlay
    larger = Frame(1, 0.1, np.full((960, 1280, 3), 9, np.uint8))
    camera.send(Update(1, 0.0, larger, []))
    assert (FakeCamera.shown.get(timeout=PATIENCE_S) == 9).all()
    camera.close()


def test_a_machine_without_a_virtual_camera_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_device(**_: object) -> None:
        raise RuntimeError("no camera could be\nopened")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=no_device))
    camera = VirtualCameraStream(30, IBUG_68, overlay=True, ellipses=False, raw=False)
    with pytest.raises(SinkError, match="install v4l2loopback"):
        camera.send(update_of())
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match=r"star-tracker\[virtual-camera\]"):
        VirtualCameraStream(30, IBUG_68, overlay=True, ellipses=False, raw=False)


def test_rerun_keeps_points_and_curves_in_a_recording(tmp_path: Path) -> None:
    pytest.importorskip("rerun", reason="needs the extra: pip install '.[rerun]'")
    from tracker.streams.rerun_stream import RerunStream  # noqa: PLC0415

    recording = tmp_path / "run.rrd"
    stream = RerunStream(str(recording), IBUG_68)
    for sequence in range(3):
        face = analysed_face(np.eye(3), expression={"jawOpen": 0.1 * sequence})
        stream.send(update_of(face, sequence=sequence))
    stream.close()
    content = recording.read_bytes()
    assert content.startswith(b"RRF2")
    for entity in (b"camera/face/3", b"ellipses", b"jawOpen"):
        assert entity in content


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("127.0.0.1:39539", ("127.0.0.1", 39539)), ("9000", ("127.0.0.1", 9000)),
     ("[::1]:80", ("::1", 80)), ("studio.local:1", ("studio.local", 1))],
)  # fmt: skip
def test_addresses_are_host_and_port(text: str, wanted: tuple[str, int]) -> None:
    address = NetAddress.parse(text)
    assert (address.host, address.port) == wanted
    assert NetAddress.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "host", "host:", "host:0", "host:65536", "host:x", "::1:80"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be HOST:PORT"):
        NetAddress.parse(text)


def test_a_run_sends_to_several_at_once_and_writes_every_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One receiver is there, one is gone, one port was never served: the table is whole."""
    clip = write_video(tmp_path / "clip.mp4", [blob_frame([(160.0, 120.0)])] * 40)
    rows, websocket = tmp_path / "rows.csv", free_port()
    with Receiver() as there, Receiver() as gone:
        nobody = gone.address
    with Receiver() as there:
        flags = ["--vmc", str(there.address), "--openseeface", str(nobody), "--osc", str(nobody)]
        flags += ["--websocket", str(websocket), "--save-csv", str(rows)]
        assert run_tracker.main([str(clip), *flags]) == 0
        assert dict(there.messages())["/VMC/Ext/OK"][0] == 1
    assert len(rows.read_text().splitlines()) == 41
    said = capsys.readouterr().out
    for stream in ("VMC to", "OSC to", "OpenSeeFace to", "WebSocket on"):
        assert f"{stream} 127.0.0.1:" in said
    assert said.count(" of 40 frames sent") == 4
    assert "frame to packet, VMC to" in " ".join(said.split())


def test_streams_that_cannot_be_are_refused_before_tracking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_video(tmp_path / "clip.mp4", [blob_frame([(160.0, 120.0)])] * 3)
    assert run_tracker.main([str(clip), "--vmc", "no-such-host.invalid:39539"]) == 2
    assert "no such host" in capsys.readouterr().err
    assert run_tracker.main([str(clip), str(clip), "--vmc", "39539"]) == 2
    assert "streams need a single input" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run_tracker.main([str(clip), "--osc", "nowhere"])
    assert "must be HOST:PORT" in capsys.readouterr().err
