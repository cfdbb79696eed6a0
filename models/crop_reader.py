"""Crops in, moments out, as one module: what PyTorch runs and what `models.export` writes down."""

from typing import NamedTuple

from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .decode import decode_moments, peak_share
from .description import CheckpointInfo
from .face_heads import PartFeatures
from .landmark_net import ConvBlock, LandmarkNet, ResidualBlock, SeparableBlock, Stage


class CropMomentTensors(NamedTuple):
    """As `models.calibrated_landmarker.CropMoments`, before they leave PyTorch."""

    mean: Float[Tensor, "faces landmarks xy=2"]
    spread: Float[Tensor, "faces landmarks xy=2 xy=2"]
    peak: Float[Tensor, "faces landmarks"]
    log_odds: Float[Tensor, " faces"] | None = None
    """As in `models.face_heads`, where the network has such heads."""
    descriptor: Float[Tensor, "faces descriptor"] | None = None


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
        pictures = self.as_input(crops)
        return self.readings(pictures, self.network.run_stages(pictures)[-1])

    def as_input(
        self, crops: UInt8[Tensor, "faces height width rgb=3"]
    ) -> Float[Tensor, "faces 3 height width"]:
        """In the colours and the range the network was trained with."""
        pictures = crops.permute(0, 3, 1, 2).float() / 127.5 - 1
        return pictures.flip(1) if self._is_bgr else pictures

    def readings(
        self, pictures: Float[Tensor, "faces 3 height width"], stage: Stage
    ) -> CropMomentTensors:
        """Of what one stage made of the pictures; in crop pixels, in single precision.

        Args:
            pictures: Of `as_input`.
            stage: Its heat maps are non-negative, of any scale.
        """
        moments = self._moments(stage)
        heads = self.network.heads
        if heads is None:
            return moments
        seen = self.part_features(pictures, stage, moments)
        return CropMomentTensors(*moments[:3], *heads(seen))

    def part_features(
        self,
        pictures: Float[Tensor, "faces 3 height width"],
        stage: Stage,
        moments: CropMomentTensors,
    ) -> PartFeatures:
        """What the heads of the network, which must have some, read.

        Args:
            pictures: As in `readings`.
            stage: As in `readings`.
            moments: What that returns.
        """
        heads = self.network.heads
        assert heads is not None
        mean, spread, peak = moments[:3]
        half = self._input_px / 2
        place = (mean - (self._input_px - 1) / 2) / half
        return heads.read(pictures, stage.features, stage.heatmaps, (place, spread / half**2, peak))

    def _moments(self, stage: Stage) -> CropMomentTensors:
        heatmaps = stage.heatmaps.float()
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
