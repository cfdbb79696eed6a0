"""Finds faces at any roll: the detector's network in ONNX Runtime, without PyTorch.

`models.export_faces` wrote the file. The same network sees the whole picture, and tiles of it where
small faces count (`face_scan`), and then each candidate is refined (`face_refinement`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from .face_refinement import patch_from_picture, refined, roll_of_row, upright_patch
from .face_scan import SEEN_PX, Window, still_plan, thorough_plan, whole_picture, window_near
from .face_suppression import Cells, suppress, without
from .onnx_session import OwnSession
from .tool_network import ToolNetwork

__all__ = ["FOUND_FROM", "FaceDetector", "FoundFace"]

PICTURES = "pictures"
"""The network's input."""
STRIDES = (8, 16, 32, 64)
FOUND_FROM = 0.5
"""Mean score of both stages from which a face is reported."""
_CANDIDATE_FROM = 0.7
"""Share of that score from which a candidate is refined."""
_MOST_CANDIDATES = 16
"""So many of a window, the strongest, are refined, which bounds the cost."""
_GRANULE = 32
"""Sides of what the network sees are multiples of this."""
_LEAST_SIDE_PX = 9.5
"""Of a face in what the network sees; it was not trained on smaller ones. What an enlarged window
shows is no face either if it is smaller in the picture."""
_MOST_ENLARGED_PX = 100.0
"""Side of a face in an enlarged window, at most: larger ones are seen as they are, and better."""
_CUT = 0.2
"""Share of the side by which a face may reach over a tile's inner border; else others see it."""

Picture = UInt8[np.ndarray, "height width rgb=3"]


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A face's square in picture pixels (the centre of the first pixel is 0), and its roll.

    The square is the smallest around the 68 landmarks in the head's upright frame (margin 1); its
    sides are turned with the head.
    """

    center_x: float
    center_y: float
    side: float
    roll_deg: float
    """Counter-clockwise as seen in the picture, from -180 to 180; 0 is upright. With (x, y) from
    the middle between the eyes to the mouth, y down, it is atan2(x, y): a head that lies with its
    crown to the picture's left has 90."""
    score: float
    """Mean of both stages, 0 to 1."""


