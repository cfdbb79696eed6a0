"""What a landmark network knows besides landmarks: whether they are right, and whose face it is.

Features that the network computes anyway are averaged under the heat maps of each part of the face,
so that they come from the same places of every face. `train.fit_heads` fits both heads.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .architecture import FaceHeadsConfig
from .decode import mass

_LEAST_NORM = 1e-6


class FaceReadings(NamedTuple):
    """What the heads say of a batch of crops."""

    log_odds: Float[Tensor, " faces"]
    """Of the landmarks being right: their mean error under 8 % of the outer eye distance."""
    descriptor: Float[Tensor, "faces descriptor"]
    """Of unit length; the scalar product of two of one person is large."""


class PartFeatures(NamedTuple):
    """What the heads read."""

    pooled: Float[Tensor, "faces pooled"]
    """Colour and features of each part of the face, and of the crop as a whole."""
    maps: Float[Tensor, "faces maps"]
    """How the heat maps look: for each landmark its place, width and peak."""


class FaceHeads(nn.Module):
    """Confidence and descriptor.

    Args:
        config: Its own shape.
        landmarks: Of the network.
        features: Channels of the features, that of all maps together.
    """

    membership: Tensor

    def __init__(self, config: FaceHeadsConfig, landmarks: int, features: int) -> None:
        super().__init__()
        self.config = config
        membership = torch.zeros(len(config.parts), landmarks)
        for row, part in enumerate(config.parts):
            membership[row, list(part)] = 1 / len(part)
        self.register_buffer("membership", membership, persistent=False)
        pooled, maps = (len(config.parts) + 1) * (3 + features), 4 * landmarks
        self.usual_pooled, self.usual_maps = Standardised(pooled), Standardised(maps)
        self.hidden = nn.Linear(pooled + maps, config.hidden)
        self.log_odds = nn.Linear(config.hidden, 1)
        self.descriptor = nn.Linear(pooled, config.descriptor, bias=False)

    def forward(self, read: PartFeatures) -> FaceReadings:
        pooled, maps = self.usual_pooled(read.pooled), self.usual_maps(read.maps)
        hidden = F.relu(self.hidden(torch.cat([pooled, maps], 1)))
        described = self.descriptor(pooled)
        length = described.square().sum(1, keepdim=True).sqrt().clamp_min(_LEAST_NORM)
        return FaceReadings(self.log_odds(hidden)[:, 0], described / length)

    def read(
        self,
        crops: Float[Tensor, "faces 3 size size"],
        features: tuple[Float[Tensor, "faces channels height width"], ...],
        heatmaps: Float[Tensor, "faces landmarks height width"],
        moments: tuple[
            Float[Tensor, "faces landmarks xy=2"],
            Float[Tensor, "faces landmarks xy=2 xy=2"],
            Float[Tensor, "faces landmarks"],
        ],
    ) -> PartFeatures:
        """Gather what the heads read.

        Args:
            crops: What the network saw, in [-1, 1].
            features: Maps of one size, with the channels that `features` of the class counts.
            heatmaps: Non-negative, of that size.
            moments: Mean, covariance and peak of each heat map; crop sides from -1 to 1.
        """
        cells = heatmaps.shape[-2:]
        step = crops.shape[-1] // cells[-1]
        rows = crops.unflatten(-1, (-1, step)).sum(-1)
        small = rows.unflatten(-2, (-1, step)).sum(-2) / step**2
        seen = [small, *features]
        heatmaps = heatmaps.float()
        maps = heatmaps.flatten(2)
        weights = (self.membership / mass(heatmaps)[:, None].clamp_min(1e-9)) @ maps
        whole = torch.full_like(weights[:, :1], 1 / maps.shape[-1])
        weights = torch.cat([weights, whole], 1)
        # Each by itself: to join the features first would copy the largest maps of the network.
        averages = [weights @ part.float().flatten(2).transpose(1, 2) for part in seen]
        pooled = torch.cat(averages, 2)
        mean, covariance, peak = moments
        width = (covariance[..., 0, 0] + covariance[..., 1, 1]).clamp_min(1e-8).log()
        shape = torch.cat([mean, width[..., None], peak.clamp_min(1e-6).log()[..., None]], -1)
        return PartFeatures(pooled.flatten(1), shape.flatten(1))


class Standardised(nn.Module):
    """Subtracts the mean and divides by the standard deviation of the training's."""

    mean: Tensor
    scale: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))

    def forward(self, x: Float[Tensor, "faces size"]) -> Float[Tensor, "faces size"]:
        """In standard deviations, none beyond eight."""
        return ((x - self.mean) * self.scale).clamp(-8, 8)
