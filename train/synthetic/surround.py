"""More picture than there is: what lies beyond the edge of a photograph, out of focus."""

import cv2
import numpy as np
from jaxtyping import Float

from tracker.types import Image

from .deform import smooth_step

Margins = tuple[int, int, int, int]
"""Pixels to add at the top, bottom, left and right."""

_BLURS = ((0.0, 4.0), (14.0, 12.0), (50.0, 35.0), (150.0, 100.0), (400.0, 250.0))
"""Distance outside the edge in pixels at which each blur has taken over, and its sigma."""
_BEFORE_PX = 8.0
"""The first blur sets in this far inside the edge, so that there is no seam."""


def margins(image: Image, needed: Float[np.ndarray, "places xy=2"]) -> Margins:
    """What must be added so that these places lie on the picture."""
    before = np.ceil(np.maximum(-needed.min(0), 0)).astype(int) + 2
    last = np.array(image.shape[1::-1]) - 1
    after = np.ceil(np.maximum(needed.max(0) - last, 0)).astype(int) + 2
    return int(before[1]), int(after[1]), int(before[0]), int(after[0])


def surrounded(image: Image, around: Margins) -> Image:
    """The picture with its margins filled by what is nearest, ever more blurred."""
    wide = cv2.copyMakeBorder(image, *around, cv2.BORDER_REPLICATE).astype(np.float32)
    outside = _outside_px(image, around)
    known = (outside <= 0).astype(np.float32)[..., None]
    filled, last_at = wide.copy(), -_BEFORE_PX
    # What is not known weighs next to nothing: it tells where nothing known is in reach.
    weight = known + (1 - known) * np.float32(1e-6)
    for at, sigma in _BLURS:
        share = smooth_step(outside, last_at, at)[..., None].astype(np.float32)
        mean = _blur(weight * wide, sigma) / _blur(weight, sigma)[..., None]
        filled += share * (mean - filled)
        last_at = at
    return np.clip(np.round(filled), 0, 255).astype(np.uint8)


def _outside_px(image: Image, around: Margins) -> Float[np.ndarray, "height width"]:
    """Distance to the picture's edge, negative inside."""
    top, bottom, left, right = around
    height, width = image.shape[:2]
    x, y = np.arange(-left, width + right), np.arange(-top, height + bottom)
    past_x, past_y = np.maximum(-x, x - width + 1), np.maximum(-y, y - height + 1)
    corner = np.hypot(np.maximum(past_x, 0)[None], np.maximum(past_y, 0)[:, None])
    inside = np.maximum(past_x[None], past_y[:, None])
    return np.where(inside > 0, corner, inside).astype(float)


def _blur(
    image: Float[np.ndarray, "height width *channels"], sigma: float
) -> Float[np.ndarray, "height width *channels"]:
    """Gaussian; wide ones on a reduced picture."""
    factor = max(int(sigma / 4), 1)
    height, width = image.shape[:2]
    reduced = (width // factor + 1, height // factor + 1)
    small = cv2.resize(image, reduced, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
