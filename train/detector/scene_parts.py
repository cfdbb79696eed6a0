"""Hands for composing: a canvas with its labels, pasting, and what covers faces."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from tracker.types import Image

from .face_labels import Labels, Regions, moved_regions, no_labels, transformed

_UNIT_PX, _UNIT_REACH = 128, 1.6
"""Masks are drawn in the head's frame, from -1.6 to 1.6 sides of the face."""


@dataclass
class ComposedScene:
    """A picture under construction."""

    image: Image
    labels: Labels = field(default_factory=no_labels)
    ignored: Regions = field(default_factory=lambda: np.zeros((0, 3), np.float32))

    def add(self, labels: Labels, ignored: Regions) -> None:
        """Faces and doubtful squares, already in its pixels."""
        self.labels = np.concatenate([self.labels, labels])
        self.ignored = np.concatenate([self.ignored, ignored])


@dataclass(frozen=True, slots=True)
class Patch:
    """A picture and its labels that go into a scene."""

    image: Image
    labels: Labels
    ignored: Regions


def warped(
    image: Image,
    matrix: Float[np.ndarray, "2 3"],
    size: tuple[int, int],
    border: int = cv2.BORDER_REPLICATE,
) -> Image:
    """The picture under a similarity, averaged where it gets smaller.

    Args:
        image: The picture.
        matrix: From its pixels to the result's.
        size: Width and height of the result.
        border: What lies outside, as OpenCV names it.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    factor = int(1 / max(scale, 1e-3))
    if factor >= 2:
        height, width = image.shape[:2]
        small = (max(width // factor, 1), max(height // factor, 1))
        trimmed = image[: small[1] * factor, : small[0] * factor]
        if min(trimmed.shape[:2]) > 0:
            image = cv2.resize(trimmed, small, interpolation=cv2.INTER_AREA)
            matrix = matrix.copy()
            matrix[:, 2] += matrix[:, :2].sum(1) * (factor - 1) / 2
            matrix[:, :2] *= factor
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)


def place(
    scene: ComposedScene, patch: Patch, matrix: Float[np.ndarray, "2 3"], border: int
) -> None:
    """Fill the whole scene with a picture."""
    height, width = scene.image.shape[:2]
    scene.image = warped(patch.image, matrix, (width, height), border)
    scene.add(transformed(patch.labels, matrix), moved_regions(patch.ignored, matrix))


def paste(
    scene: ComposedScene,
    image: Image,
    matrix: Float[np.ndarray, "2 3"],
    mask: UInt8[np.ndarray, "unit unit"],
    unit: tuple[float, float, float, float],
) -> None:
    """Blend a picture into the scene under a mask; labels are the caller's business.

    Args:
        scene: Changed in place.
        image: The picture.
        matrix: From its pixels to the scene's.
        mask: Of `random_mask`.
        unit: Centre x and y, side and roll (degrees, counter-clockwise) of the mask in the scene.
    """
    center_x, center_y, side, roll_deg = unit
    reach = _UNIT_REACH * side * 1.42
    height, width = scene.image.shape[:2]
    x0, x1 = max(int(center_x - reach), 0), min(int(center_x + reach) + 1, width)
    y0, y1 = max(int(center_y - reach), 0), min(int(center_y + reach) + 1, height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    size, shift = (x1 - x0, y1 - y0), np.array([x0, y0])
    here = matrix.copy()
    here[:, 2] -= shift
    angle, scale = np.radians(roll_deg), side * 2 * _UNIT_REACH / _UNIT_PX
    linear = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.full(2, (_UNIT_PX - 1) / 2)
    offset = np.array([center_x, center_y]) - shift - linear @ middle
    from_mask = np.concatenate([linear, offset[:, None]], 1)
    alpha = cv2.warpAffine(mask, from_mask, size, flags=cv2.INTER_LINEAR)
    inside = np.full(image.shape[:2], 255, np.uint8)
    rim = max(round(0.03 * side / max(np.hypot(matrix[0, 0], matrix[1, 0]), 1e-3)), 1)
    inside[:rim], inside[-rim:], inside[:, :rim], inside[:, -rim:] = 0, 0, 0, 0
    alpha = np.minimum(alpha, warped(inside, here, size, cv2.BORDER_CONSTANT))
    region = scene.image[y0:y1, x0:x1]
    share = alpha[..., None].astype(np.uint16)
    pixels = warped(image, here, size).astype(np.uint16)
    region[:] = (pixels * share + region.astype(np.uint16) * (255 - share)) // 255


def random_mask(rng: np.random.Generator) -> UInt8[np.ndarray, "unit unit"]:
    """Which part of a pasted picture shows: a head, a head with shoulders, or a soft rectangle."""
    mask = np.zeros((_UNIT_PX, _UNIT_PX), np.uint8)
    unit = _UNIT_PX / (2 * _UNIT_REACH)
    middle = _UNIT_PX / 2
    kind = rng.integers(4)
    if kind <= 1:
        axes = (rng.uniform(0.55, 0.9) * unit, rng.uniform(0.75, 1.1) * unit)
        center = (round(middle), round(middle - rng.uniform(0.05, 0.25) * unit))
        cv2.ellipse(mask, center, (round(axes[0]), round(axes[1])), 0, 0, 360, (255,), -1)
        if kind == 1:
            top, half = middle + 0.3 * unit, rng.uniform(0.3, 0.5) * unit
            hip = rng.uniform(0.9, 1.6) * unit
            corners = [[middle - half, top], [middle + half, top],
                       [middle + hip, _UNIT_PX], [middle - hip, _UNIT_PX]]  # fmt: skip
            cv2.fillPoly(mask, [np.array(corners, np.int32)], (255,))
    else:
        low = middle - rng.uniform(0.6, 1.5, 2) * unit
        high = middle + rng.uniform(0.6, 1.5, 2) * unit
        mask[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])] = 255
    feather = rng.uniform(0, 0.15) if rng.random() < 0.8 else 0.0
    if feather > 0.02:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), feather * unit), np.uint8)
    return mask


def cover(scene: ComposedScene, label: Float[np.ndarray, "9"], rng: np.random.Generator) -> None:
    """Something in front of a part of a face: a bar, a disc, a corner, a hand or a fence."""
    height, width = scene.image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    kind = rng.random()
    if kind < 0.3:
        _draw_hand(mask, label, rng)
    elif kind < 0.4:
        _draw_fence(mask, label, rng)
    else:
        _draw_edge(mask, label, rng)
    side = float(label[2])
    surface = rng.random()
    if surface < 0.35:
        colour = rng.integers(0, 256, 3)
        scene.image[mask > 0] = colour
    elif surface < 0.6:  # of the face's own colour, as a hand, an arm or a beard
        column = min(max(round(float(label[0])), 0), width - 1)
        row = min(max(round(float(label[1])), 0), height - 1)
        skin = scene.image[row, column] * np.exp(rng.normal(0, 0.25))
        scene.image[mask > 0] = np.clip(skin, 0, 255).astype(np.uint8)
    else:  # another part of the scene, which is as bright and as sharp as the rest
        shift = (int(rng.integers(height)), int(rng.integers(width)))
        other = np.roll(scene.image, shift, (0, 1))
        if rng.random() < 0.5:
            grain_px = max(round(side * 0.4), 1)
            other = cv2.blur(other, (grain_px, grain_px))
        scene.image[mask > 0] = other[mask > 0]


def _draw_edge(mask: np.ndarray, label: Float[np.ndarray, "9"], rng: np.random.Generator) -> None:
    """A disc or a bar that reaches in from outside by up to 0.45 sides."""
    side, angle = float(label[2]), rng.uniform(0, 2 * np.pi)
    reach = side * (1.0 - rng.uniform(0.1, 0.45))
    center = label[:2] + reach * np.array([np.cos(angle), np.sin(angle)])
    if rng.random() < 0.5:
        cv2.circle(mask, _pixel(center), max(round(0.5 * side), 1), (255,), -1)
        return
    box = cv2.boxPoints(
        ((float(center[0]), float(center[1])), (side, side * rng.uniform(0.6, 2.0)),
         float(np.degrees(angle)))
    )  # fmt: skip
    cv2.fillPoly(mask, [box.astype(np.int32)], (255,))


def _draw_hand(mask: np.ndarray, label: Float[np.ndarray, "9"], rng: np.random.Generator) -> None:
    """A fist or a palm with fingers, most often at mouth and chin."""
    side = float(label[2])
    mouth, eyes = label[7:9], (label[3:5] + label[5:7]) / 2
    place = mouth if rng.random() < 0.7 else label[:2]
    center = place + rng.normal(0, 0.15 * side, 2) + rng.uniform(0, 0.35) * (mouth - eyes)
    size = side * rng.uniform(0.12, 0.24)
    cv2.circle(mask, _pixel(center), max(round(size), 1), (255,), -1)
    angle = rng.uniform(0, 2 * np.pi)
    for finger in range(int(rng.integers(6))):
        turn = angle + 0.35 * finger
        tip = center + size * rng.uniform(1.2, 2.2) * np.array([np.cos(turn), np.sin(turn)])
        cv2.line(mask, _pixel(center), _pixel(tip), (255,), max(round(0.45 * size), 1))


def _draw_fence(mask: np.ndarray, label: Float[np.ndarray, "9"], rng: np.random.Generator) -> None:
    """One to three thin bars across the face: a fence, a cable, a microphone's stand."""
    side, angle = float(label[2]), rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    for _ in range(int(rng.integers(1, 4))):
        middle = label[:2] + across * rng.uniform(-0.5, 0.5) * side
        ends = _pixel(middle - along * side), _pixel(middle + along * side)
        cv2.line(mask, *ends, (255,), max(round(rng.uniform(0.03, 0.12) * side), 1))


def _pixel(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
