"""What a face detector is, and boxes that overlap."""

from typing import Protocol, runtime_checkable

import numpy as np

from ..types import Box, Image, Points

NMS_OVERLAP = 0.6
"""Overlap beyond which two boxes are one face; faces cheek to cheek stay well below."""


@runtime_checkable
class Detector(Protocol):
    """Anything that finds faces in a frame, e.g. `tracker.MediaPipeDetector`."""

    def __call__(self, image: Image) -> list[Box]:
        """Find the faces.

        Args:
            image: RGB uint8.

        Returns:
            The square around the landmarks of each face, largest first, in pixels.
        """


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


def box_around(points: Points) -> Box:
    """The tight square around landmarks, by the rule of training but without its rounding.

    Whole pixels make the crop of a still face jump, and a jumping crop moves the landmarks.
    """
    low, high = points.min(0), points.max(0)
    center_x, center_y = (low + high) / 2
    return Box(float(center_x), float(center_y), float(np.max(high - low)))
