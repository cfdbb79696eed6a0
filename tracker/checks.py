"""Arguments of callers, checked at the door: errors name what came and what was wanted."""

import math
from typing import Literal

import numpy as np
from jaxtyping import Float

from .types import Box, Image

ImageFormat = Literal["rgb", "bgr"]


def checked_image(image: object, image_format: str = "rgb") -> Image:
    """The picture as RGB.

    Args:
        image: (height, width, 3) uint8.
        image_format: Order of its channels, "rgb" or, as OpenCV reads them, "bgr".

    Raises:
        ValueError: If it is anything else.
    """
    if image_format not in ("rgb", "bgr"):
        raise ValueError(f'image_format must be "rgb" or "bgr", got {image_format!r}')
    wanted = "an image must be a uint8 array of shape (height, width, 3)"
    if not isinstance(image, np.ndarray):
        raise ValueError(f"{wanted}, got {type(image).__name__}")
    if image.dtype != np.uint8:
        raise ValueError(f"{wanted}, got {image.dtype} values")
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"{wanted}, got shape {image.shape}")
    if 0 in image.shape:
        raise ValueError(f"{wanted}, got an empty one of shape {image.shape}")
    if image_format == "bgr":
        image = image[:, :, ::-1]
    return np.ascontiguousarray(image)


def checked_time(time_s: object, last_s: float) -> float:
    """Seconds that are finite and do not fall.

    Args:
        time_s: A number.
        last_s: Of the frame before; -inf if there was none.

    Raises:
        ValueError: If it is not a number, not finite, or before `last_s`.
    """
    if isinstance(time_s, bool) or not isinstance(time_s, int | float | np.integer | np.floating):
        raise ValueError(f"time_s must be a number of seconds, got {type(time_s).__name__}")
    try:
        seconds = float(time_s)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise ValueError(f"time_s must be finite, got {seconds}")
    if seconds < last_s:
        raise ValueError(
            f"time_s must not fall, got {seconds:g} after {last_s:g}: call reset() before another "
            "video"
        )
    return seconds


def checked_number(name: str, value: object, least: float, most: float) -> None:
    """See that an argument is a finite number in its range.

    Raises:
        ValueError: If not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(f"{name} must be a number, got {type(value).__name__}: {value!r}")
    if not least <= value <= most:
        raise ValueError(f"{name} must lie between {least:g} and {most:g}, got {value}")


def checked_region(region: object) -> tuple[float, float, float, float]:
    """Edges of a part of a picture: left, top, right, bottom, in pixels.

    Raises:
        ValueError: If they are not four finite numbers, or enclose nothing.
    """
    wanted = "region must be x0, y0, x1, y1 in pixels with x0 < x1 and y0 < y1"
    if not isinstance(region, tuple | list) or len(region) != 4:
        raise ValueError(f"{wanted}, got {region!r}")
    for edge in region:
        if isinstance(edge, bool) or not isinstance(edge, int | float | np.number):
            raise ValueError(f"{wanted}, got {region!r}")
    left, top, right, bottom = (float(edge) for edge in region)
    if not (math.isfinite(right - left) and math.isfinite(bottom - top)):
        raise ValueError(f"{wanted}, got {region!r}")
    if left >= right or top >= bottom:
        raise ValueError(f"{wanted}, got {region!r}")
    return left, top, right, bottom


def checked_boxes(found: object) -> list[Box]:
    """What a detector returned.

    Raises:
        ValueError: If it is no list of boxes, or a box is not finite or has no area.
    """
    if not isinstance(found, list | tuple):
        raise ValueError(f"a detector must return a list of Box, got {type(found).__name__}")
    for box in found:
        if not isinstance(box, Box):
            raise ValueError(
                f"a detector must return a list of Box, got {type(box).__name__} in it"
            )
        numbers = (box.center_x, box.center_y, box.side, box.roll_deg)
        if not all(isinstance(n, int | float | np.number) and math.isfinite(n) for n in numbers):
            raise ValueError(f"a detector must return boxes of finite numbers, got {box}")
        if box.side <= 0:
            raise ValueError(f"a detector must return boxes with a side above 0, got {box}")
    return list(found)


def boxes_from_corners(boxes: object) -> list[Box]:
    """Boxes of any face detector as the squares that hold the landmarks, largest first.

    Detectors disagree on the forehead: a box that is higher than wide is taken from its lower edge,
    where they agree on the chin.

    Args:
        boxes: (faces, 4): left, top, right and bottom edge in frame pixels; may be empty.

    Raises:
        ValueError: If it has another shape, is not finite, or a box has no area.
    """
    wanted = "boxes must have shape (faces, 4): left, top, right, bottom in pixels"
    try:
        corners = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{wanted}, got {type(boxes).__name__}") from error
    if corners.size == 0:
        return []
    if corners.ndim != 2 or corners.shape[1] != 4:
        raise ValueError(f"{wanted}, got shape {corners.shape}")
    for box in corners:
        if not np.isfinite(box).all():
            raise ValueError(f"{wanted}, got {box.tolist()}, which is not finite")
        if box[2] <= box[0] or box[3] <= box[1]:
            raise ValueError(f"{wanted}, got {box.tolist()}, which has no area")
    return sorted((_square_in(box) for box in corners), key=lambda box: -box.side)


def _square_in(corners: Float[np.ndarray, "edges=4"]) -> Box:
    left, top, right, bottom = corners.tolist()
    width, height = right - left, bottom - top
    center_y = bottom - width / 2 if height > width else (top + bottom) / 2
    return Box((left + right) / 2, center_y, width)
