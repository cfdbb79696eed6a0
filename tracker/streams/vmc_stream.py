"""Virtual Motion Capture protocol: head, eyes and expression of one avatar, over OSC.

Source:
    https://protocol.vmc.info, the marionette's side, version 2.7.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..face_analysis import Estimate, FaceAnalysis
from ..types import Face
from .address import Datagrams, NetAddress
from .frames_of_reference import Quaternion, shared_out, turning_to, unity_quaternion
from .osc_bundle import Argument, Message, floats, osc_bundle
from .update import Update

PERFECT_SYNC, VRM0 = BLEND_NAMES = ("perfect-sync", "vrm0")
_UPRIGHT: Quaternion = np.array([0.0, 0.0, 0.0, 1.0])
_NECK_SHARE = 0.4
"""Of the head's rotation, the neck's; it is the head bone's parent."""
_CALIBRATED, _NORMAL_MODE = 3, 0


class VmcStream:
    """One bundle a frame, as VSeeFace prefers them, for the face of the lowest id.

    Bones have no position: it is the avatar's own. Receivers that take positions too (EVMC4U) have
    to be told not to. Without an analysis the head is upright and no blend value is sent.

    Args:
        address: Of the marionette, usually port 39539; of VMagicMirror 39540.
        blend_names: `perfect-sync` sends ARKit's coefficients by the names of Perfect Sync's clips;
            `vrm0` the presets of VRM 0 that every avatar has. Names are case-sensitive. Both at
            once would shut an eye twice where an avatar has both.
    """

    def __init__(self, address: NetAddress, blend_names: str = PERFECT_SYNC) -> None:
        self._socket = Datagrams(address)
        self._named = vrm0_presets if blend_names == VRM0 else perfect_sync_clips

    def send(self, update: Update) -> None:
        """Send one frame."""
        believed = [face for face in update.faces if not face.is_predicted]
        face = min(believed, key=lambda face: face.track_id, default=None)
        self._socket.send(osc_bundle(self._messages(update, face)))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _messages(self, update: Update, face: Face | None) -> Iterator[Message]:
        state = (1, _CALIBRATED, _NORMAL_MODE, int(face is not None))
        yield "/VMC/Ext/OK", [("i", number) for number in state]
        yield "/VMC/Ext/T", floats([update.frame.time_s])
        # Receivers pass over what they do not know; the protocol leaves /VMC/Thru to senders.
        yield "/VMC/Thru/star-tracker/sequence", [("s", "frame"), ("i", update.sequence)]
        if face is None:
            return
        yield "/VMC/Thru/star-tracker/face", [("s", "id"), ("i", face.track_id)]
        yield "/VMC/Ext/Root/Pos", _placed("root", _UPRIGHT)
        for bone, rotation in _bones(face.analysis):
            yield "/VMC/Ext/Bone/Pos", _placed(bone, rotation)
        if face.analysis is not None:
            for name, value in self._named(face.analysis.expression):
                yield "/VMC/Ext/Blend/Val", [("s", name), ("f", value)]
        yield "/VMC/Ext/Blend/Apply", []


def _placed(name: str, rotation: Quaternion) -> list[Argument]:
    return [("s", name), *floats([0, 0, 0, *rotation])]


def _bones(analysis: FaceAnalysis | None) -> Iterator[tuple[str, Quaternion]]:
    """Local rotations: of the neck, of the head against it, of the eyes against the head."""
    if analysis is None:
        yield "Neck", _UPRIGHT
        yield "Head", _UPRIGHT
        return
    rotation = analysis.pose.rotation
    neck, head = shared_out(unity_quaternion(rotation), _NECK_SHARE)
    yield "Neck", neck
    yield "Head", head
    for bone, eye in (("LeftEye", analysis.left_eye), ("RightEye", analysis.right_eye)):
        if eye.gaze is not None:
            yield bone, turning_to(-(rotation.T @ eye.gaze))  # an avatar's axes are the opposite


def perfect_sync_clips(expression: Mapping[str, Estimate]) -> Iterator[tuple[str, float]]:
    """Perfect Sync's clips are ARKit's coefficients with a capital letter."""
    for name, estimate in expression.items():
        yield name[0].upper() + name[1:], _share(estimate.value)


def vrm0_presets(expression: Mapping[str, Estimate]) -> Iterator[tuple[str, float]]:
    """Blinks, vowels and joy, of those coefficients that are there."""

    def value(*names: str) -> float:
        known = [expression[name].value for name in names if name in expression]
        return _share(sum(known) / len(known)) if known else 0.0

    if {"eyeBlinkLeft", "eyeBlinkRight"} & expression.keys():
        yield "Blink_L", value("eyeBlinkLeft")
        yield "Blink_R", value("eyeBlinkRight")
    if "jawOpen" in expression:
        rounded = value("mouthPucker", "mouthFunnel")
        yield "A", value("jawOpen") * (1 - rounded)
        yield "O", value("jawOpen") * rounded
    if {"mouthSmileLeft", "mouthSmileRight"} & expression.keys():
        yield "Joy", value("mouthSmileLeft", "mouthSmileRight")


def _share(value: Any) -> float:
    return float(np.clip(value, 0, 1))
