"""Opening a mouth: lower lip, chin and jaw go down, a dark hollow opens, the neck gives way."""

import cv2
import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from tracker.layouts import Layout

from .deform import Axes, Deformation, smooth_step
from .face import PhotographedFace

_OPENING = 0.27
"""Of the middle of the lower lip, in inter-ocular distances."""
_LIP_PX = 1.5
"""Width of the blend along the edge of the lip."""


def mouth(face: PhotographedFace) -> Deformation:
    """How the mouth opens; amount 1 lowers the middle of the lower lip by 0.27 eye distances."""
    inner, outer = _lower_lip(face.layout)
    start, end = face.points[inner[0]], face.points[inner[-1]]
    axes = Axes(start, end - start)
    drop = _OPENING * face.eye_px / axes.width_px
    contour = _contour(face.layout)
    chin_v = _chin_v(face, axes, inner, contour)
    corner, uv = axes.patch((-1.6, -0.3), (2.6, chin_v + 3.4 * drop))
    lip = _lip(axes.uv(face.points[list(inner)]))
    share = _share(uv, lip, chin_v, drop)
    displacement = share[..., None] * np.array([0, drop]) @ axes.matrix.T
    below_px = (uv[..., 1] - lip(uv[..., 0])) * axes.width_px
    moving = sorted({*inner[1:-1], *outer, *contour})
    moves = np.zeros_like(face.points)
    moved = _share(axes.uv(face.points[moving]), lip, chin_v, drop)
    moves[moving] = moved[:, None] * np.array([0, drop]) @ axes.matrix.T
    return Deformation(
        corner,
        displacement.astype(np.float32),
        smooth_step(below_px, -_LIP_PX, 0).astype(np.float32),
        _hollow(uv, below_px).astype(np.float32),
        _hollow_colour(face, list(inner) + list(outer), uv, drop).astype(np.float32),
        moves,
    )


def _lower_lip(layout: Layout) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Inner edge of the lower lip from corner to corner, and the rest of that lip."""
    rings = {outline.name: outline.members for outline in layout.outlines}
    if "inner lip" not in rings:  # COFW: a ring for each lip
        right, inner, left, outer = rings["lower lip"]
        return (right, inner, left), (outer,)
    ring, around = rings["inner lip"], rings["outer lip"]
    half, outer_half = len(ring) // 2, len(around) // 2
    return (ring[0], *ring[:half:-1], ring[half]), around[outer_half + 1 :]


def _contour(layout: Layout) -> tuple[int, ...]:
    named = [outline.members for outline in layout.outlines if outline.name == "contour"]
    return named[0] if named else (layout.count - 1,)  # COFW ends with the chin


def _chin_v(
    face: PhotographedFace, axes: Axes, inner: tuple[int, ...], contour: tuple[int, ...]
) -> float:
    """Height of the chin in mouth widths, at least a lip's height below the mouth."""
    lip_v = axes.uv(face.points[list(inner)])[:, 1].max()
    return float(max(axes.uv(face.points[list(contour)])[:, 1].max(), lip_v + 0.3))


def _lip(inner: Float[np.ndarray, "lip uv=2"]) -> PchipInterpolator:
    """The edge that parts, from corner to corner, level beyond them."""
    u = np.concatenate([[-3.0, -0.6, -0.3], inner[:, 0], [1.3, 1.6, 4.0]])
    v = np.concatenate([[0.0, 0.0, 0.0], inner[:, 1], [0.0, 0.0, 0.0]])
    return PchipInterpolator(u, v)


def _share(
    uv: Float[np.ndarray, "*batch uv=2"], lip: PchipInterpolator, chin_v: float, drop: float
) -> Float[np.ndarray, "*batch"]:
    """Share of the drop that material takes: none beside the mouth, all of it at the chin.

    The moving part widens from the mouth's corners to the jaw; the neck gives way below the chin,
    over 2.4 drops so that it never folds.
    """
    u, v = uv[..., 0], uv[..., 1]
    below = np.clip(v - lip(u), 0, None)
    half_width = 0.5 + 0.75 * smooth_step(below, 0, chin_v) + 0.15 * below
    off_center = np.clip(np.abs(u - 0.5) / half_width, 0, 1)
    give = smooth_step(v, chin_v + 0.1 * drop, chin_v + 2.9 * drop)
    return (1 - off_center**2) ** 1.2 * (1 - give)


def _hollow(
    uv: Float[np.ndarray, "height width uv=2"], below_px: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "height width"]:
    inside = np.clip(1 - np.abs(2 * uv[..., 0] - 1), 0, None)
    return smooth_step(below_px, 0, _LIP_PX) * smooth_step(inside, 0, 0.08)


def _hollow_colour(
    face: PhotographedFace, lips: list[int], uv: Float[np.ndarray, "height width uv=2"], drop: float
) -> Float[np.ndarray, "height width rgb=3"]:
    """Dark red, from the lips' own colour; darkest under the upper lip, a tongue's hint below."""
    shape = face.image.shape[:2]
    mask = cv2.fillConvexPoly(
        np.zeros(shape, np.uint8), cv2.convexHull(face.points[lips].round().astype(np.int32)), (1,)
    )
    colour = np.array(cv2.mean(face.image, mask)[:3])
    depth = smooth_step(uv[..., 1], 0, drop)[..., None]
    return colour * (np.array([0.22, 0.14, 0.14]) + depth * np.array([0.2, 0.1, 0.1]))
