"""What makes a face hard, done to an easy one: cut by the border, shadowed, covered, shouting.

What changes the picture takes and returns the picture with its annotation; what only changes
colours takes and returns the crop.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from tracker.crop import crop_from_square, transform, warp_crop
from tracker.layouts import Layout

from .datasets import Sample
from .synthetic.face import PhotographedFace
from .synthetic.mouth import mouth

Picture = UInt8[np.ndarray, "height width rgb=3"]
Crop = UInt8[np.ndarray, "size size rgb=3"]
Donor = Callable[[], Picture]
"""Reads another picture."""

_CUT = (0.05, 0.4)
"""Share of the landmarks' box that the border cuts off."""
_LEAST_SIDE_PX = 16
_MOUTH_FACE_PX = 128
"""Side of the landmarks' box at which a mouth is opened: no larger than the network sees."""
_MOUTH_AROUND = 2.2
"""Side of the picture with an opened mouth over the side of the landmarks' box."""
_SHADE = (0.08, 0.6)
"""Brightness in the shadow over that outside it."""
_SHADOW_EDGE = (0.02, 0.2)
"""Width of the shadow's edge in crop sides."""
_COVER = (0.1, 0.35)
"""Radius of what covers a face, in crop sides."""


def cut_by_border(
    picture: Picture, sample: Sample, rng: np.random.Generator
) -> tuple[Picture, Sample]:
    """Let one border of the picture run through the face; landmarks beyond it keep their places.

    Args:
        picture: Not changed.
        sample: Annotated on it.
        rng: Random numbers.

    Returns:
        The rest of the picture, and the annotation in its pixels.
    """
    low, high = sample.points.min(0), sample.points.max(0)
    share, axis, far = rng.uniform(*_CUT), int(rng.integers(2)), bool(rng.integers(2))
    depth = share * float((high - low)[axis])
    first, last = np.zeros(2, int), np.array(picture.shape[1::-1])
    if far:
        last[axis] = min(last[axis], round(float(high[axis]) - depth) + 1)
    else:
        first[axis] = max(0, round(float(low[axis]) + depth))
    if (last - first).min() < _LEAST_SIDE_PX:
        return picture, sample
    cut = np.ascontiguousarray(picture[first[1] : last[1], first[0] : last[0]])
    square = sample.named_square
    if square is not None:
        square = square[0] - float(first[0]), square[1] - float(first[1]), square[2]
    points = (sample.points - first).astype(sample.points.dtype)
    return cut, replace(sample, points=points, named_square=square)


def open_mouth(
    picture: Picture, sample: Sample, layout: Layout, amount: float
) -> tuple[Picture, Sample]:
    """Lower the lower lip, jaw and chin by `amount` of 0.27 eye distances, 0 to 1.

    The picture comes back cut around the face and no larger than the network needs it. A mouth
    that is seen so much from the side that its lip folds over stays as it is, and so does a layout
    without lips.

    Args:
        picture: Not changed.
        sample: Annotated on it.
        layout: Of its landmarks.
        amount: 0 leaves the mouth as it is.

    Returns:
        The new picture, and the annotation in its pixels.
    """
    names = {outline.name for outline in layout.outlines}
    if sample.named_square is not None or "inner lip" not in names:
        return picture, sample
    center_x, center_y, side = sample.square(1.0)
    size = min(round(side), _MOUTH_FACE_PX)
    if size < _LEAST_SIDE_PX:
        return picture, sample
    around = round(_MOUTH_AROUND * size)
    matrix = crop_from_square(center_x, center_y, side * around / size, around)
    cut, points = warp_crop(picture, matrix, around), transform(matrix, sample.points)
    border = around
    padded = cv2.copyMakeBorder(cut, border, border, border, border, cv2.BORDER_REPLICATE)
    try:
        opening = mouth(PhotographedFace(padded, points + border, layout))
    except ValueError:  # the lip's landmarks do not follow each other from corner to corner
        return picture, sample
    if (opening.corners < 0).any() or (opening.corners >= len(padded)).any():
        return picture, sample
    opening.apply_once(padded, amount)
    moved = (points + amount * opening.moves).astype(np.float32)
    first_pixel = sample.first_pixel * size / side
    opened = np.ascontiguousarray(padded[border:-border, border:-border])
    return opened, replace(sample, points=moved, first_pixel=first_pixel)


def cast_shadow(
    crop: Crop, points: Float[np.ndarray, "landmarks xy=2"], rng: np.random.Generator
) -> Crop:
    """Darken one side of a soft straight edge through the face; half the time what lies below.

    Args:
        crop: Not changed.
        points: Landmarks in crop pixels.
        rng: Random numbers.
    """
    size = len(crop)
    middle, extent = points.mean(0), points.max(0) - points.min(0)
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.5:
        angle = rng.normal(np.pi / 2, 0.3)
    toward = np.array([np.cos(angle), np.sin(angle)])
    start = middle @ toward + rng.uniform(-0.3, 0.4) * extent.mean()
    rows, columns = np.indices((size, size), dtype=np.float32)
    toward_x, toward_y = toward.astype(np.float32)
    beyond = columns * toward_x + rows * toward_y - np.float32(start)
    steepness = np.float32(1 / (size * rng.uniform(*_SHADOW_EDGE)))
    dark = 1 / (1 + np.exp(-np.clip(steepness * beyond, -30, 30)))
    light = 1 - np.float32(1 - rng.uniform(*_SHADE)) * dark
    return np.round(crop * light[..., None]).astype(np.uint8)


def cover_with(crop: Crop, donor: Donor, rng: np.random.Generator) -> Crop:
    """Put a blob out of another picture before the face: a hand, a cup, hair.

    Args:
        crop: Not changed.
        donor: Reads the other picture.
        rng: Random numbers.

    Raises:
        DataError: If the other picture cannot be read.
    """
    size, other = len(crop), donor()
    radius = size * rng.uniform(*_COVER)
    center = rng.uniform(0, size, 2)
    angles = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    stretch, turn = rng.uniform(0.4, 1), rng.uniform(0, np.pi)
    reach = radius * rng.uniform(0.6, 1.2, len(angles))
    outline = np.stack([np.cos(angles), stretch * np.sin(angles)], -1) * reach[:, None]
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners = np.round((outline @ rotation.T + center) * 16).astype(np.int32)
    mask = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [corners], (1.0,), cv2.LINE_8, 4)
    soft = cv2.GaussianBlur(mask, (0, 0), max(radius * rng.uniform(0.03, 0.12), 0.4))[..., None]
    texture = _part_of(other, size, rng).astype(np.float32)
    return np.round(crop + soft * (texture - crop)).astype(np.uint8)


def _part_of(picture: Picture, size: int, rng: np.random.Generator) -> Crop:
    side = max(int(min(picture.shape[:2]) * rng.uniform(0.3, 1.0)), 1)
    y, x = (int(rng.integers(0, length - side + 1)) for length in picture.shape[:2])
    return cv2.resize(picture[y : y + side, x : x + side], (size, size))


def shrink_face(crop: Crop, rng: np.random.Generator) -> Crop:
    """Show the face as if it had been 15 to 40 pixels of a picture wide."""
    small = max(round(rng.uniform(18, 48)), 2)
    if small >= len(crop):
        return crop
    reduced = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    how = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    return cv2.resize(reduced, crop.shape[1::-1], interpolation=how)
