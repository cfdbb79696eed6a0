"""OpenSeeFace's UDP packet, byte for byte, for VSeeFace, VTube Studio, Resonite and others.

Source:
    `Unity/OpenSee.cs`, `facetracker.py` and `tracker.py` of github.com/emilianavt/OpenSeeFace.
"""

import struct
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from ..analysis.linear_face import load_linear_face
from ..analysis.rotations import Rotation
from ..errors import SinkError
from ..face_analysis import Estimate, Eye, FaceAnalysis, HeadPose
from ..io.tables import chosen
from ..layouts import IBUG_68, Layout
from ..types import Face, Points
from .address import Datagrams, NetAddress
from .frames_of_reference import quaternion_of
from .update import Update

_PACKET = struct.Struct("<di2f2fBf4f3f3f68f136f210f14f")
"""1,785 bytes a face."""
_MOST_FACES = 36
"""OpenSeeFace sends fewer than 40; a datagram holds 36."""
_KEPT = [index for index in range(IBUG_68.count) if index not in (48, 54)]
"""OpenSeeFace knows 66 landmarks: all but the mouth's outer corners; two pupils follow."""
_MM_PER_UNIT = 122.0
"""Of its head, whose pupils are 0.516 apart, where those of adults are 63 mm apart."""
_EYEBALL_MM = 12.0
_BEHIND = np.array([[0.0, -1, 0], [-1, 0, 0], [0, 0, -1]])
"""Of a place before our camera: OpenSeeFace has rows before columns, and solves for a head behind
the camera, which looks the same."""
_TURNED = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])
"""Of a head's rotation: its head has x to the person's right, y up, z out of the face, opposite to
ours; where it is upright, x is 180 degrees and z 90, from which `OpenSee.cs` counts."""
_FAILED = 99999.0
"""Its error of the fit where no pose was found."""
_RIGHT_EYE, _LEFT_EYE, _NOSE_TIP = (36, 39), (42, 45), 30


class OpenSeeFaceStream:
    """All faces of a frame in one datagram; a frame without a face sends none.

    There is no room for a sequence number: the time stamp stands for it. Without an analysis pose
    and 3-D points are zeros and marked as failed, eyes open, features 0, as in OpenSeeFace itself.

    Args:
        address: Of the receiver, usually port 11573.
        layout: Of the landmarks.
        raw: Landmarks as measured.

    Raises:
        SinkError: If the landmarks are not the 68 of iBUG.
    """

    def __init__(self, address: NetAddress, layout: Layout, *, raw: bool = False) -> None:
        if layout.name != IBUG_68.name:
            raise SinkError(
                f"--openseeface sends 66 of iBUG's 68 landmarks, and these weights have "
                f"{layout.name}: take others, or --osc"
            )
        self._socket, self._raw = Datagrams(address), raw

    def send(self, update: Update) -> None:
        """Send one frame."""
        packets = [
            openseeface_packet(update, face, estimate.mean)
            for face in update.faces
            if (estimate := chosen(face, raw=self._raw)) is not None
        ]
        if packets:
            self._socket.send(b"".join(packets[:_MOST_FACES]))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def openseeface_packet(update: Update, face: Face, points: Points) -> bytes:
    """The packet of one face.

    Args:
        update: Of the frame.
        face: Its confidence stands at each landmark.
        points: Its 68 landmarks.
    """
    height, width = update.frame.image.shape[:2]
    confidence = float(np.nan_to_num(face.confidence, nan=1.0))
    pupils, seen = _pupils(face.analysis)
    openness = (1.0, 1.0) if face.analysis is None else tuple(
        float(np.clip(eye.openness.value, 0, 1)) for eye in _eyes(face.analysis)
    )  # fmt: skip
    features = [0.0] * 14 if face.analysis is None else _features(face.analysis.expression)
    return _PACKET.pack(
        update.captured_s, face.track_id, width, height, *openness,
        *_pose(None if face.analysis is None else face.analysis.pose),
        *[confidence] * len(_KEPT), *(confidence * seen),
        *points[_KEPT].ravel(), *pupils.ravel(),
        *_points_3d(face.analysis, points).ravel(), *features,
    )  # fmt: skip


def _eyes(analysis: FaceAnalysis) -> tuple[Eye, Eye]:
    """OpenSeeFace has the right one first."""
    return analysis.right_eye, analysis.left_eye


