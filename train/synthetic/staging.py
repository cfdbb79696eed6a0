"""Puts faces and what passes them before the camera."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from tracker.crop import transform

from .deform import Deformation
from .eyelid import eyelids
from .face import PhotographedFace
from .gesture import Course
from .kinds import Kind
from .motion import Home, Motion
from .mouth import mouth
from .passing import HAND_CENTER, HAND_EYE_PX, crossing, draw_hand, hand_motion, head_matte
from .scene import Layer, Path2D, Scene
from .surround import Margins, margins, surrounded

_AROUND_S = 0.1
"""Exposures reach a little beyond the clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFormat:
    """The frames that are asked for."""

    size: tuple[int, int] = (640, 480)
    """Width and height, pixels."""
    fps: float = 30.0
    eye_px: float = 90.0
    """Inter-ocular distance of a face at home."""

    @property
    def middle(self) -> Float[np.ndarray, "xy=2"]:
        """Of the frame."""
        return (np.array(self.size) - 1) / 2


def stage(
    kind: Kind,
    faces: tuple[PhotographedFace, PhotographedFace],
    camera: ClipFormat,
    seconds: float,
    rng: np.random.Generator,
) -> Scene:
    """The scene of a clip.

    Args:
        kind: What happens.
        faces: Who is filmed, and who passes in a crossing.
        camera: For which the scene fills the frame.
        seconds: Length of the clip.
        rng: Draws motions and gestures.
    """
    face, other = faces
    path = _path(face, kind.motion(rng, seconds), camera)
    gestures = [(mouth(face), kind.mouth(rng, seconds))]
    blinking = kind.eyes(rng, seconds)
    gestures += [(eyelid, blinking) for eyelid in eyelids(face)]
    layers = [_filling(face, path, gestures, camera, seconds)]
    if kind.passing == "face":
        layers.append(_passer(other, crossing(rng, seconds), camera))
    if kind.passing == "hand":
        layers.append(_hand(face, hand_motion(rng, seconds), camera, rng))
    return Scene(tuple(layers), camera.size)


def _path(face: PhotographedFace, motion: Motion, camera: ClipFormat) -> Path2D:
    home = Home(face.center, camera.middle, camera.eye_px, camera.eye_px / face.eye_px)
    return lambda time_s: home.frame_from_picture(motion(time_s))


def _filling(
    face: PhotographedFace,
    path: Path2D,
    gestures: list[tuple[Deformation, Course]],
    camera: ClipFormat,
    seconds: float,
) -> Layer:
    """The face with so much around it that the frame is full at every time."""
    times = np.arange(-_AROUND_S, seconds + _AROUND_S, 1 / 60).tolist()
    ends = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * camera.size - 0.5
    views = [transform(np.linalg.inv(path(time_s)), ends) for time_s in times]
    patches = [deformation.corners for deformation, _ in gestures]
    around = margins(face.image, np.concatenate([*views, *patches]))
    return _framed(face, path, around, gestures)


def _framed(
    face: PhotographedFace,
    path: Path2D,
    around: Margins,
    gestures: Iterable[tuple[Deformation, Course]] = (),
) -> Layer:
    top, _, left, _ = around
    back = np.eye(3)
    back[:2, 2] = -left, -top
    return Layer(
        surrounded(face.image, around),
        lambda time_s: path(time_s) @ back,
        face.points + np.array([left, top]),
        gestures=tuple((gesture.shifted(left, top), course) for gesture, course in gestures),
    )


def _passer(face: PhotographedFace, motion: Motion, camera: ClipFormat) -> Layer:
    """Head and shoulders that go on below the frame."""
    below = camera.size[1] / camera.eye_px
    ends = face.center + face.eye_px * np.array([[-2.5, -2.0], [2.5, below]])
    layer = _framed(face, _path(face, motion, camera), margins(face.image, ends))
    return replace(layer, matte=head_matte(layer.picture, layer.points, face.layout))


def _hand(
    face: PhotographedFace, motion: Motion, camera: ClipFormat, rng: np.random.Generator
) -> Layer:
    below = camera.size[1] / camera.eye_px
    picture, matte = draw_hand(face, below, rng)
    home = Home(HAND_CENTER, camera.middle, camera.eye_px, camera.eye_px / HAND_EYE_PX)
    return Layer(
        picture, lambda time_s: home.frame_from_picture(motion(time_s)), np.empty((0, 2)), matte
    )
