"""Landmarks, ids and uncertainty ellipses onto a copy of the frame."""

import cv2
import numpy as np

from .gaussian import ellipse_axes
from .layouts import Layout
from .types import Image, LandmarkEstimate, TrackedFace

_SUBPIXEL_BITS = 4
_ELLIPSE_PROBABILITY = 0.95
_COLOURS = (
    (80, 220, 100), (90, 170, 255), (255, 170, 60), (240, 110, 200),
    (255, 230, 80), (120, 240, 240), (190, 140, 255), (255, 120, 110),
)  # fmt: skip
_PREDICTED_COLOUR = (160, 160, 160)


def draw_faces(
    image: Image, faces: list[TrackedFace], layout: Layout, *, ellipses: bool, raw: bool = False
) -> Image:
    """A copy of the image with every face on it.

    Args:
        image: The frame.
        faces: As the tracker returned them.
        layout: Of their landmarks.
        ellipses: Draw the region that holds each landmark with 95 % probability.
        raw: Draw what was measured in place of what was filtered.
    """
    canvas = image.copy()
    for face in faces:
        estimate = face.measured if raw and face.measured is not None else face.landmarks
        colour = _PREDICTED_COLOUR if face.is_predicted else _COLOURS[face.track_id % len(_COLOURS)]
        draw_estimate(canvas, estimate, layout, colour, ellipses=ellipses)
        _draw_id(canvas, estimate, face, colour)
    return canvas


def draw_estimate(
    canvas: Image,
    estimate: LandmarkEstimate,
    layout: Layout,
    colour: tuple[int, int, int],
    *,
    ellipses: bool,
) -> None:
    """Draw the landmarks of one face onto `canvas` itself."""
    unit = max(float(layout.interocular(estimate.mean)) / 60, 0.6)
    fixed = np.round(estimate.mean * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    thin = max(round(unit / 2), 1)
    for outline in layout.outlines:
        chain = fixed[list(outline.members)].reshape(-1, 1, 2)
        cv2.polylines(canvas, [chain], outline.closed, colour, thin, cv2.LINE_AA, _SUBPIXEL_BITS)
    radius = round(1.2 * unit * (1 << _SUBPIXEL_BITS))
    for x, y in fixed.tolist():
        cv2.circle(canvas, (x, y), radius, (255, 255, 255), cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)
    if ellipses:
        _draw_ellipses(canvas, estimate, colour)


def _draw_ellipses(canvas: Image, estimate: LandmarkEstimate, colour: tuple[int, int, int]) -> None:
    half_axes, angles = ellipse_axes(estimate.covariance, _ELLIPSE_PROBABILITY)
    for center, axes, angle in zip(estimate.mean, half_axes, angles, strict=True):
        box = (tuple(center.tolist()), tuple((2 * axes).tolist()), float(angle))
        cv2.ellipse(canvas, box, colour, 1, cv2.LINE_AA)


def _draw_id(
    canvas: Image, estimate: LandmarkEstimate, face: TrackedFace, colour: tuple[int, int, int]
) -> None:
    left, top = estimate.mean.min(0)
    size = max(canvas.shape[0] / 720, 0.45)
    corner = (round(float(left)), max(round(float(top) - 6 * size), round(20 * size)))
    text = f"{face.track_id}" + (" (predicted)" if face.is_predicted else "")
    cv2.putText(
        canvas, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, colour, max(round(2 * size), 1),
        cv2.LINE_AA,
    )  # fmt: skip
