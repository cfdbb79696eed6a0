"""What a window shows over the picture: figures and help; and the view in a mirror."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from ..types import Face, Image, LandmarkEstimate

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_SHADE = 0.35


def mirrored_view(image: Image, faces: list[Face]) -> tuple[Image, list[Face]]:
    """Picture and faces as a mirror shows them; landmarks keep their indices."""
    width = image.shape[1]
    return np.ascontiguousarray(image[:, ::-1]), [_mirrored(face, width) for face in faces]


def square_pixels(canvas: Image, pixel_aspect: float) -> Image:
    """The picture as a screen of square pixels has to show it; nothing is made smaller.

    Args:
        canvas: RGB.
        pixel_aspect: Width of its pixels over their height.
    """
    height, width = canvas.shape[:2]
    size = round(width * max(pixel_aspect, 1)), round(height * max(1 / pixel_aspect, 1))
    if size == (width, height):
        return canvas
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _mirrored(face: Face, width: int) -> Face:
    measured, analysis = face.measured, face.analysis
    if analysis is not None:
        # Its columns are what a mirror shows of the head's axes; to be drawn, no rotation any more.
        seen = np.diag([-1.0, 1, 1]) @ analysis.pose.rotation
        analysis = replace(analysis, pose=replace(analysis.pose, rotation=seen))
    return replace(
        face,
        landmarks=_mirrored_estimate(face.landmarks, width),
        measured=None if measured is None else _mirrored_estimate(measured, width),
        analysis=analysis,
    )


def _mirrored_estimate(estimate: LandmarkEstimate, width: int) -> LandmarkEstimate:
    mean = estimate.mean * [-1, 1] + [width - 1, 0]
    return LandmarkEstimate(mean, estimate.covariance * [[1, -1], [-1, 1]])


def draw_lines(canvas: Image, lines: Sequence[str], *, shaded: bool = False) -> None:
    """Text in the picture's top left corner, onto `canvas` itself.

    Args:
        canvas: RGB.
        lines: From top to bottom; what follows a tab begins in a second column.
        shaded: Darken what is behind, for longer texts.
    """
    size = max(canvas.shape[0] / 900, 0.5)
    step, left = round(34 * size), round(14 * size)
    if shaded:
        box = canvas[: step * len(lines) + left]
        box[:] = (box * _SHADE).astype(np.uint8)
    for number, line in enumerate(lines, 1):
        for text, column in zip(line.split("\t"), (left, 4 * step), strict=False):
            place = column, step * number
            for colour, thickness in ((_BLACK, 5 * size), (_WHITE, 1.5 * size)):
                thick = max(round(thickness), 1)
                cv2.putText(canvas, text, place, _FONT, size, colour, thick, cv2.LINE_AA)


def draw_banner(canvas: Image, text: str) -> None:
    """A line across the bottom of the picture, as large as fits, onto `canvas` itself.

    Args:
        canvas: RGB.
        text: One line.
    """
    height, width = canvas.shape[:2]
    (text_px, _), _ = cv2.getTextSize(text, _FONT, 1.0, 2)
    size = min(0.9 * width / text_px, height / 350)
    strip = canvas[-round(50 * size) :]
    strip[:] = (strip * _SHADE).astype(np.uint8)
    place = (round((width - size * text_px) / 2), height - round(17 * size))
    thick = max(round(2 * size), 1)
    cv2.putText(canvas, text, place, _FONT, size, _WHITE, thick, cv2.LINE_AA)
