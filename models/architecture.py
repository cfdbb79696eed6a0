"""The shape of a network in numbers; known without PyTorch, which builds it (`landmark_net`)."""

from dataclasses import dataclass
from typing import Literal

NetworkHeatmap = Literal["instance-relu", "softmax"]
"""How logits become weights: the published way, or a probability map as cross-entropy needs."""
NetworkBlock = Literal["bottleneck", "separable"]
"""What is repeated everywhere: the published block, or a depthwise and a 1x1 convolution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceHeadsConfig:
    """The shape of what reads confidence and identity off the network's features."""

    parts: tuple[tuple[int, ...], ...]
    """Landmark indices of each part of the face, under whose heat maps features are averaged."""
    hidden: int = 24
    """Of the confidence's one hidden layer."""
    descriptor: int = 48
    """Numbers that describe who a face is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkNetConfig:
    """The shape of a network; saved in every checkpoint."""

    landmarks: int
    edges: tuple[tuple[int, ...], ...] = ()
    """Landmark indices on each outline, one edge map per outline; unused without attention."""
    stacks: int = 4
    width: int = 256
    """Channels of the hourglasses."""
    stem_width: int = 64
    """Channels of the first convolution; the stem then doubles them once."""
    depth: int = 4
    """Halvings inside one hourglass: 64 cells become 4."""
    attention: bool = True
    """Point and edge attention maps multiplied into the heat maps (AAM of ADNet)."""
    heatmap: NetworkHeatmap = "instance-relu"
    block: NetworkBlock = "bottleneck"
    stem_pools: tuple[int, ...] = (1,)
    """After which of the stem's first three layers (0 is the convolution of stride 2) the map is
    halved. Heat maps are as large as what leaves the stem: a quarter of the crop as published."""

    heads: FaceHeadsConfig | None = None
    """None where the network finds landmarks and nothing else."""

    @property
    def stride(self) -> int:
        """Crop pixels per heat map cell."""
        return int(2 ** (1 + len(self.stem_pools)))
