"""The crop of one eye: upright, of a fixed width of the eye, the outer corner on the left.

The left eye is cut as its mirror image, so that one network knows both.
"""

import math

import numpy as np
from jaxtyping import Float

SIZE_PX = 40
EYE_PX = 22.0
"""Distance between the corners in the crop, of an eye seen from the front."""
_LEAST_SHARE = 0.7
"""An eye seen narrower than this share of the other is turned away, not smaller."""
_LEAST_PX, _MIDDLE_PX = 1e-6, (SIZE_PX - 1) / 2

Corners = Float[np.ndarray, "eyes=2 corners=2 xy=2"]
"""Right eye, left eye (the person's own); of each the outer corner, then the inner."""


def eye_crops_from_frame(corners: Corners) -> Float[np.ndarray, "eyes=2 3 3"]:
    """The matrix of each eye that takes frame pixels to crop pixels; that of the left eye mirrors.

    Args:
        corners: Frame pixels.
    """
    right, left = ((ix - ox, iy - oy) for (ox, oy), (ix, iy) in corners.tolist())
    width = math.hypot(*right), math.hypot(*left)
    matrices = np.empty((2, 3, 3))
    for eye, (x, y), own, other, down in (
        (0, right, *width, 1.0), (1, left, *width[::-1], -1.0)
    ):  # fmt: skip
        size = max(own, _LEAST_SHARE * other, _LEAST_PX)
        scale = EYE_PX / size / max(own, _LEAST_PX)
        matrices[eye] = (
            (scale * x, scale * y, _MIDDLE_PX),
            (-down * scale * y, down * scale * x, _MIDDLE_PX),
            (0.0, 0.0, 1.0),
        )
    matrices[:, :2, 2] -= (matrices[:, :2, :2] @ corners.mean(1)[..., None])[..., 0]
    return matrices
