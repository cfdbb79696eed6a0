"""Closing an eye: the upper lid slides down over the eyeball onto the lower lid."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from tracker.layouts import Outline

from .deform import Axes, Deformation, smooth_step
from .face import PhotographedFace

_LEAST_EYE_PX = 2.0
_SKIN = 0.4
"""Height of the skin above the lid that unfolds, in eye widths."""
_CORNER = 0.12
"""Share of the eye's width beside each corner over which the fall sets in."""
_LASHES_PX = 0.6
"""The lid's edge reaches this far below its landmarks and fades within one pixel more."""


def eyelids(face: PhotographedFace) -> tuple[Deformation, ...]:
    """How each eye closes; amount 1 brings each landmark of the upper lid onto the lower lid.

    The eyeball stays, and with it a landmark on the pupil. An eye seen so much from the side that
    its upper lid overhangs a corner stays open, and so does one without as many landmarks
    above as below.
    """
    eyes = [outline for outline in face.layout.outlines if outline.name.endswith(" eye")]
    closing = (_eyelid(face, eye) for eye in eyes)
    return tuple(eyelid for eyelid in closing if eyelid is not None)


def _eyelid(face: PhotographedFace, eye: Outline) -> Deformation | None:
    """An eye's outline runs from one corner over the upper lid to the other, and back below."""
    ring = np.array(eye.members)
    if len(ring) < 4 or len(ring) % 2:
        return None
    half = len(ring) // 2
    upper, lower = ring[1:half], ring[:half:-1]
    start, end = face.points[ring[0]], face.points[ring[half]]
    axes = Axes(start, end - start)
    if axes.width_px < _LEAST_EYE_PX:
        return None
    lid, fall = axes.uv(face.points[upper]), axes.uv(face.points[lower])
    fall = fall - lid
    if np.diff(lid[:, 0], prepend=0, append=1).min() < _CORNER:
        return None
    skin = min(_SKIN, 0.8 * _free_above(face, axes, lid))
    corner, uv = axes.patch((-0.4, float(lid[:, 1].min()) - skin - 0.1), (1.4, 0.5))
    u, v = uv[..., 0], uv[..., 1]
    above = v - _arc(lid[:, 0], lid[:, 1])(u)  # negative above the lid's edge
    unfolding = smooth_step(above, -skin, 0.0) * _rounded(u)
    displacement = unfolding[..., None] * _arc(lid[:, 0], fall)(u) @ axes.matrix.T
    edge_px = above * axes.width_px
    moves = np.zeros_like(face.points)
    moves[upper] = face.points[lower] - face.points[upper]
    cover = 1 - smooth_step(edge_px, _LASHES_PX, _LASHES_PX + 1)
    return Deformation(
        corner,
        displacement.astype(np.float32),
        cover.astype(np.float32),
        np.zeros(cover.shape, np.float32),
        np.zeros((*cover.shape, 3), np.float32),
        moves,
    )


def _free_above(face: PhotographedFace, axes: Axes, lid: Float[np.ndarray, "lid uv=2"]) -> float:
    """Distance from the lid up to the lowest landmark of a brow, in eye widths."""
    brows = [i for o in face.layout.outlines if o.name.endswith("brow") for i in o.members]
    u, v = axes.uv(face.points[brows]).T
    near = (u > -0.2) & (u < 1.2)
    return float(np.min(lid[:, 1].min() - v[near])) if near.any() else _SKIN


def _arc(
    u: Float[np.ndarray, " lid"], values: Float[np.ndarray, "lid *axes"]
) -> Callable[[Float[np.ndarray, "*batch"]], Float[np.ndarray, "*batch axes"]]:
    """A curve through values along the lid, zero in both corners and beyond: nearly a parabola."""
    heights = values.T / (u * (1 - u))  # of the parabola through each value
    ends = heights[..., :1], heights, heights[..., -1:]
    height = PchipInterpolator([0, *u, 1], np.concatenate(ends, -1).T)

    def at(place: Float[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch axes"]:
        inside = np.clip(place, 0, 1)
        parabola = (inside * (1 - inside)).reshape(place.shape + (1,) * (values.ndim - 1))
        return parabola * height(inside)

    return at


def _rounded(u: Float[np.ndarray, "*batch"]) -> Float[np.ndarray, "*batch"]:
    """1 along the lid, without a kink to 0 in its corners."""
    return smooth_step(u, 0, _CORNER) * smooth_step(1 - u, 0, _CORNER)
