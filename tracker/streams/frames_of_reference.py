"""Rotations of a head as receivers want them: quaternions, and Unity's frame."""

import numpy as np
from jaxtyping import Float

from ..analysis.rotations import Rotation

Quaternion = Float[np.ndarray, "xyzw=4"]


def quaternion_of(rotation: Rotation) -> Quaternion:
    """Unit quaternion (x, y, z, w) of a rotation, w at least 0.

    Source:
        Shepperd 1978: the largest of the four is found first, so nothing is divided by next to 0.
    """
    trace = np.trace(rotation)
    squares = np.array([*(1 + 2 * np.diag(rotation) - trace), 1 + trace]) / 4
    products = np.array([
        [squares[0], *((rotation[0, 1:] + rotation[1:, 0]) / 4), _skew(rotation, 2, 1)],
        [(rotation[0, 1] + rotation[1, 0]) / 4, squares[1],
         (rotation[1, 2] + rotation[2, 1]) / 4, _skew(rotation, 0, 2)],
        [*((rotation[2, :2] + rotation[:2, 2]) / 4), squares[2], _skew(rotation, 1, 0)],
        [_skew(rotation, 2, 1), _skew(rotation, 0, 2), _skew(rotation, 1, 0), squares[3]],
    ])  # fmt: skip
    largest = int(np.argmax(squares))
    quaternion = products[largest] / np.sqrt(squares[largest])
    quaternion /= np.linalg.norm(quaternion)
    return quaternion if quaternion[3] >= 0 else -quaternion


def _skew(rotation: Rotation, row: int, column: int) -> float:
    return float(rotation[row, column] - rotation[column, row]) / 4


def unity_quaternion(rotation: Rotation) -> Quaternion:
    """The same rotation of an avatar in Unity: x to its right, y up, z out of its face.

    Each axis is the opposite one of the camera's, and -I R -I = R, so the numbers stay.
    """
    return quaternion_of(rotation)


def shared_out(rotation: Quaternion, share: float) -> tuple[Quaternion, Quaternion]:
    """Two rotations about the same axis, whose product is the given one; the first has `share`."""
    axis, w = rotation[:3], float(rotation[3])
    length = float(np.linalg.norm(axis))
    half_angle = float(np.arctan2(length, w))
    unit = axis / length if length > 0 else np.zeros(3)

    def about(angle: float) -> Quaternion:
        return np.array([*(np.sin(angle) * unit), np.cos(angle)])

    return about(share * half_angle), about((1 - share) * half_angle)


def turning_to(direction: Float[np.ndarray, "3"]) -> Quaternion:
    """The smallest rotation that turns an avatar's eye from straight ahead, +z, to a direction."""
    x, y, z = direction / np.linalg.norm(direction)
    quaternion = np.array([-y, x, 0.0, 1.0 + z])  # z x direction, and 1 + their cosine
    length = np.linalg.norm(quaternion)
    return quaternion / length if length > 1e-6 else np.array([0.0, 1.0, 0.0, 0.0])
