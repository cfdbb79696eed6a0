"""Reads crops of both eyes, by a network: where pupils are, how surely, how far eyes are shut."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from ..crop import warp_crop
from ..layouts import Layout
from ..types import Face, Image, Points
from .eye_crop import SIZE_PX, Corners, eye_crops_from_frame

_COVARIANCE = (2, 3, 3, 4)
"""Where the answers hold it."""


@runtime_checkable
class EyeReader(Protocol):
    """Reads crops of eyes, as `models.load_eye_reader` does."""

    def __call__(
        self, crops: UInt8[np.ndarray, "eyes size size rgb=3"]
    ) -> Float[np.ndarray, "eyes 7"]:
        """Read them.

        Returns:
            The pupil's x and y and its covariance xx, xy and yy (crop pixels), how far the eye is
            shut (0 to 1), and the standard deviation of that.
        """


@dataclass(frozen=True, slots=True, eq=False)
class EyesRead:
    """The eyes of one face: first the right one, the person's own."""

    pupil: Float[np.ndarray, "eyes=2 xy=2"]
    """Frame pixels; a guess where the eye is shut."""
    pupil_covariance: Float[np.ndarray, "eyes=2 xy=2 xy=2"]
    """Square pixels."""
    shut: Float[np.ndarray, "eyes=2"]
    """0 open, 1 shut."""
    shut_deviation: Float[np.ndarray, "eyes=2"]
    in_crop: Float[np.ndarray, "eyes=2 7"]
    """What the network said, in the pixels of the crops."""


def eye_corners(points: Points, layout: Layout) -> Corners | None:
    """Outer and inner corner of both eyes; None where the layout does not outline them."""
    rings = {outline.name: outline.members for outline in layout.outlines}
    corners = []
    for name, outer in zip(("right eye", "left eye"), layout.eye_corners, strict=True):
        ring = rings.get(name, ())
        if outer not in ring or len(ring) % 2:
            return None
        inner = ring[(ring.index(outer) + len(ring) // 2) % len(ring)]
        corners.append(points[[outer, inner]])
    return np.stack(corners)


def read_eyes(image: Image, faces: Iterable[Face], reader: EyeReader) -> dict[int, EyesRead]:
    """Read the eyes of a frame's faces; by track id, those whose layout has eyes.

    Args:
        image: The frame, RGB.
        faces: As `FaceTracker.update` reports them.
        reader: As `models.load_eye_reader` gives it.
    """
    corners = _corners_of(faces)
    eyes = read_between_corners(image, list(corners.values()), reader)
    return dict(zip(corners, eyes, strict=True))


def carried_eyes(faces: Iterable[Face], before: Mapping[int, EyesRead]) -> dict[int, EyesRead]:
    """The eyes as they were read in an earlier frame, where they are in this one.

    Args:
        faces: Of this frame, as `FaceTracker.update` reports them.
        before: As they were read, by track id.
    """
    return {
        track_id: _in_frame(before[track_id].in_crop, eye_crops_from_frame(corners))
        for track_id, corners in _corners_of(faces).items()
        if track_id in before
    }


def _corners_of(faces: Iterable[Face]) -> dict[int, Corners]:
    return {
        face.track_id: found
        for face in faces
        if face.layout is not None
        and (found := eye_corners(face.landmarks.mean, face.layout)) is not None
        and np.isfinite(found).all()
    }


def read_between_corners(image: Image, faces: list[Corners], reader: EyeReader) -> list[EyesRead]:
    """The same of faces whose eyes' corners are known.

    Args:
        image: RGB.
        faces: The corners of each face's eyes.
        reader: Reads the crops.
    """
    if not faces:
        return []
    matrices = np.concatenate([eye_crops_from_frame(corners) for corners in faces])
    crops = np.stack([warp_crop(image, matrix, SIZE_PX) for matrix in matrices])
    answers = np.asarray(reader(crops), float)
    return [
        _in_frame(answers[eyes], matrices[eyes])
        for eyes in (slice(first, first + 2) for first in range(0, len(answers), 2))
    ]


def _in_frame(
    answers: Float[np.ndarray, "eyes=2 7"], matrices: Float[np.ndarray, "eyes=2 3 3"]
) -> EyesRead:
    """From crop pixels to frame pixels."""
    along = matrices[:, :1, :2]  # the other row is as long and at a right angle
    linear = matrices[:, :2, :2].swapaxes(1, 2) / (along @ along.swapaxes(1, 2))
    pupils = (linear @ (answers[:, :2] - matrices[:, :2, 2])[..., None])[..., 0]
    covariances = linear @ answers[:, _COVARIANCE].reshape(2, 2, 2) @ linear.swapaxes(1, 2)
    return EyesRead(pupils, covariances, answers[:, 5], answers[:, 6], answers)
