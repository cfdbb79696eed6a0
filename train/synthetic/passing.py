"""What comes between a face and the camera: somebody else, or a hand."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from tracker.layouts import Layout
from tracker.types import Image, Points

from .face import PhotographedFace
from .motion import Motion, Pose

Matte = UInt8[np.ndarray, "height width"]

HAND_EYE_PX = 100.0
"""Inter-ocular distance of the face that the drawn hand belongs to."""
HAND_CENTER = np.array([180.0, 190.0])
"""The middle of the hand on its picture."""


def head_matte(picture: Image, points: Points, layout: Layout) -> Matte:
    """Head and shoulders about the landmarks of a face: opaque, with a soft edge."""
    right, left = points[list(layout.eye_corners)]
    across = (left - right) / np.linalg.norm(left - right)
    down = np.array([-across[1], across[0]])
    eyes = (right + left) / 2
    width, height = np.ptp(points @ across), (points @ down).max() - eyes @ down
    center = (points @ across).min() + width / 2
    middle = eyes + (center - eyes @ across) * across - 0.05 * height * down
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    matte = np.zeros(picture.shape[:2], np.uint8)
    axes = (1.22 * float(width), 2.3 * float(height))
    cv2.ellipse(matte, (tuple(middle.tolist()), axes, angle), (255,), -1)
    outline = np.array([[0.42, 0.5], [0.85, 1.8], [1.6, 8], [-1.6, 8], [-0.85, 1.8], [-0.42, 0.5]])
    shoulders = middle + outline * [width, height] @ np.array([across, down])
    cv2.fillPoly(matte, [np.round(shoulders).astype(np.int32)], (255,))
    return cv2.GaussianBlur(matte, (0, 0), 0.02 * float(width))


def crossing(rng: np.random.Generator, seconds: float) -> Motion:
    """From beyond one side to beyond the other at a constant velocity."""
    side, reach = (1 if rng.random() < 0.5 else -1), 4.6
    height, scale = rng.uniform(-0.2, 0.2), rng.uniform(1.05, 1.2)
    return lambda time_s: Pose(side * reach * (1 - 2 * time_s / seconds), height, scale)


def hand_motion(rng: np.random.Generator, seconds: float) -> Motion:
    """Up over part of the face, a second there, and away again; every four seconds."""
    count = int(np.ceil(seconds / 4)) + 1
    times = (np.array([0.0, 0.9, 1.5, 2.5, 3.1]) + 4 * np.arange(count)[:, None]).ravel()
    over = rng.uniform([-0.35, -0.1], [0.35, 1.3], (count, 2))
    away = over + np.array([rng.choice([-1.2, 1.2]), 5.0])
    places = np.stack([away, away, over, over, away], 1).reshape(-1, 2)
    tip = rng.uniform(-0.3, 0.3)

    def at(time_s: float) -> Pose:
        x, y = (float(np.interp(time_s, times, places[:, axis])) for axis in (0, 1))
        return Pose(x, y, 1.0, tip)

    return at


def draw_hand(face: PhotographedFace, arm: float, rng: np.random.Generator) -> tuple[Image, Matte]:
    """The back of a hand in the colour of the face, with an arm of so many eye distances."""
    shape, height = _hand_shape(arm, rng)
    slope = cv2.Sobel(cv2.GaussianBlur(height, (0, 0), 3), cv2.CV_32F, 1, 0, ksize=3)
    grain = rng.standard_normal(shape.shape, dtype=np.float32)
    grain = 2 * cv2.GaussianBlur(grain, (0, 0), 2) + 12 * cv2.GaussianBlur(grain, (0, 0), 12)
    light = 0.72 + 0.26 * height + 0.6 * slope + 0.05 * grain
    picture = np.clip(light[..., None] * _skin(face), 0, 255).astype(np.uint8)
    return picture, cv2.GaussianBlur(shape, (0, 0), 1.2)


def _hand_shape(
    arm: float, rng: np.random.Generator
) -> tuple[Matte, Float[np.ndarray, "height width"]]:
    """Outline and roundness: 0 at the edge of each finger, 1 on its back."""
    middle, size = round(HAND_CENTER[0]), (round(HAND_CENTER[1] + arm * HAND_EYE_PX), 360)
    fingers = [(-60, 100, 30), (-21, 62, 33), (20, 56, 33), (58, 86, 30)]
    ends = [((middle + x * 1.25 + rng.uniform(-5, 5), y), (middle + x, 250)) for x, y, _ in fingers]
    widths = [width for _, _, width in fingers]
    ends += [((middle - 128, 200), (middle - 60, 300)), ((middle + 6, 330), (middle + 6, size[0]))]
    widths += [36, 104]
    parts = [np.zeros(size, np.uint8) for _ in range(len(ends) + 1)]
    for part, (start, end), width in zip(parts, ends, widths, strict=False):
        cv2.line(part, (round(start[0]), start[1]), (round(end[0]), end[1]), (255,), width)
    cv2.ellipse(parts[-1], (middle, 275), (80, 82), 0, 0, 360, (255,), -1)
    depths = [np.minimum(cv2.distanceTransform(part, cv2.DIST_L2, 5) / 15, 1) for part in parts]
    height = cv2.GaussianBlur(np.sin(np.pi / 2 * np.max(depths, 0)), (0, 0), 2)
    return np.max(parts, 0), height.astype(np.float32)


def _skin(face: PhotographedFace) -> np.ndarray:
    """Median colour of the face, an RGB triple."""
    hull = cv2.convexHull(np.round(face.points).astype(np.int32))
    inside = cv2.fillConvexPoly(np.zeros(face.image.shape[:2], np.uint8), hull, (1,)) > 0
    return np.median(face.image[inside], axis=0)
