"""The PyTorch back end: any weight file on any device, and the stages that training compares."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from .calibrated_landmarker import (
    CalibratedLandmarker,
    CropEstimates,
    CropMoments,
    OneProcess,
    calibrated,
)
from .checkpoint import CheckpointError, CheckpointInfo, load_checkpoint, load_official_checkpoint
from .crop_reader import CropMomentTensors, CropReader
from .landmark_net import LandmarkNet
from .weight_files import weight_file


class HeatmapLandmarker(CalibratedLandmarker):
    """Runs a network on crops and calibrates the moments of its heat maps.

    Args:
        network: In evaluation mode.
        info: As loaded with it.
        device: Of the network and its crops.
    """

    def __init__(self, network: LandmarkNet, info: CheckpointInfo, device: torch.device) -> None:
        super().__init__(info)
        self.device, self._home = device, OneProcess()
        self._reader = CropReader(network, info).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def network(self) -> LandmarkNet:
        """With folded batch norms."""
        return self._reader.network

    @torch.inference_mode()
    def raw(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropMoments:
        """Uncalibrated moments of the last stage's heat maps, in crop pixels."""
        return _as_arrays(self._reader(self._on_device(crops)))

    @torch.inference_mode()
    def stages(
        self, crops: UInt8[np.ndarray, "faces height width rgb=3"], last: int
    ) -> list[CropEstimates]:
        """Landmarks of each of the last stages, the final one last; all calibrated as that one is.

        Args:
            crops: RGB, `input_px` on each side.
            last: How many stages.
        """
        pictures = self._reader.as_input(self._on_device(crops))
        stages = self.network.run_stages(pictures)[-last:]
        moments = [_as_arrays(self._reader.readings(pictures, stage)) for stage in stages]
        return [calibrated(of, self.info) for of in moments]

    def _on_device(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> Tensor:
        self._home.check()
        return torch.from_numpy(crops).to(self.device)


def _as_arrays(moments: CropMomentTensors) -> CropMoments:
    mean, spread, peak = (part.double().cpu().numpy() for part in moments[:3])
    if moments.log_odds is None or moments.descriptor is None:
        return CropMoments(mean, spread, peak)
    heads = (moments.log_odds.double().cpu().numpy(), moments.descriptor.double().cpu().numpy())
    return CropMoments(mean, spread, peak, *heads)


def load_torch_landmarker(weights: str | Path = "lite", device: str = "auto") -> HeatmapLandmarker:
    """Load a landmarker that runs on PyTorch.

    Args:
        weights: "lite", one of our `.safetensors`, or a checkpoint in the authors' layout.
        device: As in `choose_device`.

    Raises:
        CheckpointError: If the file is missing, damaged or another network's.
    """
    network, info = load_network(weights)
    return HeatmapLandmarker(network, info, choose_device(device))


def load_network(weights: str | Path) -> tuple[LandmarkNet, CheckpointInfo]:
    """The network of a named weight file, one of ours or one of the authors', for evaluation.

    Raises:
        CheckpointError: If the file is missing, damaged or another network's.
    """
    path = weight_file(weights)
    load = load_checkpoint if path.suffix == ".safetensors" else load_official_checkpoint
    return load(path)


def load_official(path: str | Path) -> LandmarkNet:
    """The authors' network in evaluation mode, for BGR crops of 256 px in [-1, 1].

    Raises:
        CheckpointError: If the file is missing, damaged or another network's.
    """
    return load_official_checkpoint(Path(path))[0]


def choose_device(name: str) -> torch.device:
    """The device that "auto", "cpu", "cuda", "cuda:1", ... or "mps" means here.

    Raises:
        CheckpointError: If it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise CheckpointError(
                f"device {name}: PyTorch sees {count} GPUs here: use --device cpu"
            )
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise CheckpointError("device mps: PyTorch sees no Apple GPU here: use --device cpu")
    return device
