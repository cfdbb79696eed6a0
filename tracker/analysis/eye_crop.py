"""The crop of one eye: upright, of a fixed width of the eye, the outer corner on the left.

The left eye is cut as its mirror image, so that one network knows both.
"""

import numpy as np
from jaxtyping import Float

SIZE_PX = 40
EYE_PX = 22.0
"""Distance between the corners in the crop, of an eye seen from the front."""
_LEAST_SHARE = 0.7
"""An eye seen narrower than this share of the other is turned away, not smaller."""
_LEAST_PX = 1e-6

Corners = Float[np.ndarray, "eyes=2 corners=2 xy=2"]
"""Right eye, left eye (the person's own); of each the outer corner, then the inner."""


def eye_crops_from_frame(corners: Corners) -> Float[np.ndarray, "eyes=2 3 3"]:
    """The matrix of each eye that takes frame pixels to crop pixels; that of the left eye mirrors.

    Args:
        corners: Frame pixels.
    """
    across = corners[:, 1] - corners[:, 0]
    width = np.hypot(across[:, 0], across[:, 1])
    size = np.maximum(np.maximum(width, _LEAST_SHARE * width[::-1]), _LEAST_PX)
    along = across / np.maximum(width, _LEAST_PX)[:, None]
    down = np.stack([-along[:, 1], along[:, 0]], -1) * np.array([[1.0], [-1.0]])
    linear = np.stack([along, down], 1) * (EYE_PX / size)[:, None, None]
    matrices = np.tile(np.eye(3), (2, 1, 1))
    matrices[:, :2, :2] = linear
    matrices[:, :2, 2] = (SIZE_PX - 1) / 2 - np.einsum("eij,ej->ei", linear, corners.mean(1))
    return matrices