def _pupils(
    analysis: FaceAnalysis | None,
) -> tuple[Float[np.ndarray, "eyes=2 xy=2"], Float[np.ndarray, "eyes=2"]]:
    """Frame pixels, and whether they are seen: a pupil that is not lies at 0, 0."""
    pupils, seen = np.zeros((2, 2)), np.zeros(2)
    for row, eye in enumerate(_eyes(analysis) if analysis else ()):
        if eye.pupil is not None:
            pupils[row], seen[row] = eye.pupil, 1
    return pupils, seen


def _pose(pose: HeadPose | None) -> list[float]:
    """Success, error of the fit, quaternion, Euler angles in degrees, translation."""
    if pose is None:
        return [0, _FAILED, *[0.0] * 10]
    rotation = _TURNED @ pose.rotation
    nose_mm = pose.translation_mm + pose.rotation @ load_linear_face().mean[_NOSE_TIP]
    place = _BEHIND @ nose_mm / _MM_PER_UNIT
    return [1, 0.0, *quaternion_of(rotation), *_euler_deg(rotation), *place]


def _euler_deg(rotation: Rotation) -> Float[np.ndarray, "xyz=3"]:
    """Angles of Rz(z) Ry(y) Rx(x), as OpenCV's RQ decomposition has them."""
    x = np.arctan2(rotation[2, 1], rotation[2, 2])
    y = np.arcsin(np.clip(-rotation[2, 0], -1, 1))
    z = np.arctan2(rotation[1, 0], rotation[0, 0])
    return np.degrees([x, y, z])


def _points_3d(analysis: FaceAnalysis | None, points: Points) -> Float[np.ndarray, "points=70 3"]:
    """Landmarks, pupils and centres of the eyes in the head's frame from the nose, as packed."""
    if analysis is None:
        return np.zeros((70, 3))
    rotation = analysis.pose.rotation
    head = _raised_mm(points, rotation)
    centers, pupils = [], []
    for eye, corners in zip(_eyes(analysis), (_RIGHT_EYE, _LEFT_EYE), strict=True):
        ahead = np.array([0, 0, -1.0]) if eye.gaze is None else rotation.T @ eye.gaze
        centers.append(head[list(corners)].mean(0) + np.array([0, 0, _EYEBALL_MM]))
        pupils.append(centers[-1] + _EYEBALL_MM * ahead)
    shape = np.concatenate([head[_KEPT], pupils, centers]) - head[_NOSE_TIP]
    # Its axes are the opposite ones, and y and z are packed with the other sign.
    return shape * [-1, 1, 1] / _MM_PER_UNIT


def _raised_mm(points: Points, rotation: Rotation) -> Float[np.ndarray, "landmarks=68 xyz=3"]:
    """Landmarks in the frame of their head: across the view as seen, as deep as in a mean face."""
    turned = load_linear_face().mean @ rotation.T
    seen, expected = points - points.mean(0), turned[:, :2] - turned[:, :2].mean(0)
    px_per_mm = np.sqrt(np.square(seen).sum() / np.square(expected).sum())
    turned[:, :2] += seen / max(px_per_mm, 1e-9) - expected
    return turned @ rotation


def _features(expression: Mapping[str, Estimate]) -> list[float]:
    """Its 14 features of -1 to 1 about this person's usual face, as ARKit's coefficients tell.

    Steepness and quirk of the brows, which those do not tell, are 0. A mouth corner that rises is
    negative, as there.
    """

    def value(name: str) -> float:
        return expression[name].value if name in expression else 0.0

    def of_side(side: str) -> tuple[list[float], list[float], list[float]]:
        eye = value(f"eyeWide{side}") - value(f"eyeBlink{side}")
        raised = max(value(f"browOuterUp{side}"), value("browInnerUp"))
        brow = raised - value(f"browDown{side}")
        corner_down = value(f"mouthFrown{side}") - value(f"mouthSmile{side}")
        outwards = value(f"mouthStretch{side}") + value(f"mouthSmile{side}")
        return [eye], [0.0, brow, 0.0], [corner_down, outwards - value("mouthPucker")]

    (eye_left, brow_left, mouth_left), (eye_right, brow_right, mouth_right) = (
        of_side("Left"), of_side("Right"),
    )  # fmt: skip
    wide = (mouth_left[1] + mouth_right[1]) / 2
    both = eye_left + eye_right + brow_left + brow_right + mouth_left + mouth_right
    return [float(np.clip(number, -1, 1)) for number in (*both, value("jawOpen"), wide)]
