"""How deep each landmark lies on a face that looks into the camera.

A head that turns moves its landmarks by their depth, which no similarity of the picture explains.
"""

from functools import cache

import numpy as np
from jaxtyping import Float

from ..layouts import COFW_29, IBUG_68, WFLW_98, Layout

# Away from the camera, in inter-ocular distances from the outer corners of the eyes, of the mean
# face that `train.face_model` learns from rendered heads; the contour, which slides along the
# silhouette as a head turns, is made symmetric and smooth. Numbers, not that file, so that the
# filter needs no data.
_CHEEK = (0.40, 0.38, 0.35, 0.32, 0.28, 0.20, 0.05, -0.12, -0.20)
"""From an ear to the chin."""
_CONTOUR = (*_CHEEK, *_CHEEK[-2::-1])
_BROW = (0.08, -0.04, -0.13, -0.20, -0.23)
"""From outside to inside."""
_NOSE_LINE = (-0.25, -0.34, -0.43, -0.53)
_NOSE_BASE = (-0.28, -0.34, -0.36, -0.34, -0.28)
_EYE_68 = (0.0, -0.09, -0.10, -0.07, -0.10, -0.08)
_EYE_98 = (0.0, -0.08, -0.10, -0.10, -0.07, -0.10, -0.10, -0.08)
_UPPER_LIP = (-0.20, -0.31, -0.37, -0.39, -0.37, -0.31, -0.20)
_LOWER_LIP = (-0.27, -0.32, -0.34, -0.32, -0.27)
_INNER_LIPS = (-0.19, -0.29, -0.31, -0.29, -0.19, -0.29, -0.31, -0.29)


def _mirrored(eye: tuple[float, ...]) -> tuple[float, ...]:
    """The left eye: from its inner corner over the upper lid to the outer one, and back below."""
    half = len(eye) // 2
    return (*eye[half::-1], *eye[:half:-1])


def _finer(depths: tuple[float, ...], count: int) -> tuple[float, ...]:
    """As many landmarks along the same line."""
    known = np.linspace(0, 1, len(depths))
    return tuple(np.interp(np.linspace(0, 1, count), known, depths).tolist())


_MOUTH = (*_UPPER_LIP, *_LOWER_LIP, *_INNER_LIPS)
_DEPTHS = {
    IBUG_68.name: (
        *_CONTOUR, *_BROW, *_BROW[::-1], *_NOSE_LINE, *_NOSE_BASE,
        *_EYE_68, *_mirrored(_EYE_68), *_MOUTH,
    ),
    WFLW_98.name: (
        *_finer(_CONTOUR, 33), *_BROW, *_BROW[:0:-1], *_BROW[::-1], *_BROW[1:],
        *_NOSE_LINE, *_NOSE_BASE, *_EYE_98, *_mirrored(_EYE_98), *_MOUTH, -0.08, -0.08,
    ),
    COFW_29.name: (
        0.08, 0.08, -0.23, -0.23, -0.13, -0.13, -0.13, -0.13,  # brows
        0.0, 0.0, -0.07, -0.07, -0.10, -0.10, -0.10, -0.10, -0.08, -0.08,  # eyes
        -0.28, -0.28, -0.53, -0.36, -0.20, -0.20, -0.39, -0.31, -0.31, -0.34, -0.20,
    ),
}  # fmt: skip


@cache
def depths_of(layout: Layout) -> Float[np.ndarray, " landmarks"] | None:
    """Away from the camera less their mean, in inter-ocular distances; None of other layouts."""
    if layout.name not in _DEPTHS:
        return None
    depths = np.array(_DEPTHS[layout.name])
    depths -= depths.mean()
    depths.flags.writeable = False
    return depths
