"""What training minimises.

Coordinates are normalised crop coordinates (`models.decode`), so covariances are their squares.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from models.decode import coordinate_axis, decode_mean, decode_moments

Distance = Literal["smooth-l1", "l1", "l2", "wing"]
Weight = Float[Tensor, "faces landmarks"]

_VARIANCE_GUARD = 1e-5
"""Added under the square root that divides by a standard deviation."""
_ROUND = 1e-20
"""Squared eigenvalue half-difference below which a heat map has no direction."""
_SHORTEST = 1e-6
"""Squared length below which smooth-L1 and Wing see no difference, and give no gradient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StarConfig:
    """Which of the published forms of the STAR loss."""

    version: Literal[1, 2] = 2
    """1 scales the error by the spread and then takes its distance (the published 4.02 model);
    2 takes the distance along each axis and then scales (the released default)."""
    distance: Distance = "smooth-l1"
    restriction: Literal["value", "detach"] = "value"
    """What keeps a map from growing to be forgiven more: its eigenvalues as a term of the loss, or
    no gradient through the eigenvalues that scale."""
    restriction_weight: float = 1.0


def smooth_l1(squared: Tensor, transition: float = 0.01) -> Tensor:
    """Smooth-L1 of a length given as its square: quadratic below `transition`, then linear."""
    length = squared.clamp_min(_SHORTEST).sqrt()
    return torch.where(
        squared < transition**2, 0.5 / transition * squared, length - 0.5 * transition
    )


def wing(squared: Tensor, omega: float = 0.01, epsilon: float = 2.0) -> Tensor:
    """Wing loss of a length given as its square: logarithmic below `omega`, then linear."""
    length = squared.clamp_min(_SHORTEST).sqrt()
    near = omega * torch.log1p(length / epsilon)
    joint = omega - omega * torch.log1p(torch.tensor(omega / epsilon, dtype=torch.float64)).item()
    return torch.where(length < omega, near, length - joint)


def distance_of(squared: Tensor, distance: Distance) -> Tensor:
    """A distance of lengths given as their squares, element by element."""
    if distance == "smooth-l1":
        return smooth_l1(squared)
    if distance == "wing":
        return wing(squared)
    # The root of zero has no gradient; an error of exactly zero needs none.
    return (
        squared
        if distance == "l2"
        else torch.where(squared > 0, squared, 1.0).sqrt() * squared.sign()
    )


def plain_loss(
    heatmaps: Float[Tensor, "faces landmarks height width"],
    target: Float[Tensor, "faces landmarks xy=2"],
    distance: Distance,
    weight: Weight | None = None,
) -> Float[Tensor, ""]:
    """Distance of the decoded landmark to the target, blind to the map's spread.

    Args:
        heatmaps: Non-negative, any scale.
        target: Normalised coordinates.
        distance: Its name.
        weight: Of each landmark; none: all count the same.
    """
    squared = (target - decode_mean(heatmaps)).square()
    return weighted_mean(_per_landmark(squared, distance), weight)


def star_loss(
    heatmaps: Float[Tensor, "faces landmarks height width"],
    target: Float[Tensor, "faces landmarks xy=2"],
    config: StarConfig = StarConfig(),
    weight: Weight | None = None,
) -> Float[Tensor, ""]:
    """Distance along each principal axis over the spread there, plus the spread itself.

    Eigenvalues come in closed form, so the loss stays on the device, and a map without a
    direction (one pixel, isotropic, all zero) has a finite gradient.

    Args:
        heatmaps: Non-negative, any scale.
        target: Normalised coordinates.
        config: Version, distance, restriction.
        weight: Of each landmark; none: all count the same.

    Source:
        STAR (CVPR 2023), equation of the framework figure; both versions of the released loss, and
        the paper's detach restriction.
    """
    moments = decode_moments(heatmaps)
    small, large, error = _principal_axes(moments.covariance, target - moments.mean)
    spread = torch.stack([small, large], dim=-1)  # (faces, landmarks, 2)
    scale = spread.detach() if config.restriction == "detach" else spread
    deviation = (scale + _VARIANCE_GUARD).sqrt()
    if config.version == 1:
        loss = _per_landmark((error / deviation).square(), config.distance)
    else:
        loss = (distance_of(error.square(), config.distance) / deviation).sum(-1)
    if config.restriction == "value":
        loss = loss + config.restriction_weight * spread.sum(-1)
    return weighted_mean(loss, weight)


