"""Which windows of a picture the face detector searches, and at which scale.

A face is found from some 12 px on in what the network sees, so a large picture is seen as a whole,
which costs the same whatever its size, and in overlapping tiles, which find what is small: all at
once in a still picture, in turn in the frames of a video. Where a face was is a small window.
"""

import math
from dataclasses import dataclass

SEEN_PX = 800
"""Longer side of what the network sees at once."""
COARSE_PX = 320
"""Longer side of a coarse look at the whole: the network is surest of faces of 50 to 200 px."""
OVERLAP_PX = 128
"""Of neighbouring tiles, in seen pixels; whatever is larger a coarser level sees whole."""
NEAR_SIDES, _NEAR_PX = 4.0, 224
"""A window around a place, in sides of the face, and what the network sees of it at most."""
_DOUBLED_PX = 1280
"""Longer side of the largest picture that is seen twice as large, too: what small it shows is found
there, at a bounded cost."""
_COARSER = 1.25
"""So much larger than the coarse look must the whole be seen, or the two are alike."""
_LEVEL_FACTOR = 4.0
"""Between two levels of tiles: a face of 12 to 48 seen pixels is found in the coarser one."""


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the picture, and how it is seen."""

    x: int
    y: int
    width: int
    height: int
    """Picture pixels; (x, y) is the first pixel inside."""
    scale: float
    """Seen pixels per picture pixel."""


def whole_picture(width: int, height: int, seen_px: int = SEEN_PX) -> Window:
    """The whole picture, reduced where it is larger than what the network sees."""
    return Window(0, 0, width, height, min(seen_px / max(width, height), 1.0))


def tiles(width: int, height: int, scale: float, seen_px: int = SEEN_PX) -> list[Window]:
    """Tiles that cover the picture at a scale, row by row, all of one size.

    Args:
        width: Of the picture.
        height: Of the picture.
        scale: Seen pixels per picture pixel.
        seen_px: Largest side of a tile in seen pixels.
    """
    columns = _spans(width, seen_px / scale, OVERLAP_PX / scale)
    rows = _spans(height, seen_px / scale, OVERLAP_PX / scale)
    return [
        Window(left, top, right - left, bottom - top, scale)
        for top, bottom in rows
        for left, right in columns
    ]


def thorough_plan(
    width: int, height: int, *, seen_px: int = SEEN_PX, finest_scale: float = 1.0
) -> list[Window]:
    """The windows of a picture: the whole, the same coarsely, then finer and finer tiles.

    Args:
        width: Of the picture.
        height: Of the picture.
        seen_px: As in `whole_picture`.
        finest_scale: Where tiles end; 1 shows every pixel as it is.
    """
    whole = whole_picture(width, height, seen_px)
    scales = []
    scale = finest_scale
    while scale > whole.scale * 1.05:
        scales.append(scale)
        scale /= _LEVEL_FACTOR
    found = [whole]
    if whole.scale * max(width, height) > _COARSER * COARSE_PX:
        found.append(whole_picture(width, height, COARSE_PX))
    for scale in reversed(scales):
        found += tiles(width, height, scale, seen_px)
    return found


def still_plan(width: int, height: int, seen_px: int = SEEN_PX) -> list[Window]:
    """The windows of a picture by itself: those of `thorough_plan`, and small ones also doubled."""
    plan = thorough_plan(width, height, seen_px=seen_px)
    is_small = max(width, height) <= _DOUBLED_PX
    return plan + tiles(width, height, 2.0, seen_px) if is_small else plan


def window_near(center: tuple[float, float], side: float, width: int, height: int) -> Window | None:
    """A place where a face of about this size may be; none where that lies outside the picture.

    Args:
        center: Picture pixels.
        side: Of the face's square, picture pixels.
        width: Of the picture.
        height: Of the picture.
    """
    reach = NEAR_SIDES / 2 * side
    spans = []
    for middle, length in zip(center, (width, height), strict=True):
        low, high = max(math.floor(middle - reach), 0), min(math.ceil(middle + reach), length)
        if high - low < 1:
            return None
        spans.append((low, high - low))
    (left, across), (top, down) = spans
    return Window(left, top, across, down, min(_NEAR_PX / max(across, down), 1.0))


def _spans(length: int, most: float, overlap: float) -> list[tuple[int, int]]:
    """First pixels and ends of equal, evenly spread parts that overlap."""
    if length <= most:
        return [(0, length)]
    count = math.ceil((length - overlap) / (most - overlap))
    size = min(math.floor(most), length)
    return [
        (start, start + size)
        for start in (round(index * (length - size) / (count - 1)) for index in range(count))
    ]
