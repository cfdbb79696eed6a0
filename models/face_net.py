"""The face detector's network: one stage, no anchors, a prediction for every cell of four grids.

Source:
    The pattern is that of FCOS (Tian et al., ICCV 2019) and CenterNet (Zhou et al., 2019): a small
    backbone of depthwise-separable blocks, a top-down pyramid, a head shared by the levels.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

STRIDES = (8, 16, 32, 64)
"""Picture pixels per cell, finest level first."""
CHANNELS = 10
"""Per cell: score logit, centre x and y, log side, then x and y of eyes (right, left) and mouth."""

_FEW_FACES = -4.0
"""The score's logit before anything is learned: few cells hold a face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceNetConfig:
    """The shape of the network; saved in every checkpoint."""

    stem: tuple[int, int] = (16, 32)
    """Channels at strides 2 and 4."""
    widths: tuple[int, int, int, int] = (64, 96, 160, 160)
    """Channels of the backbone at strides 8, 16, 32 and 64."""
    depths: tuple[int, int, int, int] = (2, 4, 3, 1)
    """Separable blocks after the one that halves, at the same strides."""
    pyramid: int = 64
    """Channels of the pyramid and of the head."""


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm, and ReLU where asked for."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, relu: bool = True
    ) -> None:
        parts: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        super().__init__(*parts, *([nn.ReLU(inplace=True)] if relu else []))


class Depthwise(nn.Conv2d):
    """A filter of its own for each channel; in float32 where it has a stride or is large.

    There PyTorch's bfloat16 kernels for CPUs are several times slower.
    """

    def __init__(self, channels: int, kernel: int, stride: int) -> None:
        super().__init__(
            channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.kernel_size == (3, 3) and self.stride == (1, 1):
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class Separable(nn.Module):
    """Depthwise 3x3, pointwise 1x1, each normalised; a shortcut where the shape stays."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3) -> None:
        super().__init__()
        self.depthwise = Depthwise(inputs, kernel, stride)
        self.norm = nn.BatchNorm2d(inputs)
        self.pointwise = ConvNorm(inputs, outputs, 1)
        self.shortcut = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.pointwise(F.relu(self.norm(self.depthwise(x)), inplace=True))
        return x + y if self.shortcut else y


class FaceNet(nn.Module):
    """Pictures in, predictions for every cell of every level out.

    The channels of `CHANNELS` are raw: `decode_cells` makes pixels of them.
    """

    def __init__(self, config: FaceNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FaceNetConfig()
        first, second = config.stem
        self.stem = nn.Sequential(
            ConvNorm(3, first, 3, stride=2), ConvNorm(first, second, 3, stride=2)
        )
        self.stages = nn.ModuleList(
            nn.Sequential(
                Separable(inputs, outputs, stride=2),
                *(Separable(outputs, outputs, kernel=5 if deep else 3) for _ in range(depth)),
            )
            for (inputs, outputs), depth, deep in zip(
                pairwise((second, *config.widths)), config.depths, (0, 0, 1, 1), strict=True
            )
        )
        self.lateral = nn.ModuleList(
            ConvNorm(width, config.pyramid, 1, relu=False) for width in config.widths
        )
        self.smooth = nn.ModuleList(Separable(config.pyramid, config.pyramid) for _ in STRIDES)
        self.head = nn.Sequential(*(Separable(config.pyramid, config.pyramid) for _ in range(2)))
        # Where eyes and mouth lie at any roll is harder to say than that there is a face.
        self.place_head = nn.Sequential(
            *(Separable(config.pyramid, config.pyramid) for _ in range(2))
        )
        self.scores = nn.ModuleList(
            _prediction(config.pyramid, 1, bias=_FEW_FACES) for _ in STRIDES
        )
        self.places = nn.ModuleList(
            _prediction(config.pyramid, CHANNELS - 1, bias=0.0) for _ in STRIDES
        )

    def forward(self, pictures: Float[Tensor, "n 3 height width"]) -> list[Tensor]:
        """Raw maps (n, CHANNELS, rows, columns), a level each; sides are multiples of 32.

        Args:
            pictures: RGB, 0 to 255.
        """
        x = self.stem((pictures - 127.5) / 64.0)
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        merged = [side(level) for side, level in zip(self.lateral, levels, strict=True)]
        for fine in (1, 0):
            merged[fine] = merged[fine] + F.interpolate(merged[fine + 1], scale_factor=2.0)
        shared = [self.head(smooth(x)) for smooth, x in zip(self.smooth, merged, strict=True)]
        return [
            torch.cat([score(x), place(self.place_head(x))], 1)
            for score, place, x in zip(self.scores, self.places, shared, strict=True)
        ]


def _prediction(inputs: int, outputs: int, *, bias: float) -> nn.Conv2d:
    """The last layer, which begins by saying nothing but the bias."""
    layer = nn.Conv2d(inputs, outputs, 1)
    assert layer.bias is not None
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.constant_(layer.bias, bias)
    return layer


def decode_cells(
    raw: Float[Tensor, "n channels rows columns"], stride: int
) -> Float[Tensor, "n cells channels"]:
    """Raw maps of one level as score (0 to 1) and picture pixels, row by row.

    Centre and points are pixel coordinates, and the side is in pixels.
    """
    count, _, rows, columns = raw.shape
    across = (torch.arange(columns, device=raw.device) + 0.5) * stride - 0.5
    down = (torch.arange(rows, device=raw.device) + 0.5) * stride - 0.5
    grid_y, grid_x = torch.meshgrid(down, across, indexing="ij")
    cell = torch.stack([grid_x, grid_y]).flatten(1).to(raw.dtype)
    raw = raw.flatten(2)
    score, center, side, points = raw.split([1, 2, 1, CHANNELS - 4], 1)
    unit = 2.0 * stride
    pixels = (
        center * unit + cell,
        side.clamp(-3, 5).exp() * unit,
        points * unit + cell.repeat(3, 1),
    )
    return torch.cat([score.sigmoid(), *pixels], 1).transpose(1, 2).reshape(count, -1, CHANNELS)


class FaceReader(nn.Module):
    """What is exported: uint8 pictures in, all cells of all levels in picture pixels out."""

    def __init__(self, network: FaceNet) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, pictures: UInt8[Tensor, "n height width rgb=3"]
    ) -> Float[Tensor, "n cells channels"]:
        levels = self.network(pictures.permute(0, 3, 1, 2).float())
        decoded = [decode_cells(raw, stride) for raw, stride in zip(levels, STRIDES, strict=True)]
        return torch.cat(decoded, 1)
