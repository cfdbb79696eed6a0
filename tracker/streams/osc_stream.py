"""Plain OSC, for whoever patches landmarks into sound, light or pictures."""

from collections.abc import Iterator

from ..analysis.rotations import yaw_pitch_roll_deg
from ..face_analysis import Eye
from ..io.tables import chosen
from ..types import Face
from .address import Datagrams, NetAddress
from .frames_of_reference import quaternion_of
from .osc_bundle import Argument, Message, floats, osc_bundle
from .update import Update


class OscStream:
    """A bundle for the frame and one for each face in it.

    `/face/frame`: sequence, time in s, faces, width, height. All others begin with id, sequence and
    time: `/face/landmarks` confidence, x, y, ... in pixels; `/face/covariances` xx, xy, yy, ... in
    square pixels; and with an analysis `/face/pose` quaternion x, y, z, w, translation in mm, and
    in degrees yaw (to the picture's right), pitch (down) and roll (counter-clockwise);
    `/face/eye` "left" or "right", openness, its deviation, and the gaze where there is one;
    `/face/expression` ARKit's name, value, deviation.

    Args:
        address: Of the receiver.
        raw: Landmarks as measured.
    """

    def __init__(self, address: NetAddress, *, raw: bool = False) -> None:
        self._socket, self._raw = Datagrams(address), raw

    def send(self, update: Update) -> None:
        """Send one frame."""
        height, width = update.frame.image.shape[:2]
        stamp: list[Argument] = [("i", update.sequence), ("d", update.frame.time_s)]
        frame = [*stamp, ("i", len(update.faces)), ("i", width), ("i", height)]
        self._socket.send(osc_bundle([("/face/frame", frame)]))
        for face in update.faces:
            self._socket.send(osc_bundle(self._messages([("i", face.track_id), *stamp], face)))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _messages(self, stamp: list[Argument], face: Face) -> Iterator[Message]:
        estimate = chosen(face, raw=self._raw)
        if estimate is not None:
            points = floats([face.confidence, *estimate.mean.ravel()])
            yield "/face/landmarks", stamp + points
            entries = estimate.covariance[:, [0, 0, 1], [0, 1, 1]]
            yield "/face/covariances", stamp + floats(entries.ravel())
        if face.analysis is None:
            return
        pose = face.analysis.pose
        angles = yaw_pitch_roll_deg(pose.rotation)
        values = [*quaternion_of(pose.rotation), *pose.translation_mm, *angles]
        yield "/face/pose", stamp + floats(values)
        for side, eye in (("left", face.analysis.left_eye), ("right", face.analysis.right_eye)):
            yield "/face/eye", [*stamp, ("s", side), *floats(_eye(eye))]
        for name, value in face.analysis.expression.items():
            coefficient = floats([value.value, value.deviation])
            yield "/face/expression", [*stamp, ("s", name), *coefficient]


def _eye(eye: Eye) -> list[float]:
    gaze = [] if eye.gaze is None else list(eye.gaze)
    return [eye.openness.value, eye.openness.deviation, *gaze]
