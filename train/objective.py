"""The losses of a recipe, added up over the stacks of a network."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from models.landmark_net import Stage
from tracker.crop import crop_pixels

from .label_maps import FULL_STROKE, point_maps
from .losses import (
    adaptive_wing_loss,
    consistency_loss,
    gaussian_cross_entropy,
    plain_loss,
    star_loss,
)
from .recipes import Recipe


@dataclass(frozen=True, slots=True)
class Labels:
    """Training targets of a batch of crops."""

    landmarks: Float[Tensor, "faces landmarks xy=2"]
    """Normalised crop coordinates; may lie outside the crop."""
    certainty: Float[Tensor, "faces landmarks"]
    """1, or less for uncertain pseudo-labels; point and edge maps ignore it."""
    edges: UInt8[Tensor, "faces edges cells cells"]
    """Strokes of `label_maps.edge_maps`; no edges where the network has no attention maps."""
    again: Bool[Tensor, " faces"]
    """A second view of the face before it."""
    size_px: int


def objective(stages: list[Stage], labels: Labels, recipe: Recipe) -> dict[str, Tensor]:
    """Every part of the loss by name, weighted, so that their sum is what training minimises.

    Args:
        stages: Outputs of the network's stacks, the last one last.
        labels: Targets of the same batch.
        recipe: With the weights of all parts.
    """
    dots = strokes = None
    if recipe.attention:
        pixels = crop_pixels(labels.landmarks, labels.size_px)
        dots = point_maps(pixels, labels.size_px)
        strokes = labels.edges.to(dots.dtype) / FULL_STROKE
    totals: dict[str, Tensor] = {}
    for index, stage in enumerate(stages):
        weight = recipe.stage_ratio ** (index + 1 - len(stages))
        parts = _position(stage, labels, recipe)
        if dots is not None and strokes is not None:
            assert stage.pointmaps is not None
            assert stage.edgemaps is not None
            parts["points"] = recipe.attention_weight * adaptive_wing_loss(stage.pointmaps, dots)
            parts["edges"] = recipe.attention_weight * adaptive_wing_loss(stage.edgemaps, strokes)
        for name, loss in parts.items():
            totals[name] = totals.get(name, torch.zeros_like(loss)) + weight * loss
    return totals


def _position(stage: Stage, labels: Labels, recipe: Recipe) -> dict[str, Tensor]:
    parts, target, certainty = {}, labels.landmarks, labels.certainty
    inside = target.clamp(-1, 1)
    if recipe.star is not None:
        parts["star"] = star_loss(stage.heatmaps, inside, recipe.star, certainty)
    if recipe.plain is not None:
        parts["plain"] = plain_loss(stage.heatmaps, inside, recipe.plain, certainty)
    if recipe.cross_entropy_weight:
        entropy = gaussian_cross_entropy(stage.logits, target, recipe.sigma_cells, certainty)
        parts["cross_entropy"] = recipe.cross_entropy_weight * entropy
    if recipe.consistency_weight:
        apart = consistency_loss(stage.heatmaps, inside, labels.again)
        parts["consistency"] = recipe.consistency_weight * apart
    return parts
