"""Crops in, moments out, as one module: what PyTorch runs and what `models.export` writes down."""

from typing import NamedTuple

from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .decode import decode_moments, peak_share
from .description import CheckpointInfo
from .landmark_net import ConvBlock, LandmarkNet, ResidualBlock, SeparableBlock


class CropMomentTensors(NamedTuple):
    """As `models.calibrated_landmarker.CropMoments`, before they leave PyTorch."""

    mean: Float[Tensor, "faces landmarks xy=2"]
    spread: Float[Tensor, "faces landmarks xy=2 xy=2"]
    peak: Float[Tensor, "faces landmarks"]


class CropReader(nn.Module):
    """A network between uint8 crops and the moments of its heat maps in their pixels.

    Args:
        network: In evaluation mode; its batch norms are folded.
        info: As loaded with it.
    """

    def __init__(self, network: LandmarkNet, info: CheckpointInfo) -> None:
        super().__init__()
        self.network = fold_batch_norm(network)
        self._input_px, self._is_bgr = info.input_px, info.colour == "BGR"

    def forward(self, crops: UInt8[Tensor, "faces height width rgb=3"]) -> CropMomentTensors:
        return self.moments(self.network(self.as_input(crops)).heatmaps)

    def as_input(
        self, crops: UInt8[Tensor, "faces height width rgb=3"]
    ) -> Float[Tensor, "faces 3 height width"]:
        """In the colours and the range the network was trained with."""
        pictures = crops.permute(0, 3, 1, 2).float() / 127.5 - 1
        return pictures.flip(1) if self._is_bgr else pictures

    def moments(self, heatmaps: Float[Tensor, "faces landmarks height width"]) -> CropMomentTensors:
        """Of non-negative maps of any scale, in crop pixels."""
        heatmaps = heatmaps.float()
        decoded = decode_moments(heatmaps)
        half = self._input_px / 2  # one normalised unit in crop pixels
        mean = decoded.mean * half + (self._input_px - 1) / 2
        return CropMomentTensors(mean, decoded.covariance * half**2, peak_share(heatmaps))


def fold_batch_norm(network: LandmarkNet) -> LandmarkNet:
    """Batch norms that follow a convolution become part of it; outputs stay equal to rounding."""
    for module in network.modules():
        if isinstance(module, ConvBlock) and module.bn is not None:
            module.conv = fuse_conv_bn_eval(module.conv, module.bn)
            module.bn = nn.Identity()  # type: ignore[assignment]
        if isinstance(module, ResidualBlock):
            module.conv1.conv = fuse_conv_bn_eval(module.conv1.conv, module.bn2)
            module.conv2.conv = fuse_conv_bn_eval(module.conv2.conv, module.bn3)
            module.bn2, module.bn3 = nn.Identity(), nn.Identity()  # type: ignore[assignment]
        if isinstance(module, SeparableBlock):
            module.conv1.conv = fuse_conv_bn_eval(module.conv1.conv, module.bn2)
            module.bn2 = nn.Identity()  # type: ignore[assignment]
    return network
