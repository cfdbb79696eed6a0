"""What a face detector is, and boxes that overlap."""

from typing import Protocol, runtime_checkable

import numpy as np

from ..crop import upright
from ..layouts import Layout
from ..types import Box, Image, Points

NMS_OVERLAP = 0.6
"""Overlap beyond which two boxes are one face; faces cheek to cheek stay well below."""


@runtime_checkable
class Detector(Protocol):
    """Anything that finds faces in a frame, e.g. `tracker.AnyRollDetector`."""

    def __call__(self, image: Image) -> list[Box]:
        """Find the faces.

        Args:
            image: RGB uint8.

        Returns:
            The square around the landmarks of each face, largest first, in pixels.
        """


@runtime_checkable
class ThoroughDetector(Protocol):
    """What a detector may be besides: one that searches single pictures more thoroughly."""

    def search(self, image: Image) -> list[Box]:
        """As a `Detector`'s call; may take longer."""


def overlap(one: Box, other: Box) -> float:
    """Shared area over that of the smaller box, so that a box inside another counts whole."""
    reach = (one.side + other.side) / 2
    smallest = min(one.side, other.side)
    width = min(max(reach - abs(one.center_x - other.center_x), 0.0), smallest)
    height = min(max(reach - abs(one.center_y - other.center_y), 0.0), smallest)
    return width * height / smallest**2


def non_maximum_suppression(found: list[Box], known: list[Box]) -> list[Box]:
    """The found boxes that overlap none of the known ones, nor an earlier found one.

    Args:
        found: Best first.
        known: Of faces that need not be found again.
    """
    kept: list[Box] = []
    for box in found:
        if all(overlap(box, other) <= NMS_OVERLAP for other in known + kept):
            kept.append(box)
    return kept


def box_around(points: Points, roll_deg: float = 0.0) -> Box:
    """The tight square around landmarks, by the rule of training but without its rounding.

    Whole pixels make the crop of a still face jump, and a jumping crop moves the landmarks.

    Args:
        points: Pixels.
        roll_deg: Of the square.
    """
    if roll_deg:
        turn = upright(roll_deg)
        square = box_around(points @ turn.T)
        center_x, center_y = np.array([square.center_x, square.center_y]) @ turn
        return Box(float(center_x), float(center_y), square.side, roll_deg)
    left, top = points.min(0).tolist()
    right, bottom = points.max(0).tolist()
    return Box((left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top))


def crop_box(points: Points, layout: Layout, upright_deg: float) -> Box:
    """The square of the crop in which landmarks are measured next.

    Args:
        points: Of the face, pixels.
        layout: Of the points.
        upright_deg: Roll up to which the square stays upright; it is rotated by what exceeds it, so
            that ordinary heads are cropped as in training.
    """
    roll_deg = layout.roll_deg(points)
    return box_around(points, roll_deg - min(max(roll_deg, -upright_deg), upright_deg))
