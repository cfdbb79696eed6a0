"""The STAR stacked hourglass and its smaller relatives.

Module names are those of the authors' checkpoints, so their files load key by key. The published
network is the default of `LandmarkNetConfig`; everything smaller is the same code with other
numbers.
"""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .architecture import LandmarkNetConfig
from .coordinates import convolve_with_coordinates, coordinate_channels
from .decode import decode_mean
from .face_heads import FaceHeads

__all__ = ["LandmarkNet", "LandmarkNetConfig", "LandmarkOutput", "Stage"]

_MASK_THRESHOLD = 0.05
"""Where the last heat map of the stage before counts as 'there' for the masked coordinates."""


class Stage(NamedTuple):
    """Outputs of one stack: logits for the losses, maps for the next stage."""

    logits: Float[Tensor, "faces landmarks height width"]
    heatmaps: Float[Tensor, "faces landmarks height width"]
    """Normalised heat maps times attention: what is decoded."""
    pointmaps: Float[Tensor, "faces landmarks height width"] | None
    edgemaps: Float[Tensor, "faces edges height width"] | None
    features: tuple[Tensor, ...] = ()
    """What the stack was given and what it made of it, of the heat maps' size."""


class LandmarkOutput(NamedTuple):
    """Landmarks of every stage in normalised crop coordinates, and the last stage's maps."""

    landmarks: Float[Tensor, "faces landmarks xy=2"]
    stages: Float[Tensor, "stages faces landmarks xy=2"]
    heatmaps: Float[Tensor, "faces landmarks height width"]


