"""Errors of networks on faces that are never trained on."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from models.decode import decode_moments
from models.landmark_net import LandmarkNet
from tracker.crop import crop_pixels
from tracker.io.drawing import draw_estimate
from tracker.layouts import Layout
from tracker.types import Image, LandmarkEstimate

from .augment import RandomCrop, exact_crop
from .datasets import DataError, Sample
from .datasets.contact_sheet import contact_sheet
from .hard_faces import HeldOutPart
from .metrics import normalised_mean_error
from .recipes import Recipe
from .views import as_input

_AT_ONCE = 32
_SHOWN = 12
_VIEWS_SEED = 7


class Evaluator:
    """Measures networks on a held-out part, in the crops that the part asks for."""

    def __init__(
        self, part: HeldOutPart, layout: Layout, recipe: Recipe, device: torch.device
    ) -> None:
        self.name, self._part = part.name, part
        self._samples, self._layout = list(part.samples), layout
        self.bad: set[str] = set()
        """Pictures that could not be read."""
        self._recipe, self._device = recipe, device
        self._size_px = 0
        self._crops = torch.empty(0)
        self._truth = np.empty(0)

    def nme(self, network: LandmarkNet, size_px: int) -> Float[np.ndarray, " faces"]:
        """Error of every face by the yardstick of the part."""
        mean, _ = self._predict(network, size_px, len(self._samples))
        return normalised_mean_error(mean, self._truth, self._layout, self._part.normaliser)

    def sample_sheet(self, network: LandmarkNet, size_px: int) -> Image:
        """Some of the faces with landmarks and the spread of their heat maps (95 % ellipses)."""
        mean, covariance = self._predict(network, size_px, _SHOWN)
        tiles = []
        for index in range(len(mean)):
            crop = self._crops[index].permute(1, 2, 0).numpy()
            tile = cv2.resize(crop, None, fx=256 / size_px, fy=256 / size_px)
            scale = 256 / size_px
            estimate = LandmarkEstimate(
                (mean[index] + 0.5) * scale - 0.5, covariance[index] * scale**2
            )
            draw_estimate(tile, estimate, self._layout, (80, 220, 100), ellipses=True)
            tiles.append((tile, self._samples[index].image_path.stem))
        return contact_sheet(tiles, columns=4)

    @torch.inference_mode()
    def _predict(
        self, network: LandmarkNet, size_px: int, faces: int
    ) -> tuple[
        Float[np.ndarray, "faces landmarks xy=2"], Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    ]:
        """Mean and raw covariance in crop pixels."""
        if size_px != self._size_px:
            self._cut(size_px)
        network.eval()
        means, covariances = [], []
        for crops in self._crops[:faces].split(_AT_ONCE):
            moments = decode_moments(network(self._as_seen(crops)).heatmaps)
            means.append(moments.mean.double().cpu().numpy())
            covariances.append(moments.covariance.double().cpu().numpy())
        mean = crop_pixels(np.concatenate(means), size_px)
        return mean, np.concatenate(covariances) * (size_px / 2) ** 2

    def _as_seen(self, crops: Tensor) -> Tensor:
        crops = crops.to(self._device)
        return as_input(crops if self._recipe.colour == "RGB" else crops.flip(1))

    def _cut(self, size_px: int) -> None:
        def view(number: int) -> tuple[Image, Float[np.ndarray, "landmarks xy=2"]] | None:
            try:
                return self._view(self._samples[number], number, size_px)
            except DataError as error:
                self.bad.add(str(error))
                return None

        with ThreadPoolExecutor() as threads:
            views = list(threads.map(view, range(len(self._samples))))
        self._samples = [
            sample for sample, cut in zip(self._samples, views, strict=True) if cut is not None
        ]
        cut = [one for one in views if one is not None]
        crops = np.stack([crop for crop, _ in cut])
        self._crops = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous()
        self._truth = np.stack([points for _, points in cut])
        self._size_px = size_px

    def _view(
        self, sample: Sample, number: int, size_px: int
    ) -> tuple[Image, Float[np.ndarray, "landmarks xy=2"]]:
        recipe, augment = self._recipe, self._part.augment
        if augment is None:
            return exact_crop(sample, size_px, recipe.margin, antialiased=recipe.antialiased)
        random_crop = RandomCrop(self._layout, recipe.margin, augment, recipe.antialiased)
        rng = np.random.default_rng((_VIEWS_SEED, number))
        donor = self._part.samples[int(rng.integers(len(self._part.samples)))]
        crop, points, _ = random_crop(
            sample.read_image(), sample, size_px, rng, donor=donor.read_image
        )
        return crop, points
