"""The crop of a whole face for the network of expressions: upright, eyes and mouth in place.

It follows the eyes' corners, the base of the nose and the mouth's corners by the similarity of
least squares, so that no single landmark's error moves it far.
"""

import math

import numpy as np
from jaxtyping import Float

from .pinhole import PinholeCamera
from .rotations import Rotation

FACE_CROP_PX = 64
"""Side of the crop."""
ALIGNED_BY = (36, 39, 42, 45, 33, 48, 54)
"""Of the 68 landmarks: corners of the right and of the left eye, base of the nose, mouth."""
_MM_PER_PX, _MIDDLE_MM = 3.0, 45.0
"""The crop's middle lies so far below the eyes of a face that looks into the camera."""
_PLACES_MM = np.array(
    [[-45.0, 0.0], [-17.0, 1.0], [17.0, 1.0], [45.0, 0.0], [0.0, 43.0], [-26.0, 68.0], [26.0, 68.0]]
)
_PLACES_PX = (_PLACES_MM - (0.0, _MIDDLE_MM)) / _MM_PER_PX + (FACE_CROP_PX - 1) / 2
_AS_COMPLEX = np.array([1, 1j])
_MIDDLE = complex(_PLACES_PX.mean(0) @ _AS_COMPLEX)
_PLACES = _PLACES_PX @ _AS_COMPLEX - _MIDDLE
_LEAST_SQUARE = 1e-9

AlignedBy = Float[np.ndarray, "points=7 xy=2"]
"""Where the points of `ALIGNED_BY` lie, frame pixels."""


def face_crop_from_frame(points: AlignedBy) -> Float[np.ndarray, "3 3"]:
    """The matrix that takes frame pixels to crop pixels: a similarity without mirror."""
    here = points @ _AS_COMPLEX
    middle = complex(here.sum()) / len(here)
    here -= middle
    turn = complex(np.vdot(here, _PLACES)) / max(np.vdot(here, here).real, _LEAST_SQUARE)
    place = _MIDDLE - turn * middle
    return np.array(
        [
            [turn.real, -turn.imag, place.real],
            [turn.imag, turn.real, place.imag],
            [0.0, 0.0, 1.0],
        ]
    )


def crop_camera_from_frame(matrix: Float[np.ndarray, "3 3"], camera: PinholeCamera) -> Rotation:
    """The rotation from the camera's frame to that of a camera that looks at the crop's middle.

    A face turns by it as it is seen in the crop: beside the optical axis a lens shows another side.

    Args:
        matrix: From frame pixels to crop pixels.
        camera: Of the frame.
    """
    (a, b, right), (c, d, down) = matrix[:2].tolist()
    area = max(a * d - b * c, _LEAST_SQUARE)
    right, down = (FACE_CROP_PX - 1) / 2 - right, (FACE_CROP_PX - 1) / 2 - down
    x = (d * right - b * down) / area - camera.center[0]
    y = (a * down - c * right) / area - camera.center[1]
    length = math.hypot(x, y, camera.focal_px)
    x, y, z = x / length, y / length, camera.focal_px / length
    # the least rotation that brings the ray onto the axis
    share = 1 / (1 + z)
    towards = np.array(
        [
            [1 - x * x * share, -x * y * share, -x],
            [-x * y * share, 1 - y * y * share, -y],
            [x, y, z],
        ]
    )
    upright = np.eye(3)
    upright[:2, :2] = matrix[:2, :2] / math.sqrt(area)
    return np.asarray(upright @ towards)