class ConvBlock(nn.Module):
    """Convolution with bias and half padding, then batch norm and ReLU where asked for."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        normed: bool = False,
    ) -> None:
        super().__init__()
        padding = (kernel - 1) // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups)
        self.bn = nn.BatchNorm2d(outputs) if normed else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolve(x)
        return x if self.bn is None else F.relu(self.bn(x), inplace=True)

    def convolve(self, x: Tensor) -> Tensor:
        """The convolution alone."""
        return self.conv(x)


class ResidualBlock(nn.Module):
    """Pre-activation bottleneck; its shortcut is a convolution only where the width changes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = outputs // 2
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = ConvBlock(inputs, middle)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv2 = ConvBlock(middle, middle, 3)
        self.bn3 = nn.BatchNorm2d(middle)
        self.conv3 = ConvBlock(middle, outputs)
        self.skip_layer = None if inputs == outputs else ConvBlock(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.skip_layer is None else self.skip_layer(x)
        x = self.conv1(F.relu(self.bn1(x), inplace=True))
        x = self.conv2(F.relu(self.bn2(x), inplace=True))
        x = self.conv3(F.relu(self.bn3(x), inplace=True))
        return x + shortcut


class SeparableBlock(nn.Module):
    """Pre-activation depthwise 3x3 and 1x1 convolutions: a third of a bottleneck's operations.

    Source:
        Xception (CVPR 2017), with the bottleneck's order of norm, activation and convolution.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = ConvBlock(inputs, inputs, 3, groups=inputs)
        self.bn2 = nn.BatchNorm2d(inputs)
        self.conv2 = ConvBlock(inputs, outputs)
        self.skip_layer = None if inputs == outputs else ConvBlock(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.skip_layer is None else self.skip_layer(x)
        x = self.conv1(F.relu(self.bn1(x), inplace=True))
        x = self.conv2(F.relu(self.bn2(x), inplace=True))
        return x + shortcut


_BLOCKS: dict[str, Callable[[int, int], nn.Module]] = {
    "bottleneck": ResidualBlock,
    "separable": SeparableBlock,
}


class CoordConvBlock(ConvBlock):
    """A block that sees row, column and radius beside its input."""

    def convolve(self, x: Tensor) -> Tensor:
        return convolve_with_coordinates(self.conv, x)


class CoordConv(nn.Module):
    """Appends row, column and radius (and, with a mask, both once more masked), then mixes 1x1.

    Source:
        AWing (ICCV 2019) as used by ADNet and STAR: the row comes before the column.
    """

    def __init__(self, inputs: int, outputs: int, *, masked: bool) -> None:
        super().__init__()
        self.masked = masked
        self.conv = nn.Conv2d(inputs + (5 if masked else 3), outputs, 1)

    def forward(self, x: Tensor, mask_source: Tensor | None) -> Tensor:
        if not self.masked:
            return convolve_with_coordinates(self.conv, x)
        assert mask_source is not None, "stages after the first see the heat maps before them"
        channels = coordinate_channels(x).expand(len(x), -1, -1, -1)
        seen = mask_source[:, -1:].clamp(0, 1) > _MASK_THRESHOLD
        return self.conv(torch.cat([x, channels, channels[:, :2] * seen], dim=1))


class HourglassLevel(nn.Module):
    """One halving and back, with the next level inside."""

    def __init__(self, depth: int, width: int, block: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.up1 = block(width, width)
        self.low1 = block(width, width)
        inner = HourglassLevel(depth - 1, width, block) if depth > 1 else block(width, width)
        self.low2: nn.Module = inner
        self.low3 = block(width, width)

    def forward(self, x: Tensor) -> Tensor:
        low = self.low3(self.low2(self.low1(F.max_pool2d(x, 2))))
        size = x.shape[-2:]
        if size == (2 * low.shape[-2], 2 * low.shape[-1]):  # ONNX Runtime's fast path
            return self.up1(x) + F.interpolate(low, scale_factor=2, mode="nearest")
        return self.up1(x) + F.interpolate(low, size=size, mode="nearest")


class Hourglass(HourglassLevel):
    """The outermost level: coordinate channels first."""

    def __init__(self, config: LandmarkNetConfig, *, masked: bool) -> None:
        super().__init__(config.depth, config.width, _BLOCKS[config.block])
        self.coordconv = CoordConv(config.width, config.width, masked=masked)

    def forward(self, x: Tensor, previous: Tensor | None = None) -> Tensor:
        return super().forward(self.coordconv(x, previous))


class EdgeToHeat(nn.Module):
    """Gives each landmark the map of the outline it lies on, or all ones if it lies on none."""

    weight: Tensor
    bias: Tensor

    def __init__(self, landmarks: int, edges: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        belongs = torch.zeros(landmarks, len(edges), 1, 1)
        for edge, members in enumerate(edges):
            belongs[list(members), edge] = 1
        self.register_buffer("weight", belongs)
        self.register_buffer("bias", (belongs.sum((1, 2, 3)) == 0).float())

    def forward(self, edgemaps: Tensor) -> Tensor:
        return F.conv2d(edgemaps, self.weight, self.bias)


class Stem(nn.Sequential):
    """Picture to features, a quarter of its size as published."""

    def __init__(self, config: LandmarkNetConfig) -> None:
        width, block = config.stem_width, _BLOCKS[config.block]
        layers = [
            CoordConvBlock(6, width, 7, stride=2, normed=True),
            block(width, 2 * width),
            block(2 * width, 2 * width),
        ]
        halved = [
            [layer, nn.MaxPool2d(2)] if index in config.stem_pools else [layer]
            for index, layer in enumerate(layers)
        ]
        super().__init__(*chain(*halved), block(2 * width, config.width))


class LandmarkNet(nn.Module):
    """Face crops in [-1, 1] to heat maps of every landmark."""

    def __init__(self, config: LandmarkNetConfig) -> None:
        super().__init__()
        self.config = config
        width, landmarks = config.width, config.landmarks
        self.pre = Stem(config)
        masks = [stage > 0 and config.heatmap == "instance-relu" for stage in range(config.stacks)]
        self.hgs = nn.ModuleList(Hourglass(config, masked=masked) for masked in masks)
        self.features = nn.ModuleList(
            nn.Sequential(_BLOCKS[config.block](width, width), ConvBlock(width, width, normed=True))
            for _ in range(config.stacks)
        )
        self.out_heatmaps = _heads(config.stacks, width, landmarks)
        self.merge_features = _heads(config.stacks - 1, width, width)
        self.merge_heatmaps = _heads(config.stacks - 1, landmarks, width)
        self.heads = FaceHeads(config.heads, landmarks, 2 * width) if config.heads else None
        if config.attention:
            edges = len(config.edges)
            self.e2h_transform = EdgeToHeat(landmarks, config.edges)
            self.out_pointmaps = _heads(config.stacks, width, landmarks)
            self.out_edgemaps = _heads(config.stacks, width, edges)
            self.merge_pointmaps = _heads(config.stacks - 1, landmarks, width)
            self.merge_edgemaps = _heads(config.stacks - 1, edges, width)

    def forward(self, crops: Float[Tensor, "faces 3 height width"]) -> LandmarkOutput:
        """Landmarks of all stages; `crops` in the colour order the weights were trained with."""
        stages = self.run_stages(crops)
        decoded = torch.stack([decode_mean(stage.heatmaps) for stage in stages])
        return LandmarkOutput(decoded[-1], decoded, stages[-1].heatmaps)

    def run_stages(self, crops: Float[Tensor, "faces 3 height width"]) -> list[Stage]:
        """Everything the losses need, first stage first."""
        x = self.pre(crops)
        stages: list[Stage] = []
        previous = None
        for index in range(self.config.stacks):
            features = self.features[index](self.hgs[index](x, previous))
            logits = _widened(self.out_heatmaps[index](features))
            previous = self._normalise(logits)
            pointmaps, edgemaps, attention = self._attend(index, features)
            heatmaps = previous if attention is None else attention * previous
            stages.append(Stage(logits, heatmaps, pointmaps, edgemaps, (x, features)))
            if index + 1 < self.config.stacks:
                x = x + self.merge_features[index](features) + self.merge_heatmaps[index](previous)
                if pointmaps is not None:
                    x = x + self.merge_pointmaps[index](pointmaps)
                    x = x + self.merge_edgemaps[index](edgemaps)
        return stages

    def _attend(
        self, index: int, features: Tensor
    ) -> tuple[Tensor, Tensor, Tensor] | tuple[None, None, None]:
        if not self.config.attention:
            return None, None, None
        pointmaps = torch.sigmoid(_widened(self.out_pointmaps[index](features)))
        edgemaps = torch.sigmoid(_widened(self.out_edgemaps[index](features)))
        return pointmaps, edgemaps, self.e2h_transform(edgemaps) * pointmaps

    def _normalise(self, logits: Tensor) -> Tensor:
        if self.config.heatmap == "softmax":
            return logits.flatten(2).softmax(-1).view_as(logits)
        return F.relu(F.instance_norm(logits))


def _widened(logits: Tensor) -> Tensor:
    """Maps and what is decoded from them are single precision, even if convolutions are half."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def _heads(count: int, inputs: int, outputs: int) -> nn.ModuleList:
    return nn.ModuleList(ConvBlock(inputs, outputs) for _ in range(count))
