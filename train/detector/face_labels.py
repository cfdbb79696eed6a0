"""What a face is to the detector: a square turned with the head, the eyes and the mouth.

A label is a row of nine numbers in picture pixels: centre x and y, side, then x and y of the
person's right eye, left eye and the middle between the mouth's corners. The square is the smallest
around the 68 landmarks in the head's own upright frame, whose y axis points from the middle between
the eyes to the mouth.
"""

import numpy as np
from jaxtyping import Float

COLUMNS = 9
Labels = Float[np.ndarray, "faces 9"]
Regions = Float[np.ndarray, "regions 3"]
"""Centre x, centre y and side of squares."""

_RIGHT_EYE, _LEFT_EYE, _MOUTH_CORNERS = slice(36, 42), slice(42, 48), [48, 54]
_YUNET_SIDE, _YUNET_DOWN = 0.904, 0.144
"""The landmarks' square against YuNet's box, in units of the root of the box's area: its side, and
how far down the head its centre lies; medians over 400 faces of the training part of 300W."""


def no_labels() -> Labels:
    """No face."""
    return np.zeros((0, COLUMNS), np.float32)


def label_of_landmarks(points: Float[np.ndarray, "68 xy=2"]) -> Float[np.ndarray, "9"]:
    """The label of one face from its 68 landmarks (300W layout)."""
    right, left = points[_RIGHT_EYE].mean(0), points[_LEFT_EYE].mean(0)
    mouth = points[_MOUTH_CORNERS].mean(0)
    upright = _head_axes((right + left) / 2, mouth)
    turned = points @ upright.T
    low, high = turned.min(0), turned.max(0)
    center = (low + high) / 2 @ upright
    return np.concatenate([center, [(high - low).max()], right, left, mouth]).astype(np.float32)


def label_of_yunet(found: Float[np.ndarray, "15"]) -> Float[np.ndarray, "9"]:
    """The label of one row of YuNet: box (x, y, width, height), five points, score."""
    right, left, _, mouth_right, mouth_left = found[4:14].reshape(5, 2)
    mouth = (mouth_right + mouth_left) / 2
    down = _head_axes((right + left) / 2, mouth)[1]
    size = float(np.sqrt(max(found[2], 1) * max(found[3], 1)))
    center = found[:2] + found[2:4] / 2 + _YUNET_DOWN * size * down
    return np.concatenate([center, [_YUNET_SIDE * size], right, left, mouth]).astype(np.float32)


def roll_of(label: Float[np.ndarray, "9"]) -> float:
    """Roll in degrees, counter-clockwise as seen in the picture; 0 is upright."""
    right, left, mouth = label[3:].reshape(3, 2)
    x, y = mouth - (right + left) / 2
    return float(np.degrees(np.arctan2(x, y)))


def transformed(labels: Labels, matrix: Float[np.ndarray, "2 3"]) -> Labels:
    """Labels after a similarity without a reflection.

    Args:
        labels: In the pixels that the matrix takes.
        matrix: Rotation times scale, and the shift.
    """
    moved = labels.copy()
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    for x in (0, 3, 5, 7):
        moved[:, x : x + 2] = labels[:, x : x + 2] @ matrix[:, :2].T + matrix[:, 2]
    moved[:, 2] = labels[:, 2] * scale
    return moved.astype(np.float32)


def moved_regions(regions: Regions, matrix: Float[np.ndarray, "2 3"]) -> Regions:
    """Squares after the same; they stay upright, for they only say 'somewhere here'."""
    moved = regions.copy()
    moved[:, :2] = regions[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    moved[:, 2] = regions[:, 2] * float(np.hypot(matrix[0, 0], matrix[1, 0]))
    return moved.astype(np.float32)


def mirrored(labels: Labels, width_px: int) -> Labels:
    """Labels in the mirrored picture: the person's right eye is what was the left one."""
    flipped = labels.copy()
    flipped[:, 0] = width_px - 1 - labels[:, 0]
    for new, old in ((3, 5), (5, 3), (7, 7)):
        flipped[:, new] = width_px - 1 - labels[:, old]
        flipped[:, new + 1] = labels[:, old + 1]
    return flipped


def similarity(
    scale: float, roll_deg: float, source: tuple[float, float], target: tuple[float, float]
) -> Float[np.ndarray, "2 3"]:
    """The matrix that turns counter-clockwise as seen, scales, and takes source to target."""
    angle = np.radians(roll_deg)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]])
    shift = np.asarray(target) - linear @ np.asarray(source)
    return np.concatenate([linear, shift[:, None]], 1)


def _head_axes(
    eyes: Float[np.ndarray, " xy=2"], mouth: Float[np.ndarray, " xy=2"]
) -> Float[np.ndarray, "axes=2 xy=2"]:
    """Unit vectors to the right and down of an upright head, as rows."""
    down = (mouth - eyes) / max(float(np.linalg.norm(mouth - eyes)), 1e-6)
    return np.stack([[down[1], -down[0]], down])