class FaceDetector(ToolNetwork):
    """Finds faces; not for two threads at once.

    Args:
        session: Of the network.
        found_from: Score from which a face is reported.
        seen_px: Longest side of what the network sees at once; the time grows with its square.
    """

    kind = "face detector"

    def __init__(self, session: OwnSession, found_from: float, seen_px: int = SEEN_PX) -> None:
        super().__init__(session)
        self.found_from, self.seen_px = found_from, seen_px

    def __call__(self, image: Picture, *, thorough: bool = False) -> list[FoundFace]:
        """All faces, largest first.

        Args:
            image: RGB.
            thorough: Also search tiles of every scale: for still pictures.

        Raises:
            ValueError: If it is no such picture, or the detector is closed.
        """
        _check_picture(image)
        height, width = image.shape[:2]
        if thorough:
            return self.search_windows(image, still_plan(width, height, self.seen_px))
        return self.search_windows(image, [whole_picture(width, height, self.seen_px)])

    def parts(self, width: int, height: int) -> int:
        """In how many looks a picture of this size is searched thoroughly."""
        return len(thorough_plan(width, height, seen_px=self.seen_px))

    def look(
        self, image: Picture, part: int, known: Sequence[tuple[float, float, float]] = ()
    ) -> list[FoundFace]:
        """Faces in one part: 0 is the whole picture, those up to `parts` are tiles.

        Args:
            image: RGB.
            part: Of it.
            known: Centre x, centre y and side of squares of faces that are left out, picture
                pixels; not to refine them is much of the time.

        Raises:
            ValueError: As when called.
        """
        _check_picture(image)
        plan = thorough_plan(image.shape[1], image.shape[0], seen_px=self.seen_px)
        return self.search_windows(image, [plan[part]], known=known)

    def look_near(
        self, image: Picture, places: Sequence[tuple[float, float, float]]
    ) -> list[FoundFace]:
        """Faces around some places.

        Args:
            image: RGB.
            places: Centre x, centre y and side of the squares of faces, picture pixels.

        Raises:
            ValueError: As when called.
        """
        _check_picture(image)
        height, width = image.shape[:2]
        near = (window_near((x, y), side, width, height) for x, y, side in places)
        return self.search_windows(image, [window for window in near if window])

    def search_windows(
        self,
        image: Picture,
        windows: Sequence[Window],
        *,
        known: Sequence[tuple[float, float, float]] = (),
    ) -> list[FoundFace]:
        """Faces in some windows of the picture, largest first; what two windows show counts once.

        Args:
            image: RGB.
            windows: Of the picture.
            known: As in `look`.

        Raises:
            ValueError: As when called.
        """
        if not windows:
            return []
        size = (image.shape[1], image.shape[0])
        cells = [_whole_faces(self._cells(image, window), window, size) for window in windows]
        candidates = without(suppress(np.concatenate(cells)), known)
        candidates = candidates[: _MOST_CANDIDATES * len(windows)]
        rows = self._refined(image, candidates)
        faces = [_face(row) for row in suppress(rows[rows[:, 0] >= self.found_from])]
        return sorted(faces, key=lambda face: -face.side)

    def _refined(self, image: Picture, candidates: Cells) -> Cells:
        if not len(candidates):
            return candidates
        matrices = [patch_from_picture(row) for row in candidates]
        patches = np.stack([upright_patch(image, matrix) for matrix in matrices])
        answers = zip(candidates, self.raw(patches), matrices, strict=True)
        return np.stack([refined(*answer) for answer in answers])

    def raw(
        self, pictures: UInt8[np.ndarray, "n height width rgb=3"]
    ) -> Float[np.ndarray, "n cells 10"]:
        """What the network says, cell by cell (`CHANNELS`), in pixels of these pictures.

        Args:
            pictures: RGB; sides are multiples of 32.

        Raises:
            ValueError: If the detector is closed.
        """
        return self.run({PICTURES: pictures})

    def _cells(self, image: Picture, window: Window) -> Cells:
        """Cells that say 'a face' in one window, in picture pixels."""
        seen, scale = _seen(image, window)
        cells = np.asarray(self.raw(seen[None])[0], np.float64)
        least = _CANDIDATE_FROM * self.found_from
        cells = cells[(cells[:, 0] >= least) & np.isfinite(cells).all(1)]
        cells = cells[cells[:, 3] >= _LEAST_SIDE_PX * max(1.0, window.scale)]
        if window.scale > 1:
            cells = cells[cells[:, 3] <= _MOST_ENLARGED_PX]
        for axis, (factor, start) in enumerate(zip(scale, (window.x, window.y), strict=True)):
            columns = [1 + axis, 4 + axis, 6 + axis, 8 + axis]
            cells[:, columns] = (cells[:, columns] + 0.5) / factor - 0.5 + start
        cells[:, 3] /= np.sqrt(scale[0] * scale[1])
        return cells


def _face(row: Float[np.ndarray, "10"]) -> FoundFace:
    score, x, y, side = map(float, row[:4])
    return FoundFace(x, y, side, roll_of_row(row), score)


def _whole_faces(cells: Cells, window: Window, size: tuple[int, int]) -> Cells:
    """Without those that a border inside the picture cuts: another window sees them whole."""
    keep = np.ones(len(cells), bool)
    starts, lengths = (window.x, window.y), (window.width, window.height)
    for axis, (start, length, full) in enumerate(zip(starts, lengths, size, strict=True)):
        low = cells[:, 1 + axis] - (0.5 - _CUT) * cells[:, 3]
        high = cells[:, 1 + axis] + (0.5 - _CUT) * cells[:, 3]
        keep &= (low >= start) | (start == 0)
        keep &= (high <= start + length) | (start + length >= full)
    return cells[keep]


def _seen(image: Picture, window: Window) -> tuple[Picture, tuple[float, float]]:
    """What the network gets, black at the right and below, and seen pixels per picture pixel."""
    part = image[window.y : window.y + window.height, window.x : window.x + window.width]
    size = [max(round(side * window.scale), 1) for side in (window.width, window.height)]
    factor = int(1 / window.scale)
    if factor >= 2:  # averaged first: sampling alone would skip pixels
        coarse = (-(-window.width // factor), -(-window.height // factor))
        if coarse[0] > size[0] and coarse[1] > size[1]:
            part = cv2.resize(part, coarse, interpolation=cv2.INTER_AREA)
    if part.shape[1::-1] != tuple(size):
        part = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
    rows, columns = (-(-side // _GRANULE) * _GRANULE for side in part.shape[:2])
    seen = np.zeros((rows, columns, 3), np.uint8)
    seen[: part.shape[0], : part.shape[1]] = part
    return seen, (size[0] / window.width, size[1] / window.height)


def _check_picture(image: Picture) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
        raise ValueError("a picture is a uint8 array (height, width, 3)")
    if image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"a picture is a uint8 array (height, width, 3), not {image.shape}")
