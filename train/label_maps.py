"""What the attention maps are taught: a dot for every landmark, a stroke for every outline.

Drawn on the crop and reduced to the network's quarter size, exactly as ADNet and STAR draw them.
"""

import warnings

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from scipy.interpolate import splev, splprep
from torch import Tensor

from tracker.layouts import Layout, Outline

_SIGMA = 1.5
_HALF = 4.5
"""Half the side of a dot's square, in crop pixels."""
_STRIDE = 4
"""Crop pixels per cell of a map."""
_ENLARGED = 4
"""Strokes are drawn this many times larger and averaged: that smooths their edges."""
FULL_STROKE = (2 * _ENLARGED) ** 2
"""What a cell wholly under a stroke counts."""
_SAMPLES = 5
"""Points of the curve between two landmarks."""


def point_maps(
    points: Float[Tensor, "faces landmarks xy=2"], size_px: int
) -> Float[Tensor, "faces landmarks cells cells"]:
    """A dot for every landmark, `points` in crop pixels, on the points' device.

    The published drawing pastes a 10x10 kernel and halves the map twice by bilinear sampling; the
    kernel is a product of two profiles, so one line per axis says it all.
    """
    column, row = (_profile(points[..., axis], size_px) for axis in (0, 1))
    return torch.einsum("flh,flw->flhw", row, column)


def _profile(center: Tensor, size_px: int) -> Float[Tensor, "faces landmarks cells"]:
    center = center.clamp(0, size_px - 1)[..., None]
    # Truncation towards zero shifts dots near the top and left border, as published.
    first, end = (center - _HALF).trunc(), (center + _HALF + 1).trunc()
    pixel = torch.arange(size_px, dtype=center.dtype, device=center.device)
    height = torch.exp(-((pixel - first - 5).square()) / (2 * _SIGMA**2))
    height = height * ((pixel >= first) & (pixel < end))
    # Bilinear reduction by 4 without antialiasing: the mean of pixels 4 i + 1 and 4 i + 2.
    return (height[..., 1::_STRIDE] + height[..., 2::_STRIDE]) / 2


def edge_maps(
    points: Float[np.ndarray, "landmarks xy=2"], layout: Layout, size_px: int
) -> UInt8[np.ndarray, "edges cells cells"]:
    """A stroke for every outline, `points` in crop pixels; `FULL_STROKE` is full strength.

    Each cell averages an 8x8 block of the enlarged drawing: what reduction by area to the crop and
    then bilinearly to the map amounts to.

    Args:
        points: Crop pixels.
        layout: With the outlines.
        size_px: Side of the crop, a multiple of 4.
    """
    return np.stack([_stroke(points, outline, size_px) for outline in layout.outlines])


def _stroke(
    points: Float[np.ndarray, "landmarks xy=2"], outline: Outline, size_px: int
) -> UInt8[np.ndarray, "cells cells"]:
    curve = _spline(points[list(outline.members)], closed=outline.closed).clip(0, size_px - 1)
    vertices = (curve * _ENLARGED + 0.5).astype(np.int32)
    cells, block = size_px // _STRIDE, _STRIDE * _ENLARGED
    # Only the cells under the stroke are drawn; most outlines cover little of the crop.
    low = np.maximum((vertices.min(0) - _ENLARGED) // block, 0)
    high = np.minimum((vertices.max(0) + _ENLARGED) // block + 1, cells)
    columns, rows = (high - low).tolist()
    canvas = np.zeros((rows * block, columns * block), dtype=np.uint8)
    cv2.polylines(canvas, [vertices - low * block], outline.closed, (1,), thickness=_ENLARGED)
    blocks = canvas.reshape(rows, block, columns, block)
    middle = blocks[:, block // 4 : 3 * block // 4, :, block // 4 : 3 * block // 4]
    stroke = np.zeros((cells, cells), dtype=np.uint8)
    stroke[low[1] : high[1], low[0] : high[0]] = middle.sum((1, 3), dtype=np.uint8)
    return stroke


def _spline(
    members: Float[np.ndarray, "members xy=2"], *, closed: bool
) -> Float[np.ndarray, "curve xy=2"]:
    """A cubic curve through the landmarks; the landmarks themselves where there is none."""
    knots = np.vstack([members, members[:1]]) if closed else members
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # two landmarks in one place
            spline, at = splprep(knots.T, s=0, k=3, per=closed)
    except (ValueError, TypeError):
        return members
    share = np.arange(_SAMPLES) / _SAMPLES
    inner = (at[:-1, None] + np.diff(at)[:, None] * share).ravel()
    curve = np.stack(splev(inner if closed else np.append(inner, at[-1]), spline), axis=-1)
    return curve if np.isfinite(curve).all() else members
