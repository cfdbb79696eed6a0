"""Irises drawn into rendered heads, whose eyes are white: then it is known where they look.

An iris is a disc of 5.9 mm before the centre of its eyeball, seen through the camera of the
picture, cut by the lids, as bright as the white around it. Both eyes look the same way.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from tracker.layouts import IBUG_68
from tracker.types import Image

from .rendered_heads import RenderedHeads

_IRIS_MM, _BEFORE_CENTRE_MM = 5.9, 10.5
_PUPIL_MM = (1.6, 2.8)
_RIM = 0.85
"""From this share of its radius on an iris is darker."""
_EYEBALL_DISTANCE_MM = 63.0
_ASIDE_DEG, _UP_DOWN_DEG = 25.0, 15.0
_IRIS_RGB = np.array([[92, 60, 38], [58, 40, 30], [110, 128, 140], [96, 108, 78], [70, 94, 128.0]])
_FINER, _AROUND_PX, _BLUR_PX = 8, 18, 0.5
_LEAST_OPEN = 0.2
"""Gap between the lids over the distance of the corners, from which an eye gets an iris."""
_LEAST_WIDTH_PX = 9.0
_RINGS = (range(36, 42), range(42, 48))


@dataclass(frozen=True, slots=True, eq=False)
class DrawnEyes:
    """A head whose eyes look somewhere."""

    image: Image
    gaze: Float[np.ndarray, "xyz=3"]
    """Unit vector in the camera's frame."""
    pupils: Float[np.ndarray, "eyes=2 xy=2"]
    """Pixels, of the right and the left eye; NaN where none is drawn."""
    is_drawn: tuple[bool, bool]
    """Of the right and the left eye; what is shut, or seen from the side, is left as it was."""


def draw_eyes(image: Image, heads: RenderedHeads, head: int, rng: np.random.Generator) -> DrawnEyes:
    """Let a head look within 25 degrees to a side and 15 up or down of straight ahead."""
    aside, down = np.radians(rng.uniform(-1, 1, 2) * (_ASIDE_DEG, _UP_DOWN_DEG))
    ahead = np.array([np.sin(aside) * np.cos(down), np.sin(down), -np.cos(aside) * np.cos(down)])
    gaze = heads.rotations[head] @ ahead
    colour = _IRIS_RGB[rng.integers(len(_IRIS_RGB))] * rng.uniform(0.8, 1.2)
    pupil_mm = rng.uniform(*_PUPIL_MM)
    painted, drawn, pupils = image.copy(), [], np.full((2, 2), np.nan)
    for eye, ring in enumerate(_RINGS):
        lids = heads.points[head, list(ring)]
        drawn.append(_is_open(lids, heads.points[head, IBUG_68.count + eye]))
        if drawn[-1]:
            centre = _centre_mm(heads, head, eye)
            _paint(painted, lids, _discs(heads, head, centre, gaze, pupil_mm), colour)
            place = centre + _BEFORE_CENTRE_MM * gaze
            pupils[eye] = heads.focal_px[head] * place[:2] / place[2] + heads.center_px
    return DrawnEyes(painted, gaze, pupils, (drawn[0], drawn[1]))


def _is_open(lids: Float[np.ndarray, "6 xy=2"], centre: Float[np.ndarray, "xy=2"]) -> bool:
    """Whether the lids leave room, and face the camera."""
    across = lids[3] - lids[0]
    width = float(np.linalg.norm(across))
    down = np.array([-across[1], across[0]]) / max(width, 1e-6)
    gap = float((lids[4:].mean(0) - lids[1:3].mean(0)) @ down)
    beside = abs(float((centre - lids[[0, 3]].mean(0)) @ across)) / max(width, 1e-6) ** 2
    return width >= _LEAST_WIDTH_PX and gap > _LEAST_OPEN * width and beside < 0.6


def _centre_mm(heads: RenderedHeads, head: int, eye: int) -> Float[np.ndarray, "xyz=3"]:
    """Of the eyeball, in the camera's frame; about as far away as the head."""
    depth = float(heads.distance[head]) * _EYEBALL_DISTANCE_MM / heads.eyeball_distance
    offset = heads.points[head, IBUG_68.count + eye] - heads.center_px
    return np.append(offset / heads.focal_px[head], 1.0) * depth


def _discs(
    heads: RenderedHeads, head: int, centre: np.ndarray, gaze: np.ndarray, pupil_mm: float
) -> list[Float[np.ndarray, "corners xy=2"]]:
    """Outlines of the iris, of its paler part and of the pupil, pixels."""
    aside = np.cross(gaze, [0.0, 1.0, 0.0])
    aside /= np.linalg.norm(aside)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)[:, None]
    circle = np.cos(angle) * aside + np.sin(angle) * np.cross(gaze, aside)
    outlines = []
    for radius in (_IRIS_MM, _RIM * _IRIS_MM, pupil_mm):
        places = centre + _BEFORE_CENTRE_MM * gaze + radius * circle
        outlines.append(heads.focal_px[head] * places[:, :2] / places[:, 2:] + heads.center_px)
    return outlines


def _paint(image: Image, lids: np.ndarray, discs: list[np.ndarray], colour: np.ndarray) -> None:
    """Blend the discs into the part of the picture between the lids."""
    height, width = image.shape[:2]
    x, y = np.round(lids.mean(0)).astype(int)
    left, top = max(x - _AROUND_PX, 0), max(y - _AROUND_PX, 0)
    right, bottom = min(x + _AROUND_PX, width), min(y + _AROUND_PX, height)
    if right - left < 2 or bottom - top < 2:
        return
    patch = image[top:bottom, left:right].astype(np.float32)
    size = (patch.shape[0] * _FINER, patch.shape[1] * _FINER)

    def mask_of(outline: np.ndarray) -> np.ndarray:
        fine = np.zeros(size, np.float32)
        corners = ((outline - (left, top) + 0.5) * _FINER).round().astype(np.int32)
        cv2.fillPoly(fine, [corners], 1.0)
        return fine

    opening = mask_of(_rounded(lids))
    coarse = (patch.shape[1], patch.shape[0])
    white = cv2.resize(opening, coarse, interpolation=cv2.INTER_AREA)
    light = float((patch.max(-1) * white).sum() / max(white.sum(), 1e-6)) / 255
    for outline, shade in zip(discs, (0.55 * colour, colour, 0.12 * colour), strict=True):
        alpha = cv2.resize(opening * mask_of(outline), coarse, interpolation=cv2.INTER_AREA)
        alpha = cv2.GaussianBlur(alpha, (0, 0), _BLUR_PX)[..., None]
        patch += alpha * (light * shade - patch)
    image[top:bottom, left:right] = np.clip(patch, 0, 255).round().astype(np.uint8)


def _rounded(lids: np.ndarray) -> Float[np.ndarray, "corners xy=2"]:
    """The outline of an eye through its six points: an arc from corner to corner for each lid."""
    arcs = []
    share = np.linspace(0, 1, 12, endpoint=False)
    for places in (lids[[0, 1, 2, 3]], lids[[3, 4, 5, 0]]):
        cubic = np.polyfit([0, 1 / 3, 2 / 3, 1], places, 3)
        arcs.append(np.stack([np.polyval(cubic[:, axis], share) for axis in (0, 1)], -1))
    return np.concatenate(arcs)
