"""From heat maps to Gaussians: the one decoder of training, running and measuring.

Normalised coordinates are (x, y) with -1 and +1 on the centres of the border *cells* of the heat
map. Labels and crops use the half-pixel rule instead (`tracker.crop`): -1 is the left edge of the
crop, +1 its right edge. STAR was trained across that mismatch, so it is part of the network.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

_SMALLEST_SUM = 1e-6
"""An all-zero map decodes to (0, 0) instead of dividing by zero."""
_BIAS_GUARD = 1e-5
"""Added to both weight sums of the unbiased covariance, so that a one-pixel map stays finite."""


class Moments(NamedTuple):
    """Mean and unbiased covariance of every heat map, in normalised coordinates."""

    mean: Float[Tensor, "faces landmarks xy=2"]
    covariance: Float[Tensor, "faces landmarks xy=2 xy=2"]


def coordinate_axis(length: int, like: Tensor) -> Float[Tensor, " length"]:
    """Cell centres from -1 to 1; rounded as float32 because the published weights saw it so."""
    cells = torch.arange(length, device=like.device, dtype=torch.float32)
    return (cells / (length - 1) * 2 - 1).to(like.dtype)


def mass(
    heatmaps: Float[Tensor, "faces landmarks height width"],
) -> Float[Tensor, "faces landmarks"]:
    """Sum of each map."""
    return heatmaps.sum(-1).sum(-1)


def decode_mean(
    heatmaps: Float[Tensor, "faces landmarks height width"],
) -> Float[Tensor, "faces landmarks xy=2"]:
    """Centre of mass of non-negative maps of any scale.

    Source:
        STAR (CVPR 2023), soft-argmax without exponent or temperature.
    """
    total = mass(heatmaps).clamp_min(_SMALLEST_SUM)
    height, width = heatmaps.shape[-2:]
    x = (heatmaps.sum(-2) @ coordinate_axis(width, heatmaps)) / total
    y = (heatmaps.sum(-1) @ coordinate_axis(height, heatmaps)) / total
    return torch.stack([x, y], dim=-1)


def decode_moments(heatmaps: Float[Tensor, "faces landmarks height width"]) -> Moments:
    """Mean and unbiased weighted covariance of non-negative maps of any scale.

    Source:
        STAR (CVPR 2023): C = sum p d d^T / (V1 - V2 / V1) with V1 = sum p, V2 = sum p^2.
    """
    height, width = heatmaps.shape[-2:]
    axis_x, axis_y = coordinate_axis(width, heatmaps), coordinate_axis(height, heatmaps)
    columns, rows = heatmaps.sum(-2), heatmaps.sum(-1)  # (faces, landmarks, width), (…, height)
    sums = mass(heatmaps)[..., None]
    total = sums.clamp_min(_SMALLEST_SUM)
    along_rows = (heatmaps * axis_x).sum(
        -1
    ) / total  # as `@`, but that takes runtimes ten times as long
    columns, rows = columns / total, rows / total
    mean_x, mean_y = columns @ axis_x, rows @ axis_y
    offset_x, offset_y = axis_x - mean_x[..., None], axis_y - mean_y[..., None]
    xx = (columns * offset_x.square()).sum(-1)
    yy = (rows * offset_y.square()).sum(-1)
    moment_of_rows = along_rows - mean_x[..., None] * rows  # sum of p (x - mean) along each
    xy = (moment_of_rows * offset_y).sum(-1)
    total = total[..., 0]
    v1 = sums[..., 0] / total + _BIAS_GUARD
    v2 = (heatmaps * heatmaps).sum((-2, -1)) / total.square() + _BIAS_GUARD
    scatter = torch.stack([xx, xy, xy, yy], dim=-1).unflatten(-1, (2, 2))
    covariance = scatter / (v1 - v2 / v1)[..., None, None]
    return Moments(torch.stack([mean_x, mean_y], dim=-1), covariance)


def peak_share(
    heatmaps: Float[Tensor, "faces landmarks height width"],
) -> Float[Tensor, "faces landmarks"]:
    """Share of each map's mass in its strongest cell."""
    total = mass(heatmaps).clamp_min(_SMALLEST_SUM)
    return heatmaps.amax((-2, -1)) / total