def consistency_loss(
    heatmaps: Float[Tensor, "faces landmarks height width"],
    target: Float[Tensor, "faces landmarks xy=2"],
    again: Bool[Tensor, " faces"],
) -> Float[Tensor, ""]:
    """Distance between the errors in two views of a face: frame-to-frame noise.

    An error of the label is the same in both views and cancels, so uncertain labels count in full.
    A face with one view counts as zero, so that the parts of a batch average to the whole.

    Args:
        heatmaps: Non-negative, any scale.
        target: Normalised coordinates.
        again: True for a second view of the face before it.
    """
    error = decode_mean(heatmaps) - target
    change = smooth_l1((error - error.roll(1, 0)).square().sum(-1))
    return torch.where(again[:, None], change, 0.0).mean()


def weighted_mean(
    loss: Float[Tensor, "faces landmarks"], weight: Weight | None
) -> Float[Tensor, ""]:
    """Mean over all landmarks; a weight below 1 takes away from the sum, not from the count."""
    return (loss if weight is None else loss * weight).mean()


def _per_landmark(
    squared: Float[Tensor, "faces landmarks axes=2"], distance: Distance
) -> Float[Tensor, "faces landmarks"]:
    # The authors average l1 and l2 over both axes, but take the others of the Euclidean length.
    if distance in ("l1", "l2"):
        return distance_of(squared, distance).mean(-1)
    return distance_of(squared.sum(-1), distance)


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


def adaptive_wing_loss(
    predicted: Float[Tensor, "faces maps height width"],
    label: Float[Tensor, "faces maps height width"],
) -> Float[Tensor, ""]:
    """Adaptive Wing: the steeper for small errors the higher the label; strokes weigh elevenfold.

    Source:
        AWing (ICCV 2019), equations 5 to 7, with the constants of ADNet and STAR.
    """
    omega, theta, epsilon, alpha, weight = 14.0, 0.5, 1.0, 2.1, 10.0
    power = alpha - label
    at_theta = (theta / epsilon) ** power
    slope = omega / (1 + at_theta) * power * (theta / epsilon) ** (power - 1) / epsilon
    offset = theta * slope - omega * torch.log1p(at_theta)
    difference = (predicted - label).abs()
    # A power of zero has no gradient with respect to its exponent's base; the floor gives it one.
    near = omega * torch.log1p((difference / epsilon).clamp_min(1e-12) ** power)
    pixel = torch.where(difference < theta, near, slope * difference - offset)
    stroke = F.max_pool2d(label, 3, stride=1, padding=1) >= 0.2
    return (pixel * (1 + weight * stroke)).mean()


def gaussian_cross_entropy(
    logits: Float[Tensor, "faces landmarks height width"],
    target: Float[Tensor, "faces landmarks xy=2"],
    sigma_cells: float,
    weight: Weight | None = None,
) -> Float[Tensor, ""]:
    """Cross-entropy of the softmax map against a Gaussian around the truth.

    A truth outside the map pulls towards the nearest border, never to nowhere.

    Args:
        logits: Before the softmax.
        target: Normalised coordinates.
        sigma_cells: Width of the Gaussian in cells of the map.
        weight: Of each landmark; none: all count the same.
    """
    height, width = logits.shape[-2:]
    column = _gaussian_weights(target[..., 0], width, sigma_cells)
    row = _gaussian_weights(target[..., 1], height, sigma_cells)
    log_probability = logits.flatten(2).log_softmax(-1).view_as(logits)
    entropy = -torch.einsum("flhw,flh,flw->fl", log_probability, row, column)
    return weighted_mean(entropy, weight)


def _gaussian_weights(center: Tensor, cells: int, sigma_cells: float) -> Tensor:
    sigma = sigma_cells * 2 / (cells - 1)
    axis = coordinate_axis(cells, center)
    return (-((axis - center[..., None]) / sigma).square() / 2).softmax(-1)
