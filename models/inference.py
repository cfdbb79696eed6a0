"""A trained network as the tracker wants it: uint8 crops in, Gaussians in crop pixels out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .calibration import Calibration, Pairs, SpreadLaw, by_pairs, by_spread_law
from .checkpoint import (
    CheckpointError,
    CheckpointInfo,
    load_checkpoint,
    load_official_checkpoint,
)
from .decode import decode_moments
from .landmark_net import ConvBlock, LandmarkNet, ResidualBlock

DEFAULT_WEIGHTS = Path(__file__).parent / "weights" / "lite-300w.safetensors"
_TYPICAL_FLICKER = 0.0015
"""Standard deviation of uncalibrated landmarks from look to look, in crop sides."""
NAMED_WEIGHTS = {"lite": DEFAULT_WEIGHTS}


@dataclass(frozen=True, slots=True)
class CropEstimates:
    """What the network says about a batch of crops; fields as in `tracker.types.CropLandmarks`."""

    mean: Float[np.ndarray, "faces landmarks xy=2"]
    covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    flicker: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    confidence: Float[np.ndarray, " faces"]


class HeatmapLandmarker:
    """Runs a network on crops and calibrates what its heat maps say.

    Args:
        network: In evaluation mode.
        info: As loaded with it.
        device: Where to run.
    """

    def __init__(self, network: LandmarkNet, info: CheckpointInfo, device: torch.device) -> None:
        self.info, self.device = info, device
        self.network = fold_batch_norm(network).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def layout_name(self) -> str:
        return self.info.layout

    @property
    def layout_table(self) -> dict[str, Any]:
        return self.info.layout_table

    @property
    def input_px(self) -> int:
        return self.info.input_px

    @property
    def antialiased(self) -> bool:
        return self.info.antialiased

    @property
    def margin(self) -> float:
        return self.info.margin

    def __call__(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropEstimates:
        """Landmarks in crop pixels, their covariances, and whether there is a face."""
        return calibrated(*self.raw(crops), self.info.calibration, self.input_px)

    @torch.inference_mode()
    def raw(
        self, crops: UInt8[np.ndarray, "faces height width rgb=3"]
    ) -> tuple[
        Float[np.ndarray, "faces landmarks xy=2"],
        Float[np.ndarray, "faces landmarks xy=2 xy=2"],
        Float[np.ndarray, "faces landmarks"],
    ]:
        """Mean, uncalibrated spread (crop pixels) and peak share of every heat map."""
        return self._moments(self.network(self._as_input(crops)).heatmaps.float())

    @torch.inference_mode()
    def stages(
        self, crops: UInt8[np.ndarray, "faces height width rgb=3"], last: int
    ) -> list[CropEstimates]:
        """What each of the last stages says, the final one last; all calibrated as that one is."""
        stages = self.network.run_stages(self._as_input(crops))[-last:]
        moments = [self._moments(stage.heatmaps.float()) for stage in stages]
        return [calibrated(*of, self.info.calibration, self.input_px) for of in moments]

    def _moments(
        self, heatmaps: Float[Tensor, "faces landmarks height width"]
    ) -> tuple[
        Float[np.ndarray, "faces landmarks xy=2"],
        Float[np.ndarray, "faces landmarks xy=2 xy=2"],
        Float[np.ndarray, "faces landmarks"],
    ]:
        moments = decode_moments(heatmaps)
        half = self.input_px / 2  # one normalised unit in crop pixels
        mean = moments.mean.double().cpu().numpy() * half + (self.input_px - 1) / 2
        spread = moments.covariance.double().cpu().numpy() * half**2
        return mean, spread, peak_share(heatmaps)

    def _as_input(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> Tensor:
        if self.info.colour == "BGR":
            crops = crops[..., ::-1].copy()
        pictures = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2)
        return pictures.float() / 127.5 - 1


def calibrated(
    mean: Float[np.ndarray, "faces landmarks xy=2"],
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    peak: Float[np.ndarray, "faces landmarks"],
    calibration: Calibration | None,
    input_px: int,
) -> CropEstimates:
    """Turn heat-map spreads (square crop pixels) into covariances that mean what they say.

    Without a calibration the raw spread stands for the absolute covariance, a typical constant for
    the flicker, and confidence is unknown (NaN).
    """
    if calibration is None:
        flicker = np.broadcast_to((_TYPICAL_FLICKER * input_px) ** 2 * np.eye(2), spread.shape)
        return CropEstimates(mean, spread, flicker, np.full(len(mean), np.nan))
    right, left = calibration.eye_corners
    eye_distance = np.linalg.norm(mean[:, left] - mean[:, right], axis=-1)
    evidence = presence_evidence(mean, spread, peak)
    log_odds = np.clip(evidence @ np.asarray(calibration.presence), -30, 30)
    return CropEstimates(
        mean,
        _scaled(spread, calibration.absolute, eye_distance, input_px),
        _scaled(spread, calibration.flicker, eye_distance, input_px),
        1 / (1 + np.exp(-log_odds)),
    )


def _scaled(
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    law: SpreadLaw | Pairs,
    eye_distance: Float[np.ndarray, " faces"],
    input_px: int,
) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
    if isinstance(law, SpreadLaw):
        return by_spread_law(spread, law, input_px)
    return by_pairs(spread, law, eye_distance)


def presence_evidence(
    mean: Float[np.ndarray, "faces landmarks xy=2"],
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    peak: Float[np.ndarray, "faces landmarks"],
) -> Float[np.ndarray, "faces evidence=4"]:
    """What tells a face from a wall: 1, log spread, log peak, log size of the shape."""
    extent = np.sqrt(np.square(mean - mean.mean(1, keepdims=True)).sum(-1).mean(-1))
    log_spread = np.log(np.trace(spread, axis1=-2, axis2=-1) / 2).mean(-1) / 2
    ones = np.ones(len(mean))
    return np.stack([ones, log_spread, np.log(peak + 1e-6).mean(-1), np.log(extent + 1e-6)], -1)


def peak_share(
    heatmaps: Float[Tensor, "faces landmarks height width"],
) -> Float[np.ndarray, "faces landmarks"]:
    """Share of each map's mass in its strongest cell."""
    total = heatmaps.sum((-2, -1)).clamp_min(1e-6)
    share: np.ndarray = (heatmaps.amax((-2, -1)) / total).double().cpu().numpy()
    return share


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Batch norms that follow a convolution become part of it; outputs stay equal to rounding."""
    for module in network.modules():
        if isinstance(module, ConvBlock) and module.bn is not None:
            module.conv = fuse_conv_bn_eval(module.conv, module.bn)
            module.bn = nn.Identity()  # type: ignore[assignment]
        if isinstance(module, ResidualBlock):
            module.conv1.conv = fuse_conv_bn_eval(module.conv1.conv, module.bn2)
            module.conv2.conv = fuse_conv_bn_eval(module.conv2.conv, module.bn3)
            module.bn2, module.bn3 = nn.Identity(), nn.Identity()  # type: ignore[assignment]
    return network


def load_landmarker(weights: str | Path = "lite", device: str = "auto") -> HeatmapLandmarker:
    """Load a landmarker for running.

    Args:
        weights: "lite", one of our `.safetensors`, or a checkpoint in the authors' layout.
        device: "auto", "cpu" or "cuda".

    Raises:
        CheckpointError: If the file is missing, damaged or another network's.
    """
    path = NAMED_WEIGHTS.get(str(weights), Path(weights))
    if not path.is_file():
        named = ", ".join(NAMED_WEIGHTS)
        raise CheckpointError(f"{weights}: no such weight file; weights with a name: {named}")
    load = load_checkpoint if path.suffix == ".safetensors" else load_official_checkpoint
    network, info = load(path)
    return HeatmapLandmarker(network, info, choose_device(device))


def load_official(path: str | Path) -> LandmarkNet:
    """The authors' network in evaluation mode, for BGR crops of 256 px in [-1, 1].

    Raises:
        CheckpointError: If the file is missing, damaged or another network's.
    """
    return load_official_checkpoint(Path(path))[0]


def choose_device(name: str) -> torch.device:
    """The device that "auto", "cpu" or "cuda" means here.

    Raises:
        CheckpointError: If a GPU is asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise CheckpointError("device cuda: PyTorch sees no GPU here: use --device cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
