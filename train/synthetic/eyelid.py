"""Closing an eye: the upper lid slides down over the eyeball onto the lower lid."""

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from tracker.layouts import Outline

from .deform import Axes, Deformation, smooth_step
from .face import Face

_SKIN = 0.4
"""Height of the skin above the lid that unfolds, in eye widths."""
_LASHES_PX = 0.6
"""The lid's edge reaches this far below its landmarks and fades within one pixel more."""


def eyelids(face: Face) -> tuple[Deformation, ...]:
    """How each eye closes; amount 1 brings each landmark of the upper lid onto the lower lid."""
    eyes = [outline for outline in face.layout.outlines if outline.name.endswith(" eye")]
    return tuple(_eyelid(face, eye) for eye in eyes)


def _eyelid(face: Face, eye: Outline) -> Deformation:
    """An eye's outline runs from one corner over the upper lid to the other, and back below."""
    ring = np.array(eye.members)
    half = len(ring) // 2
    upper, lower = ring[1:half], ring[:half:-1]
    start, end = face.points[ring[0]], face.points[ring[half]]
    axes = Axes(start, end - start)
    lid, fall = axes.uv(face.points[upper]), axes.uv(face.points[lower])
    fall = fall - lid
    skin = min(_SKIN, 0.8 * _free_above(face, axes, lid))
    corner, uv = axes.patch((-0.4, float(lid[:, 1].min()) - skin - 0.1), (1.4, 0.5))
    above = uv[..., 1] - _edge(lid)(uv[..., 0])  # negative above the lid's edge
    unfolding = smooth_step(above, -skin, 0.0)
    displacement = unfolding[..., None] * _fall(lid, fall)(uv[..., 0]) @ axes.matrix.T
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


def _free_above(face: Face, axes: Axes, lid: Float[np.ndarray, "lid uv=2"]) -> float:
    """Distance from the lid up to the lowest landmark of a brow, in eye widths."""
    brows = [i for o in face.layout.outlines if o.name.endswith("brow") for i in o.members]
    u, v = axes.uv(face.points[brows]).T
    near = (u > -0.2) & (u < 1.2)
    return float(np.min(lid[:, 1].min() - v[near])) if near.any() else _SKIN


def _edge(lid: Float[np.ndarray, "lid uv=2"]) -> PchipInterpolator:
    """The lid's edge through its landmarks and both corners, level beyond them."""
    u = np.concatenate([[-0.6, -0.3, 0.0], lid[:, 0], [1.0, 1.3, 1.6]])
    v = np.concatenate([[0.0, 0.0, 0.0], lid[:, 1], [0.0, 0.0, 0.0]])
    return PchipInterpolator(u, v)


def _fall(
    lid: Float[np.ndarray, "lid uv=2"], fall: Float[np.ndarray, "lid uv=2"]
) -> PchipInterpolator:
    """How far the lid falls along u; in the corners it starts at once but without a kink."""
    near = 0.2
    u = [-0.6, -0.3, 0.0, near * lid[0, 0], *lid[:, 0], 1 - near * (1 - lid[-1, 0]), 1.0, 1.3, 1.6]
    zero = np.zeros((3, 2))
    return PchipInterpolator(
        u, np.concatenate([zero, near * fall[:1], fall, near * fall[-1:], zero])
    )
