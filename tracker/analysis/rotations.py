"""Rotations: vectors of small ones, and the angles that others print."""

import math

import numpy as np
from jaxtyping import Float

Rotation = Float[np.ndarray, "3 3"]


def rotation_of(vector: Float[np.ndarray, "3"]) -> Rotation:
    """The rotation about a vector by its length, radians.

    Source:
        Rodrigues: I + sin(a) K + (1 - cos(a)) K K.
    """
    x, y, z = vector.tolist()
    angle = math.sqrt(x * x + y * y + z * z)
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = x / angle, y / angle, z / angle
    sine, cosine = math.sin(angle), math.cos(angle)
    rest = 1 - cosine
    return np.array(
        [
            [cosine + rest * x * x, rest * x * y - sine * z, rest * x * z + sine * y],
            [rest * x * y + sine * z, cosine + rest * y * y, rest * y * z - sine * x],
            [rest * x * z - sine * y, rest * y * z + sine * x, cosine + rest * z * z],
        ]
    )


def openface_angles(rotation: Rotation) -> Float[np.ndarray, "3"]:
    """`pose_Rx, pose_Ry, pose_Rz` in radians: the rotation is Rx Ry Rz.

    In the camera's frame (x right, y down, z away) a positive Rx looks down, a positive Ry turns to
    the left of the picture, a positive Rz tilts clockwise as seen.
    """
    return np.array(
        [
            np.arctan2(-rotation[1, 2], rotation[2, 2]),
            np.arcsin(np.clip(rotation[0, 2], -1, 1)),
            np.arctan2(-rotation[0, 1], rotation[0, 0]),
        ]
    )


def yaw_pitch_roll_deg(rotation: Rotation) -> Float[np.ndarray, "3"]:
    """Degrees: yaw to the right of the picture, pitch down, roll counter-clockwise as seen.

    The head is turned first about its own neck, then nods, then tilts in the picture.
    """
    # R = Rz(-roll) Rx(pitch) Ry(-yaw)
    return np.degrees(
        [
            np.arctan2(rotation[2, 0], rotation[2, 2]),
            np.arcsin(np.clip(rotation[2, 1], -1, 1)),
            -np.arctan2(-rotation[0, 1], rotation[1, 1]),
        ]
    )


def angle_slopes(rotation: Rotation) -> Float[np.ndarray, "angles=3 axes=3"]:
    """How `openface_angles` change with a small rotation about the camera's axes.

    Near a quarter turn to the side two of them say the same, and change without bound: there the
    slopes are those of 89 degrees.
    """
    # of R = Rx Ry Rz a rotation about the camera's axes is w = dx x + Rx (dy y + Ry dz z)
    about_x, about_y, _ = openface_angles(rotation)
    limit = np.radians(89.0)
    about_y = float(np.clip(about_y, -limit, limit))
    axes = np.array(
        [
            [1, 0, np.sin(about_y)],
            [0, np.cos(about_x), -np.sin(about_x) * np.cos(about_y)],
            [0, np.sin(about_x), np.cos(about_x) * np.cos(about_y)],
        ]
    )
    return np.asarray(np.linalg.inv(axes))
