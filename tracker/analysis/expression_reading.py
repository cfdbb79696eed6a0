"""Reads expression and head rotation from crops of whole faces, by a network."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from ..crop import warp_crop
from ..layouts import IBUG_68
from ..types import Face, Image
from .expression_crop import ALIGNED_BY, FACE_CROP_PX, face_crop_from_frame
from .rotations import Rotation, rotation_of


@runtime_checkable
class ExpressionReader(Protocol):
    """Reads crops of faces, as `models.load_expression_reader` does."""

    names: tuple[str, ...]
    """Of the coefficients, ARKit's."""
    usual: Float[np.ndarray, "mean_deviation=2 coefficients"]
    """What it says of a face that tells it nothing."""

    def __call__(
        self, crops: UInt8[np.ndarray, "faces size size rgb=3"]
    ) -> Float[np.ndarray, "faces answers"]:
        """Read them.

        Returns:
            Of each the coefficients (0 to 1), their standard deviations, the rotation vector from
            the head's frame to that of a camera that looks at the crop's middle (radians), and the
            standard deviations of small rotations about its axes.
        """


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionRead:
    """One face."""

    names: tuple[str, ...]
    values: Float[np.ndarray, " coefficients"]
    deviations: Float[np.ndarray, " coefficients"]
    rotation: Rotation
    """From the head's frame to that of a camera that looks at the crop's middle."""
    rotation_deviations: Float[np.ndarray, "3"]
    """Of small rotations about that camera's axes, radians."""
    crop_from_frame: Float[np.ndarray, "3 3"]
    usual: Float[np.ndarray, "mean_deviation=2 coefficients"]
    """What is said of a face that tells nothing."""


def read_expressions(
    image: Image, faces: Iterable[Face], reader: ExpressionReader
) -> dict[int, ExpressionRead]:
    """Read a frame's faces; by track id, those of the 68 landmarks.

    Args:
        image: The frame, RGB.
        faces: As `FaceTracker.update` reports them.
        reader: As `models.load_expression_reader` gives it.
    """
    matrices = {
        face.track_id: face_crop_from_frame(face.landmarks.mean[list(ALIGNED_BY)])
        for face in faces
        if face.layout is not None
        and face.layout.name == IBUG_68.name
        and np.isfinite(face.landmarks.mean).all()
    }
    if not matrices:
        return {}
    crops = np.stack([warp_crop(image, matrix, FACE_CROP_PX) for matrix in matrices.values()])
    answers = np.asarray(reader(crops), float)
    return {
        track_id: _read(reader, answer, matrix)
        for (track_id, matrix), answer in zip(matrices.items(), answers, strict=True)
    }


def _read(reader: ExpressionReader, answer: np.ndarray, matrix: np.ndarray) -> ExpressionRead:
    count = len(reader.names)
    vector, turn_deviations = answer[2 * count : 2 * count + 3], answer[2 * count + 3 :]
    return ExpressionRead(
        reader.names, answer[:count], answer[count : 2 * count],
        rotation_of(vector), turn_deviations, matrix, reader.usual,
    )  # fmt: skip
