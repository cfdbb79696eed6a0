"""Film cuts, recognised in their own first frame (shot boundary detection).

A frame begins a new shot where neither motion nor light explains it by a frame just before: motion
by block matching after histogram matching, which takes out exposure and fades; a photographer's
flash by normalised cross-correlation, which lets each block have a brightness and a contrast of its
own. All on small grey pictures.
"""

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..types import Image

SmallPicture = UInt8[np.ndarray, "height=36 width=64"]

_WIDTH, _HEIGHT = 64, 36
_SAMPLES_A_SIDE = 3
"""Pixels of the frame, along x and along y, that are averaged to a pixel of the small picture."""
_BLOCK_WIDTH, _BLOCK_HEIGHT = 16, 12
_MOTION_X, _MOTION_Y = 16, 9
"""Furthest motion between two frames, pixels of the small picture: a quarter of its sides."""
_SHAKE_X, _SHAKE_Y = 4, 3
"""Furthest motion from a frame to one with a flash."""
_REMEMBERED = 3
"""Frames to compare with: after one or two frames of flash the picture is the one before."""
_LEAST_CONTRAST = 5.0
"""Standard deviation, grey levels, below which a picture (black, white, fog) says nothing."""
_LEAST_CHANGE = 0.4
"""Mean change of a pixel, in standard deviations of the picture, below which none is a cut."""
_NEXT_TO_NO_CHANGE = 0.2
"""The same before brightness is matched: next to nothing has changed, as in most frames."""
_LEAST_UNEXPLAINED = 0.3
"""Share of the picture's variance that motion leaves unexplained at a cut: 0.35 and more for
unrelated pictures, up to 0.3 in a pan by a fifth of the picture's width a frame."""
_BLOCK_UNEXPLAINED, _LEAST_BLOCKS = 0.12, 0.4
"""A cut changes so large a share of the blocks by so much; a face that appears does not."""
_FLASH = 25.0
"""Rise of the mean, grey levels, from which on it may be a flash."""
_FLASH_CORRELATION = 0.55
"""Least correlation of the blocks where it is one: 0.57 and more in flashes, less at cuts."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """What is remembered of the shot that is running."""

    pictures: tuple[SmallPicture, ...] = ()
    """Of its last frames, newest first, without those that show next to nothing."""

    def followed_by(self, image: Image) -> tuple["Shot", bool]:
        """The shot after one more frame, and whether a cut lies before that frame.

        Args:
            image: RGB uint8, of any size.
        """
        picture = small_picture(image)
        if _contrast(picture) < _LEAST_CONTRAST:
            return self, False
        if self.pictures and all(_is_unrelated(picture, before) for before in self.pictures):
            return Shot((picture,)), True
        return Shot((picture, *self.pictures[: _REMEMBERED - 1])), False


def small_picture(image: Image) -> SmallPicture:
    """The image in grey, 64 x 36 pixels, whatever its size; averages some of its pixels."""
    sampled = (_SAMPLES_A_SIDE * _WIDTH, _SAMPLES_A_SIDE * _HEIGHT)
    few = cv2.resize(image, sampled, interpolation=cv2.INTER_NEAREST)
    grey = cv2.cvtColor(few, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)


def _is_unrelated(picture: SmallPicture, before: SmallPicture) -> bool:
    """Whether neither motion nor light explains the picture by the one before."""
    contrast = _contrast(picture)
    if cv2.absdiff(picture, before).mean() < _NEXT_TO_NO_CHANGE * contrast:
        return False
    in_its_light = _histogram_matched(before, picture)
    if cv2.absdiff(picture, in_its_light).mean() < _LEAST_CHANGE * contrast:
        return False
    errors = _block_errors(picture, in_its_light) / contrast**2
    if errors.mean() < _LEAST_UNEXPLAINED:
        return False
    if (errors > _BLOCK_UNEXPLAINED).mean() < _LEAST_BLOCKS:
        return False
    may_be_flash = float(picture.mean()) - float(before.mean()) > _FLASH
    return not (may_be_flash and _block_correlation(picture, before) > _FLASH_CORRELATION)


def _contrast(picture: SmallPicture) -> float:
    """Standard deviation, grey levels."""
    return float(cv2.meanStdDev(picture)[1][0, 0])


def _histogram_matched(picture: SmallPicture, target: SmallPicture) -> SmallPicture:
    """The picture with the histogram of the target: any rising curve between them is undone."""
    counts, wanted = (np.bincount(p.ravel(), minlength=256) for p in (picture, target))
    rank, wanted_rank = (np.cumsum(n) - n / 2 for n in (counts, wanted))
    levels = np.flatnonzero(wanted)
    curve = np.interp(rank, wanted_rank[levels], levels)
    return np.round(curve).astype(np.uint8)[picture]


def _block_errors(picture: SmallPicture, before: SmallPicture) -> Float[np.ndarray, " blocks"]:
    """Mean squared error of each block at its best place in the picture before."""
    scores = _block_scores(picture, before, (_MOTION_X, _MOTION_Y), cv2.TM_SQDIFF)
    return np.array([score.min() for score in scores]) / (_BLOCK_WIDTH * _BLOCK_HEIGHT)


def _block_correlation(picture: SmallPicture, before: SmallPicture) -> float:
    """Mean correlation of the blocks at their best places; flat ones count less."""
    scores = _block_scores(picture, before, (_SHAKE_X, _SHAKE_Y), cv2.TM_CCOEFF_NORMED)
    best = np.array([score.max() for score in scores])
    weights = np.array([min(float(block.std()), 20.0) for block in _blocks(picture)]) + 1e-6
    return float((best * weights).sum() / weights.sum())


def _block_scores(
    picture: SmallPicture, before: SmallPicture, reach: tuple[int, int], method: int
) -> list[Float[np.ndarray, "shifts_y shifts_x"]]:
    """How well each block of a picture fits to every place around its own in the one before.

    Args:
        picture: Cut into blocks, row by row.
        before: Searched.
        reach: Furthest shift along x and y, pixels.
        method: Of `cv2.matchTemplate`.
    """
    over, down = reach
    padded = cv2.copyMakeBorder(before, down, down, over, over, cv2.BORDER_REPLICATE)
    windows = _blocks(padded, 2 * over, 2 * down)
    return [
        cv2.matchTemplate(window, block, method)
        for window, block in zip(windows, _blocks(picture), strict=True)
    ]


def _blocks(
    picture: UInt8[np.ndarray, "height width"], more_width: int = 0, more_height: int = 0
) -> list[UInt8[np.ndarray, "block_height block_width"]]:
    """The blocks of a picture row by row, larger ones overlapping."""
    corners = product(range(0, _HEIGHT, _BLOCK_HEIGHT), range(0, _WIDTH, _BLOCK_WIDTH))
    return [
        picture[y : y + _BLOCK_HEIGHT + more_height, x : x + _BLOCK_WIDTH + more_width]
        for y, x in corners
    ]
