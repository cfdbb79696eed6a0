"""The GPU back end: crops, network and decoding without leaving the device.

A frame goes up once, all its faces run as one batch, and one small tensor comes back, for which
alone the CPU waits. Frames of one video are not batched: a followed face's crop comes from the
frame before, and pictures of a folder wait for the detector, which takes them one by one on the
CPU. Crops of several videos are, by `tracker.run.shared_landmarker`.

All but the graphs runs on the CPU too, so that tests can hold it against the other back ends.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from .calibrated_landmarker import CalibratedLandmarker, CropMoments, OneProcess
from .crop_reader import CropReader
from .description import CheckpointInfo
from .device_crops import cut_crops
from .landmark_net import LandmarkNet
from .torch_landmarker import choose_device, load_network

_READY_FACES = 8
"""Batches of up to this many faces are prepared while loading; larger ones when they come."""
_WARM_UPS = 3
"""Runs before a graph is captured: libraries choose their algorithms and take their memory."""


class DeviceLandmarker(CalibratedLandmarker):
    """A landmarker that cuts its crops itself, a `tracker.landmarker.CropCutter`.

    Args:
        network: In evaluation mode; becomes ours.
        info: As loaded with it.
        device: Where to run.
        precision: Of the convolutions. float16, not bfloat16, which is as fast: it rounds eight
            times finer, and where its numbers end, at 65504, activations of `lite` reach 26.
    """

    def __init__(
        self,
        network: LandmarkNet,
        info: CheckpointInfo,
        device: torch.device,
        precision: torch.dtype = torch.float16,
    ) -> None:
        super().__init__(info)
        self.device, self._precision, self._home = device, precision, OneProcess()
        self._reader = CropReader(network, info).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for module in self._reader.modules():
            if isinstance(module, nn.Conv2d):
                module.to(precision)
        self._batches: dict[int, _Batch] = {}
        self._capturing = Lock()
        """While a graph is captured no other thread may ask CUDA for anything."""

    @torch.inference_mode()
    def cut(
        self,
        image: UInt8[np.ndarray, "height width rgb=3"],
        factors: list[int],
        reduced_from_crop: Float[np.ndarray, "faces 3 3"],
    ) -> UInt8[Tensor, "faces size size rgb=3"]:
        """Crops on the device, as `models.device_crops.cut_crops` cuts them."""
        with self._capturing:
            frame, matrices = self._upload(image), self._upload(reduced_from_crop)
            return cut_crops(frame, factors, matrices, self.input_px)

    @torch.inference_mode()
    def join(
        self, crops: list[UInt8[Tensor, "faces size size rgb=3"]]
    ) -> UInt8[Tensor, "all_faces size size rgb=3"]:
        """Crops of several frames as one batch."""
        return torch.cat(crops)

    @torch.inference_mode()
    def raw(self, crops: UInt8[np.ndarray | Tensor, "faces height width rgb=3"]) -> CropMoments:
        """Uncalibrated moments of the heat maps, in crop pixels."""
        on_device = crops if isinstance(crops, Tensor) else self._upload(crops)
        found = self._batch(len(crops)).run(on_device).cpu().numpy().astype(np.float64)
        landmarks = self.info.architecture.landmarks
        moments = found[:, : 7 * landmarks].reshape(len(found), landmarks, 7)
        spread = moments[..., 2:6].reshape(*moments.shape[:2], 2, 2)
        plain = moments[..., :2], spread, moments[..., 6]
        if self.info.architecture.heads is None:
            return CropMoments(*plain)
        return CropMoments(*plain, found[:, 7 * landmarks], found[:, 7 * landmarks + 1 :])

    def read(
        self, crops: UInt8[Tensor, "faces height width rgb=3"]
    ) -> Float[Tensor, "faces readings"]:
        """For each landmark mean, spread and peak side by side, then what the heads say.

        Decoded in single precision.
        """
        is_mixed = self._precision != torch.float32
        pictures = self._reader.as_input(crops)
        with torch.autocast(self.device.type, self._precision, enabled=is_mixed):
            stages = self._reader.network.run_stages(pictures)
        read = self._reader.readings(pictures, stages[-1])
        moments = torch.cat([read.mean, read.spread.flatten(-2), read.peak[..., None]], -1)
        parts = [moments.flatten(1)]
        if read.log_odds is not None and read.descriptor is not None:
            parts += [read.log_odds[:, None], read.descriptor]
        return torch.cat(parts, 1)

    @torch.inference_mode()
    def prepare(self, most_faces: int) -> None:
        """Capture the graphs for up to so many faces, so that none is captured in mid-video."""
        for faces in range(1, most_faces + 1):
            self._batch(faces)

    def _batch(self, faces: int) -> "_Batch":
        """Of the next power of two: a graph has one size, and few graphs are enough."""
        size = 1 << (faces - 1).bit_length()
        if size not in self._batches:
            side = self.input_px
            with self._capturing:
                room = torch.zeros((size, side, side, 3), dtype=torch.uint8, device=self.device)
                self._batches[size] = _Batch(self.read, room)
        return self._batches[size]

    def _upload(self, array: np.ndarray) -> Tensor:
        self._home.check()
        host = torch.from_numpy(np.require(array, requirements=["C", "W"]))
        if self.device.type == "cuda":
            host = host.pin_memory()  # else the copy would wait for all that runs before it
        return host.to(self.device, non_blocking=True)


class _Batch:
    """One batch size and the place where its crops lie.

    Args:
        read: As `DeviceLandmarker.read`.
        crops: The place.
    """

    def __init__(self, read: Callable[[Tensor], Tensor], crops: Tensor) -> None:
        self._crops = crops
        self._launch = _captured(read, crops) if crops.is_cuda else partial(read, crops)

    def run(
        self, crops: UInt8[Tensor, "faces height width rgb=3"]
    ) -> Float[Tensor, "faces readings"]:
        """Moments of these crops; valid until the next run."""
        # What an earlier run left behind them is read too and changes nothing before it.
        self._crops[: len(crops)] = crops
        return self._launch()[: len(crops)]


def _captured(read: Callable[[Tensor], Tensor], crops: Tensor) -> Callable[[], Tensor]:
    """The same work on the same memory as one CUDA graph."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(_WARM_UPS):
            read(crops)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        moments = read(crops)

    def launch() -> Tensor:
        graph.replay()
        return moments

    return launch


def load_device_landmarker(weights: str | Path = "lite", device: str = "cuda") -> DeviceLandmarker:
    """Load a landmarker for running on a GPU.

    Args:
        weights: "lite", one of our `.safetensors`, or a checkpoint in the authors' layout.
        device: As in `models.torch_landmarker.choose_device`.

    Raises:
        CheckpointError: If the device is not there, or the file is missing, damaged or another
            network's.
    """
    chosen = choose_device(device)
    landmarker = DeviceLandmarker(*load_network(weights), chosen)
    if chosen.type == "cuda":
        landmarker.prepare(_READY_FACES)
    return landmarker
