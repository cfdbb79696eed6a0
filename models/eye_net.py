"""The eyes' network: where the pupil is, how surely, and how far the eye is shut.

The pupil is the mean of a heat map, its covariance is read off what the network sees, as a
heteroscedastic regression learns it (Nix and Weigend, 1994).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from .face_net import ConvNorm, Separable

SIZE_PX = 40
"""Side of the crops, as `tracker.analysis.eye_crop` cuts them."""
_CELL_PX = 2
_LEAST_DEVIATION_PX = 0.1
_LEAST_SHUT_DEVIATION = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeNetConfig:
    """The shape of the network; saved with its weights."""

    widths: tuple[int, int, int, int] = (16, 32, 48, 64)
    """Channels of the stem and at strides 2, 4 and 8."""
    depth: int = 2
    """Separable blocks at each of the three strides."""


class EyeNet(nn.Module):
    """Crops in, seven numbers for each out.

    They are the pupil's x and y and its covariance xx, xy and yy (crop pixels), how far the eye is
    shut (0 to 1), and the standard deviation of that.
    """

    cells: Tensor

    def __init__(self, config: EyeNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EyeNetConfig()
        stem, fine, middle, coarse = config.widths
        self.stem = ConvNorm(3, stem, 3, stride=2)
        self.fine = _blocks(stem, fine, config.depth, stride=1)
        self.middle = _blocks(fine, middle, config.depth, stride=2)
        self.coarse = _blocks(middle, coarse, config.depth, stride=2)
        self.from_coarse = ConvNorm(coarse, middle, 1, relu=False)
        self.from_middle = ConvNorm(middle, fine, 1, relu=False)
        self.smooth = nn.Sequential(Separable(fine, fine), Separable(fine, fine))
        self.heat = nn.Conv2d(fine, 1, 1)
        self.spread = nn.Sequential(nn.Linear(coarse + fine, 32), nn.ReLU(), nn.Linear(32, 5))
        centres = torch.arange(0, SIZE_PX, _CELL_PX) + (_CELL_PX - 1) / 2
        down, across = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("cells", torch.stack([across, down], -1).flatten(0, 1))

    def forward(self, crops: Float[Tensor, "eyes 3 size size"]) -> Float[Tensor, "eyes 7"]:
        """Answers in crop pixels.

        Args:
            crops: RGB, 0 to 255.
        """
        return self.answers_and_heat(crops)[0]

    def answers_and_heat(
        self, crops: Float[Tensor, "eyes 3 size size"]
    ) -> tuple[Float[Tensor, "eyes 7"], Float[Tensor, "eyes cells"]]:
        """Also the heat map's logits, for training."""
        fine = self.fine(self.stem((crops - 127.5) / 64.0))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        middle = middle + F.interpolate(self.from_coarse(coarse), scale_factor=2.0)
        fine = self.smooth(fine + F.interpolate(self.from_middle(middle), scale_factor=2.0))
        heat = self.heat(fine).flatten(1)
        share = heat.softmax(1)
        under_pupil = (fine.flatten(2) * share[:, None]).sum(2)
        raw = self.spread(torch.cat([coarse.mean((2, 3)), under_pupil], 1))
        along, down = (raw[:, :2].clamp(-4, 4).exp() + _LEAST_DEVIATION_PX).unbind(1)
        tilt = raw[:, 2].clamp(-4, 4)
        shut = raw[:, 3].sigmoid()
        deviation = raw[:, 4].clamp(-6, 0).exp() + _LEAST_SHUT_DEVIATION
        rest = [along.square(), along * tilt, down.square() + tilt.square(), shut, deviation]
        return torch.cat([share @ self.cells, torch.stack(rest, 1)], 1), heat


class EyeNetOnBytes(nn.Module):
    """The same network on crops as they are cut: uint8, channels last."""

    def __init__(self, network: EyeNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: UInt8[Tensor, "eyes size size 3"]) -> Float[Tensor, "eyes 7"]:
        """As `EyeNet`."""
        return self.network(crops.permute(0, 3, 1, 2).float())


def _blocks(inputs: int, outputs: int, depth: int, *, stride: int) -> nn.Sequential:
    rest = (Separable(outputs, outputs) for _ in range(depth - 1))
    return nn.Sequential(Separable(inputs, outputs, stride=stride), *rest)
