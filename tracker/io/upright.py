"""Decoded frames as RGB pictures that stand upright."""

import cv2
import numpy as np
from av.sidedata.sidedata import SideData, SideDataContainer, Type
from av.video.frame import VideoFrame
from jaxtyping import Int32

from ..types import Image
from .rgb_conversion import RgbConversion
from .tone_mapping import HLG, PQ, tone_mapped

Matrix = Int32[np.ndarray, "3 3"]
"""A display matrix: (x, y, 1) times it is the place on the display."""


class UprightPictures:
    """Makes decoded frames into pictures; for one thread at a time."""

    def __init__(self) -> None:
        self._conversion = RgbConversion()
        self._shape: tuple[int, int, int] | None = None
        self._matrix: Matrix | None = None

    def picture(self, frame: VideoFrame) -> Image:
        """RGB, rotated and mirrored as the file says; transparency is dropped."""
        transfer = frame.color_trc
        rgb = self._conversion.picture(frame)
        if transfer in (PQ, HLG):
            rgb = tone_mapped(rgb, transfer)
        matrix = self._display_matrix(frame)
        return rgb if matrix is None else turned(rgb, matrix)

    def pixel_aspect(self, frame: VideoFrame, stored: float) -> float:
        """Width over height of a pixel of the picture.

        Args:
            frame: Of the picture.
            stored: The same of the frame as it is stored.
        """
        matrix = self._display_matrix(frame)
        return 1 / stored if matrix is not None and _lies(matrix) else stored

    def _display_matrix(self, frame: VideoFrame) -> Matrix | None:
        """Read anew only where the frames change.

        A frame whose side data were read is in a cycle with them, and lives until the garbage is
        collected.
        """
        shape = frame.width, frame.height, frame.rotation
        if shape != self._shape:
            self._shape, self._matrix = shape, _display_matrix(frame)
        return self._matrix


def turned(image: Image, matrix: Matrix) -> Image:
    """Rotated by quarters and mirrored as a display matrix says, or nearly so."""
    if _lies(matrix):
        image = np.asarray(cv2.transpose(image), np.uint8)
        flip_x, flip_y = matrix[1, 0] < 0, matrix[0, 1] < 0
    else:
        flip_x, flip_y = matrix[0, 0] < 0, matrix[1, 1] < 0
    if not (flip_x or flip_y):
        return image
    return np.asarray(cv2.flip(image, -1 if flip_x and flip_y else int(flip_x)), np.uint8)


def _lies(matrix: Matrix) -> bool:
    """Whether width becomes height."""
    return bool(abs(matrix[0, 1]) + abs(matrix[1, 0]) > abs(matrix[0, 0]) + abs(matrix[1, 1]))


def _display_matrix(frame: VideoFrame) -> Matrix | None:
    stored: SideData | None = SideDataContainer.get(frame.side_data, Type.DISPLAYMATRIX, None)
    return None if stored is None else np.frombuffer(bytes(stored), np.int32).reshape(3, 3)
