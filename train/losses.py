"""What training minimises.

Coordinates are normalised crop coordinates (`models.decode`), so covariances are their squares.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from models.decode import coordinate_axis, decode_moments

Distance = Literal["smooth-l1", "l1", "l2"]

_VARIANCE_GUARD = 1e-5
"""Added under the square root that divides by a standard deviation."""
_ROUND = 1e-20
"""Squared eigenvalue half-difference below which a heat map has no direction."""


def smooth_l1(squared: Tensor, transition: float = 0.01) -> Tensor:
    """Smooth-L1 of a length given as its square: quadratic below `transition`, then linear."""
    length = squared.clamp_min(1e-6).sqrt()
    return torch.where(
        squared < transition**2, 0.5 / transition * squared, length - 0.5 * transition
    )


def star_loss(
    heatmaps: Float[Tensor, "faces landmarks height width"],
    target: Float[Tensor, "faces landmarks xy=2"],
    *,
    distance: Distance = "smooth-l1",
    restriction: float = 1.0,
) -> Float[Tensor, ""]:
    """Distance along each principal axis over the spread there, plus the spread itself.

    Eigenvalues come in closed form, so the loss stays on the device, and a map without a
    direction (one pixel, isotropic, all zero) has a finite gradient.

    Args:
        heatmaps: Non-negative, any scale.
        target: Normalised coordinates.
        distance: Applied to the error along each axis.
        restriction: Weight of the eigenvalues, which keeps the map from growing to forgive more.

    Source:
        STAR (CVPR 2023), equation of the framework figure; version 2 of the released loss.
    """
    moments = decode_moments(heatmaps)
    small, large, error = _principal_axes(moments.covariance, target - moments.mean)
    spread = torch.stack([small, large], dim=-1)
    squared = error.square()
    if distance == "smooth-l1":
        along = smooth_l1(squared)
    else:
        along = squared if distance == "l2" else error.abs()
    scaled = (along / (spread + _VARIANCE_GUARD).sqrt()).sum(-1)
    return (scaled + restriction * spread.sum(-1)).mean()


def _principal_axes(
    covariance: Float[Tensor, "faces landmarks xy=2 xy=2"],
    error: Float[Tensor, "faces landmarks xy=2"],
) -> tuple[Tensor, Tensor, Tensor]:
    """Small and large eigenvalue, and the error along (small, large)."""
    xx, xy, yy = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
    squared = ((xx - yy) / 2).square() + xy.square()
    directed = squared > _ROUND
    half_gap = torch.where(directed, torch.where(directed, squared, 1.0).sqrt(), 0.0)
    angle = 0.5 * torch.atan2(
        torch.where(directed, 2 * xy, 0.0), torch.where(directed, xx - yy, 1.0)
    )
    middle = (xx + yy) / 2
    cosine, sine = angle.cos(), angle.sin()
    along_large = error[..., 0] * cosine + error[..., 1] * sine
    along_small = -error[..., 0] * sine + error[..., 1] * cosine
    small = (middle - half_gap).clamp_min(0)  # rounding can push a flat map's below zero
    return small, middle + half_gap, torch.stack([along_small, along_large], dim=-1)


def gaussian_cross_entropy(
    logits: Float[Tensor, "faces landmarks height width"],
    target: Float[Tensor, "faces landmarks xy=2"],
    sigma_cells: float,
) -> Float[Tensor, ""]:
    """Cross-entropy of the softmax map against a Gaussian around the truth.

    A truth outside the map pulls towards the nearest border, never to nowhere.
    """
    height, width = logits.shape[-2:]
    column = _gaussian_weights(target[..., 0], width, sigma_cells)
    row = _gaussian_weights(target[..., 1], height, sigma_cells)
    log_probability = logits.flatten(2).log_softmax(-1).view_as(logits)
    return -torch.einsum("flhw,flh,flw->fl", log_probability, row, column).mean()


def _gaussian_weights(center: Tensor, cells: int, sigma_cells: float) -> Tensor:
    sigma = sigma_cells * 2 / (cells - 1)
    axis = coordinate_axis(cells, center)
    return (-((axis - center[..., None]) / sigma).square() / 2).softmax(-1)
