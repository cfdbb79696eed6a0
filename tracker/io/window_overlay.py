"""What a window shows over the picture: pose axes, figures, help; and the view in a mirror."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float

from ..types import Face, Image, LandmarkEstimate

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_AXES = ((0, 1, (255, 80, 80)), (1, -1, (80, 255, 80)), (2, -1, (90, 150, 255)))
"""Of the head: to the person's left, up, out of the face; column, sign and colour."""
_SHADE = 0.35


def mirrored_view(image: Image, faces: list[Face]) -> tuple[Image, list[Face]]:
    """Picture and faces as a mirror shows them; landmarks keep their indices."""
    width = image.shape[1]
    return np.ascontiguousarray(image[:, ::-1]), [_mirrored(face, width) for face in faces]


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


def draw_pose_axes(canvas: Image, face: Face) -> None:
    """Three axes from between the eyes onto `canvas` itself, as long as the eyes are apart."""
    if face.analysis is None or face.layout is None:
        return
    points = face.landmarks.mean
    corners: Float[np.ndarray, "eyes=2 xy=2"] = points[list(face.layout.eye_corners)]
    origin, rotation = corners.mean(0), face.analysis.pose.rotation
    length = max(float(face.layout.interocular(points)), float(np.ptp(points[:, 1])) / 2)
    for column, sign, colour in _AXES:
        tip = origin + sign * length * rotation[:2, column]
        ends = [tuple(np.clip(np.round(end), -9999, 9999).astype(int).tolist())
                for end in (origin, tip)]  # fmt: skip
        cv2.line(canvas, ends[0], ends[1], colour, max(round(length / 40), 2), cv2.LINE_AA)


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
