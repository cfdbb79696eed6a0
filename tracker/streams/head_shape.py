"""A coarse head in millimetres: how deep each of the 68 landmarks lies, where nobody measured it.

Drawn by hand after common measures of adult heads, symmetric; good for depths to about a
centimetre, and for nothing else.
"""

import numpy as np
from jaxtyping import Float

from ..layouts import IBUG_68
from .frames_of_reference import Rotation

_RIGHT_HALF = (
    (0, -70, 6, 72), (1, -69, 24, 71), (2, -66, 42, 69), (3, -61, 59, 64), (4, -53, 74, 55),
    (5, -43, 87, 42), (6, -30, 97, 27), (7, -15, 104, 13), (8, 0, 107, 5),
    (17, -56, -14, 8), (18, -48, -23, 0), (19, -38, -26, -7), (20, -27, -24, -12),
    (21, -16, -19, -15), (27, 0, -1, -16), (28, 0, 12, -24), (29, 0, 24, -32), (30, 0, 37, -39),
    (31, -14, 45, -19), (32, -8, 48, -24), (33, 0, 50, -27), (36, -45, 0, 0), (37, -37, -5, -6),
    (38, -27, -5, -8), (39, -18, 1, -5), (40, -27, 4, -7), (41, -37, 4, -5), (48, -25, 70, -9),
    (49, -16, 65, -18), (50, -7, 63, -23), (51, 0, 64, -25), (57, 0, 82, -20), (58, -8, 81, -18),
    (59, -17, 77, -14), (60, -22, 70, -11), (61, -8, 68, -20), (62, 0, 69, -22), (66, 0, 72, -20),
    (67, -8, 71, -18),
)  # fmt: skip
"""Index of the landmark; x to the person's left, y down, z into the head, from the point midway
between the eyes' outer corners."""
NOSE_TIP = 30


def _whole_head() -> Float[np.ndarray, "landmarks=68 xyz=3"]:
    shape = np.zeros((IBUG_68.count, 3))
    for index, *place in _RIGHT_HALF:
        shape[index] = place
        mirrored = int(IBUG_68.mirror[index])
        if mirrored != index:
            shape[mirrored] = place * np.array([-1, 1, 1])
    return shape


HEAD_MM = _whole_head()


def raised_mm(
    points: Float[np.ndarray, "landmarks=68 xy=2"], rotation: Rotation
) -> Float[np.ndarray, "landmarks=68 xyz=3"]:
    """Landmarks of a picture in the frame of their head: across the view as seen, as deep as here.

    Args:
        points: Frame pixels.
        rotation: From the head's frame to the camera's.
    """
    turned = HEAD_MM @ rotation.T
    seen, expected = points - points.mean(0), turned[:, :2] - turned[:, :2].mean(0)
    px_per_mm = np.sqrt(np.square(seen).sum() / np.square(expected).sum())
    turned[:, :2] += seen / max(px_per_mm, 1e-9) - expected
    return turned @ rotation
