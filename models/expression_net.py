"""The network of expressions: what a face does by ARKit's coefficients, and how its head is turned.

Every answer has a standard deviation, which is learned with it (Nix and Weigend, 1994).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from .face_net import ConvNorm, Separable

FACE_CROP_SIDE_PX = 64
"""Side of the crops, as `tracker.analysis.expression_crop` cuts them."""
ROTATION = 6
"""Answers about the rotation: three numbers and their deviations."""
_CELLS = 4 * 4
_LEAST_DEVIATION, _LEAST_ROTATION_DEVIATION = 0.02, 0.01
_USUALLY_NOTHING = -2.0
"""The coefficients' logit before anything is learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionNetConfig:
    """The shape of the network; saved with its weights."""

    coefficients: int
    widths: tuple[int, int, int, int, int] = (16, 24, 48, 80, 112)
    """Channels of the stem at stride 2, then at strides 2, 4, 8 and 16."""
    depths: tuple[int, int, int, int] = (1, 2, 2, 2)
    """Separable blocks at the same four strides."""
    squeezed: int = 24
    hidden: int = 160


class ExpressionNet(nn.Module):
    """Crops in; of each the coefficients, their deviations, a rotation vector, its deviations.

    The rotation vector (radians) takes the head's frame to that of a camera that looks at the
    middle of the crop; its deviations are those of small rotations about that camera's axes.
    """

    def __init__(self, config: ExpressionNetConfig) -> None:
        super().__init__()
        self.config = config
        stem, *widths = config.widths
        self.stem = ConvNorm(3, stem, 3, stride=2)
        blocks: list[nn.Module] = []
        for level, (width, depth) in enumerate(zip(widths, config.depths, strict=True)):
            inputs = config.widths[level]
            blocks.append(Separable(inputs, width, stride=1 if level == 0 else 2))
            blocks += [Separable(width, width) for _ in range(depth - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.squeeze = ConvNorm(widths[-1], config.squeezed, 1)
        self.hidden = nn.Sequential(
            nn.Linear(config.squeezed * _CELLS + widths[-1], config.hidden), nn.ReLU()
        )
        self.drop = nn.Dropout(0.1)
        self.answer = nn.Linear(config.hidden, 2 * config.coefficients + ROTATION)
        nn.init.normal_(self.answer.weight, std=0.01)
        nn.init.constant_(self.answer.bias[: config.coefficients], _USUALLY_NOTHING)
        nn.init.constant_(self.answer.bias[config.coefficients :], _USUALLY_NOTHING)
        nn.init.zeros_(self.answer.bias[2 * config.coefficients : 2 * config.coefficients + 3])

    def forward(self, crops: Float[Tensor, "faces 3 size size"]) -> Float[Tensor, "faces answers"]:
        """Answers, see above.

        Args:
            crops: RGB, 0 to 255.
        """
        x = self.blocks(self.stem((crops - 127.5) / 64.0))
        seen = torch.cat([self.squeeze(x).flatten(1), x.mean((2, 3))], 1)
        raw = self.answer(self.drop(self.hidden(seen)))
        count = self.config.coefficients
        values, spread, turn, turn_spread = raw.split([count, count, 3, 3], 1)
        deviations = spread.clamp(-6, 1).exp() + _LEAST_DEVIATION
        turn_deviations = turn_spread.clamp(-6, 1).exp() + _LEAST_ROTATION_DEVIATION
        return torch.cat([values.sigmoid(), deviations, turn, turn_deviations], 1)


class ExpressionNetOnBytes(nn.Module):
    """The same network on crops as they are cut: uint8, channels last."""

    def __init__(self, network: ExpressionNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: UInt8[Tensor, "faces size size 3"]) -> Float[Tensor, "faces answers"]:
        """As `ExpressionNet`."""
        return self.network(crops.permute(0, 3, 1, 2).float())
