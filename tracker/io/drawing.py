"""Landmarks, ids and uncertainty ellipses onto a copy of the frame."""

from collections.abc import Iterable

import cv2
import numpy as np

from ..checks import checked_image
from ..face_analysis import Eye, HeadPose
from ..gaussian import ellipse_axes
from ..layouts import IBUG_68, Layout, plain_layout
from ..types import Face, Image, LandmarkEstimate

_SUBPIXEL_BITS = 4
_ELLIPSE_PROBABILITY = 0.95
_COLOURS = (
    (80, 220, 100), (90, 170, 255), (255, 170, 60), (240, 110, 200),
    (255, 230, 80), (120, 240, 240), (190, 140, 255), (255, 120, 110),
)  # fmt: skip
_PREDICTED_COLOUR = (160, 160, 160)
_AXIS_COLOURS = ((255, 60, 60), (60, 220, 60), (70, 110, 255))
_GAZE_COLOUR = (255, 220, 60)
_BETWEEN_EYES = IBUG_68.eye_corners
"""Only faces of that layout have an analysis."""
_FARTHEST_PX = 1e6
"""Beyond it OpenCV's coordinates overflow."""


def draw_faces(  # noqa: PLR0913  of a picture there is much to say
    image: Image,
    faces: Iterable[Face],
    layout: Layout | None = None,
    *,
    ellipses: bool = False,
    raw: bool = False,
    axes: bool = False,
    image_format: str = "rgb",
) -> Image:
    """A copy of the image with every face on it.

    Args:
        image: The frame, (height, width, 3) uint8.
        faces: As the tracker reported them.
        layout: Of their landmarks, where the faces do not say it themselves.
        ellipses: Draw the region that holds each landmark with 95 % probability.
        raw: Draw the landmarks as measured in place of the filtered ones.
        axes: Draw the head's axes where a face has an analysis: red to its left hand's side, green
            down, blue where it looks; and from each open eye's pupil where that looks, yellow.
        image_format: "rgb" or "bgr"; the copy has the same.

    Raises:
        ValueError: If the image or the faces are not of that form.
    """
    canvas = checked_image(image, image_format).copy()
    if not isinstance(faces, Iterable):
        raise ValueError(f"faces must be a list of Face, got {type(faces).__name__}")
    for face in faces:
        if not isinstance(face, Face):
            raise ValueError(f"faces must be a list of Face, got {type(face).__name__} in it")
        estimate = face.measured if raw and face.measured is not None else face.landmarks
        colour = _PREDICTED_COLOUR if face.is_predicted else _COLOURS[face.track_id % len(_COLOURS)]
        draw_estimate(canvas, estimate, face.layout or layout, colour, ellipses=ellipses)
        _draw_id(canvas, estimate, face, colour)
        if axes and face.analysis is not None:
            _draw_axes(canvas, estimate, face.analysis.pose)
            for eye in (face.analysis.right_eye, face.analysis.left_eye):
                _draw_gaze(canvas, estimate, eye)
    return canvas if image_format == "rgb" else np.ascontiguousarray(canvas[:, :, ::-1])


def draw_estimate(
    canvas: Image,
    estimate: LandmarkEstimate,
    layout: Layout | None,
    colour: tuple[int, int, int],
    *,
    ellipses: bool,
) -> None:
    """Draw the landmarks of one face onto `canvas` itself; without a layout, points alone."""
    known = np.isfinite(estimate.mean).all(-1)
    mean = np.clip(np.where(known[:, None], estimate.mean, 0), -_FARTHEST_PX, _FARTHEST_PX)
    if not known.any():
        return
    length = layout.length(mean) if layout else plain_layout(known.sum()).length(mean[known])
    unit = max(float(length) / 60, 0.6)
    fixed = np.round(mean * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    thin = max(round(unit / 2), 1)
    for outline in layout.outlines if layout else ():
        members = list(outline.members)
        if known[members].all():
            chain = fixed[members].reshape(-1, 1, 2)
            cv2.polylines(
                canvas, [chain], outline.closed, colour, thin, cv2.LINE_AA, _SUBPIXEL_BITS
            )
    radius = round(1.2 * unit * (1 << _SUBPIXEL_BITS))
    for x, y in fixed[known].tolist():
        cv2.circle(canvas, (x, y), radius, (255, 255, 255), cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)
    if ellipses:
        _draw_ellipses(canvas, estimate, colour)


def _draw_axes(canvas: Image, estimate: LandmarkEstimate, pose: HeadPose) -> None:
    """From between the eyes, half as long as the face is; as a far camera would see them."""
    if not np.isfinite(estimate.mean).all():
        return
    points = np.clip(estimate.mean, -_FARTHEST_PX, _FARTHEST_PX)
    length = float(np.ptp(points, axis=0).max()) / 2
    start = points[list(_BETWEEN_EYES)].mean(0)
    away = np.array(pose.rotation.T)
    away[2] *= -1  # where the face looks
    thick = max(round(length / 30), 1)
    for axis in np.argsort(-away[:, 2]):  # the farthest first
        end = start + length * away[axis, :2]
        first, last = np.round(np.stack([start, end]) * (1 << _SUBPIXEL_BITS)).astype(int).tolist()
        cv2.line(canvas, first, last, _AXIS_COLOURS[axis], thick, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_gaze(canvas: Image, estimate: LandmarkEstimate, eye: Eye) -> None:
    """From the pupil to where the eye looks; nothing where that is not known."""
    if eye.pupil is None or eye.gaze is None:
        return
    length = float(np.ptp(estimate.mean, axis=0).max()) / 3
    ends = np.stack([eye.pupil, eye.pupil + length * eye.gaze[:2]])
    start, end = np.round(ends * (1 << _SUBPIXEL_BITS)).astype(int).tolist()
    thick = max(round(length / 40), 1)
    cv2.line(canvas, start, end, _GAZE_COLOUR, thick, cv2.LINE_AA, _SUBPIXEL_BITS)
    radius = round(max(length / 30, 1.5) * (1 << _SUBPIXEL_BITS))
    cv2.circle(canvas, start, radius, _GAZE_COLOUR, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_ellipses(canvas: Image, estimate: LandmarkEstimate, colour: tuple[int, int, int]) -> None:
    drawn = np.isfinite(estimate.mean).all(-1) & np.isfinite(estimate.covariance).all((-2, -1))
    half_axes, angles = ellipse_axes(estimate.covariance[drawn], _ELLIPSE_PROBABILITY)
    centers = np.clip(estimate.mean[drawn], -_FARTHEST_PX, _FARTHEST_PX)
    for center, axes, angle in zip(centers, half_axes, angles, strict=True):
        box = (tuple(center.tolist()), tuple((2 * axes).tolist()), float(angle))
        cv2.ellipse(canvas, box, colour, 1, cv2.LINE_AA)


def _draw_id(
    canvas: Image, estimate: LandmarkEstimate, face: Face, colour: tuple[int, int, int]
) -> None:
    if not np.isfinite(estimate.mean).all(-1).any():
        return
    left, top = np.clip(np.nanmin(estimate.mean, 0), -_FARTHEST_PX, _FARTHEST_PX)
    size = max(canvas.shape[0] / 720, 0.45)
    corner = (round(float(left)), max(round(float(top) - 6 * size), round(20 * size)))
    text = f"{face.track_id}" + (" (predicted)" if face.is_predicted else "")
    cv2.putText(
        canvas, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, colour, max(round(2 * size), 1),
        cv2.LINE_AA,
    )  # fmt: skip
