"""Many small pictures on one: what a data set holds, or where a network fails."""

import cv2
import numpy as np

from tracker.crop import crop_from_square, transform, warp_crop
from tracker.layouts import Layout
from tracker.types import Image, Points

from .sample import Sample

TRUTH, PREDICTED, RIGHT_EYE = (80, 220, 100), (255, 60, 60), (90, 170, 255)
"""Green, red and blue: a blue eye on the right-hand side of a frontal face betrays a mirror."""

_MARGIN = 1.4
_SUBPIXEL_BITS = 4
_CAPTION_PX, _CAPTION_SCALE = 16, 0.38
_BACKGROUND, _INK = 24, (235, 235, 235)


def face_tile(
    sample: Sample, layout: Layout, size_px: int, predicted: Points | None = None
) -> Image:
    """The face in 1.4 x its crop with its annotation, the right eye blue, hidden points hollow.

    Args:
        sample: The face.
        layout: Of its points, and of `predicted`.
        size_px: Side of the tile.
        predicted: Drawn in red over the annotation; pixels of the picture.

    Raises:
        DataError: If the picture cannot be read.
    """
    crop_from_frame = crop_from_square(*sample.square(_MARGIN), size_px)
    tile = warp_crop(sample.read_image(), crop_from_frame, size_px)
    hidden = np.zeros(layout.count, bool) if sample.hidden is None else sample.hidden
    _draw(tile, transform(crop_from_frame, sample.points), layout, TRUTH, hidden)
    if predicted is not None:
        nothing = np.zeros(layout.count, bool)
        _draw(tile, transform(crop_from_frame, predicted), layout, PREDICTED, nothing)
    return tile


def contact_sheet(tiles: list[tuple[Image, str]], columns: int) -> Image:
    """Tiles of one size in rows, each over its caption; captions that are too long are cut.

    Raises:
        ValueError: If there is no tile.
    """
    if not tiles:
        raise ValueError("tiles must hold at least one picture")
    captioned = [_captioned(tile, caption) for tile, caption in tiles]
    blank = np.full_like(captioned[0], _BACKGROUND)
    captioned += [blank] * (-len(captioned) % columns)
    rows = [np.hstack(captioned[i : i + columns]) for i in range(0, len(captioned), columns)]
    return np.vstack(rows)


def _captioned(tile: Image, caption: str) -> Image:
    strip = np.full((_CAPTION_PX, tile.shape[1], 3), _BACKGROUND, np.uint8)
    # The fonts of OpenCV have ASCII only.
    text = caption.encode("ascii", errors="replace").decode()
    cv2.putText(
        strip, text, (2, _CAPTION_PX - 5), cv2.FONT_HERSHEY_SIMPLEX, _CAPTION_SCALE, _INK, 1,
        cv2.LINE_AA,
    )  # fmt: skip
    return np.vstack([tile, strip])


def _draw(
    tile: Image, points: Points, layout: Layout, colour: tuple[int, int, int], hidden: np.ndarray
) -> None:
    fixed = np.round(points * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    right_eye = _right_eye(layout) if colour == TRUTH else frozenset()
    for outline in layout.outlines:
        chain = fixed[list(outline.members)].reshape(-1, 1, 2)
        ink = RIGHT_EYE if right_eye.issuperset(outline.members) else colour
        cv2.polylines(tile, [chain], outline.closed, ink, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    radius = max(round(tile.shape[0] / 120 * (1 << _SUBPIXEL_BITS)), 1 << _SUBPIXEL_BITS)
    for i, (x, y) in enumerate(fixed.tolist()):
        ink = RIGHT_EYE if i in right_eye else colour
        size, thickness = (2 * radius, 1) if hidden[i] else (radius, cv2.FILLED)
        cv2.circle(tile, (x, y), size, ink, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _right_eye(layout: Layout) -> frozenset[int]:
    """The outline of that name; in a layout without one, the right end of its yardstick."""
    named = [outline.members for outline in layout.outlines if outline.name == "right eye"]
    return frozenset(named[0] if named else layout.eye_corners[:1])
