"""What looks like a pasted face at first sight, and must not be taken for one."""

import cv2
import numpy as np
from jaxtyping import Float

from tracker.types import Image

_PATCH_PX = 96
_BLOCKS = 3


def drawn_patch(rng: np.random.Generator) -> Image:
    """A small picture: clouds in the colours of skin or in any, plain, a disc, or stripes."""
    skin = np.array([200, 150, 120]) * np.exp(rng.normal(-0.3, 0.45))
    colour = skin if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    kind = rng.integers(4)
    if kind <= 1:
        grain = np.exp(rng.normal(0, 0.25 * kind, (int(rng.integers(2, 6)), 4, 1)))
        clouds = np.clip(colour * grain, 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(clouds, (_PATCH_PX, _PATCH_PX)), np.uint8)
    image = np.full((_PATCH_PX, _PATCH_PX, 3), rng.uniform(0, 255, 3), np.uint8)
    painted = tuple(float(min(level, 255)) for level in colour)
    if kind == 2:
        middle = (_PATCH_PX // 2, _PATCH_PX // 2)
        axes = (int(rng.integers(14, 40)), int(rng.integers(14, 40)))
        cv2.ellipse(image, middle, axes, 0, 0, 360, painted, -1)
    else:
        width = int(rng.integers(6, 24))
        for left in range(0, _PATCH_PX, 2 * width):
            cv2.rectangle(image, (left, 0), (left + width - 1, _PATCH_PX), painted, -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 6)), np.uint8)


def shuffled(image: Image, label: Float[np.ndarray, "9"], rng: np.random.Generator) -> Image:
    """A face cut in nine, each part turned and put elsewhere: its colours, its edges, no face.

    Args:
        image: A picture with a face.
        label: Of the face, as in `face_labels`.
        rng: Says where the parts go.
    """
    x, y, side = label[:3]
    scale = _PATCH_PX / (1.2 * side)
    middle = _PATCH_PX / 2
    matrix = np.array([[scale, 0, middle - scale * x], [0, scale, middle - scale * y]])
    face = cv2.warpAffine(
        image, matrix, (_PATCH_PX, _PATCH_PX), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    block = _PATCH_PX // _BLOCKS
    parts = face.reshape(_BLOCKS, block, _BLOCKS, block, 3).swapaxes(1, 2)
    parts = parts.reshape(-1, block, block, 3)
    order = np.roll(np.arange(len(parts)), int(rng.integers(1, len(parts))))  # none stays
    turned = [np.rot90(parts[index], int(rng.integers(4))) for index in order]
    grid = np.stack(turned).reshape(_BLOCKS, _BLOCKS, block, block, 3).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(_PATCH_PX, _PATCH_PX, 3))
