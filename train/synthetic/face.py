"""A photograph with its true landmarks: what stands in front of the virtual camera."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from tracker.io.simulated_camera import portrait
from tracker.layouts import IBUG_68, Layout
from tracker.types import Image, Points
from train.datasets import Sample

_BLACK = 16
"""Brightest grey level of what data sets pad with: black, and the ringing of JPEG beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class PhotographedFace:
    """One face on a photograph."""

    image: Image
    points: Points
    """Pixels of the photograph."""
    layout: Layout

    @property
    def eye_px(self) -> float:
        """The inter-ocular distance."""
        return float(self.layout.interocular(self.points))

    @property
    def center(self) -> Float[np.ndarray, "xy=2"]:
        """Middle of the landmarks' box."""
        return (self.points.min(0) + self.points.max(0)) / 2

    @property
    def mirrored(self) -> "PhotographedFace":
        """The same face as a mirror shows it: with another light and parting, a second person."""
        points = np.stack([self.image.shape[1] - 1 - self.points[:, 0], self.points[:, 1]], -1)
        image = np.ascontiguousarray(self.image[:, ::-1])
        return PhotographedFace(image, points[self.layout.mirror], self.layout)


def annotated_face(sample: Sample, layout: Layout) -> PhotographedFace:
    """A face of a data set, without the black that pads pictures cut beyond their edge.

    Raises:
        DataError: If its picture cannot be read.
    """
    image, points = sample.read_image(), sample.points
    bright = image.max(-1) > _BLACK
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int)
    left, right = _filled(bright.mean(0) > 0.05, low[0], high[0])
    top, bottom = _filled(bright.mean(1) > 0.05, low[1], high[1])
    return PhotographedFace(image[top:bottom, left:right].copy(), points - [left, top], layout)


def _filled(filled: np.ndarray, low: int, high: int) -> tuple[int, int]:
    """The run of filled lines around low ... high, less the line that blends into the padding."""
    before, after = np.flatnonzero(~filled[: max(low, 0)]), np.flatnonzero(~filled[high + 1 :])
    first = int(before[-1]) + 3 if len(before) else 0
    last = high + 1 + int(after[0]) - 2 if len(after) else len(filled)
    return first, last


def portrait_face() -> PhotographedFace:
    """The portrait inside matplotlib.

    Raises:
        SourceError: If matplotlib is not installed.
    """
    return PhotographedFace(portrait(), np.array(_PORTRAIT, float).reshape(-1, 2), IBUG_68)


# Found by models/weights/lite-300w on the still picture; corners of the mouth set by eye.
# fmt: off
_PORTRAIT = (
    181.4, 199.4, 182.4, 221.8, 186.9, 246.7, 191.9, 268.3, 197.0, 290.6, 209.7, 311.0,
    227.0, 324.3, 246.5, 332.8, 268.6, 333.3, 291.9, 330.1, 311.4, 320.3, 327.5, 305.8,
    338.1, 285.8, 343.4, 261.8, 346.7, 238.3, 352.0, 214.4, 357.9, 191.6, 191.4, 179.6,
    201.9, 167.0, 215.8, 162.0, 231.7, 164.5, 245.7, 170.9, 279.4, 167.6, 294.8, 160.6,
    311.7, 159.2, 327.3, 163.4, 341.4, 174.6, 262.7, 188.7, 263.3, 204.8, 264.7, 220.9,
    266.4, 237.6, 246.6, 247.0, 255.6, 250.1, 266.7, 253.6, 278.4, 250.1, 288.7, 245.6,
    210.8, 192.8, 218.8, 187.6, 229.2, 188.1, 239.1, 194.5, 229.2, 196.2, 218.6, 196.1,
    290.0, 192.4, 300.0, 184.1, 310.3, 182.8, 319.4, 186.7, 310.8, 191.1, 299.9, 192.7,
    236.0, 280.0, 243.4, 272.8, 255.9, 269.7, 265.9, 272.7, 276.0, 270.2, 289.6, 272.3,
    303.6, 276.0, 290.2, 285.5, 276.6, 289.1, 266.3, 290.4, 256.3, 290.5, 243.6, 287.8,
    239.5, 279.0, 255.9, 278.3, 265.9, 279.1, 275.9, 277.8, 297.8, 277.0, 275.7, 278.3,
    265.9, 279.5, 256.2, 279.0,
)
# fmt: on
