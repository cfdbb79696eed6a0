"""OpenSeeFace's packet, read as its own receivers do."""

import struct

import cv2
import numpy as np
import pytest
from analysed_faces import analysed_face, plain_face, turned, update_of
from receivers import TO_THE_CAMERA, Receiver, rotated

from tracker.errors import SinkError
from tracker.layouts import IBUG_68, WFLW_98
from tracker.streams.address import NetAddress
from tracker.streams.openseeface_stream import OpenSeeFaceStream


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
