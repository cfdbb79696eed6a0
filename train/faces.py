"""The faces of a run: which are trained on, which judge it, which a machine labelled."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from models.checkpoint import TEST_PART
from models.decode import decode_moments
from models.landmark_net import LandmarkNet
from tracker.crop import crop_pixels
from tracker.io.drawing import draw_estimate
from tracker.layouts import Layout
from tracker.types import Image, LandmarkEstimate

from .augment import exact_crop
from .datasets import DataError, DataSet, Sample, hold_out, read_pseudo_labels
from .datasets.contact_sheet import contact_sheet
from .metrics import normalised_mean_error, normalisers
from .recipes import Recipe
from .views import as_input

_LARGEST_BAD_SHARE = 0.001
_AT_ONCE = 32
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of a run."""

    data: DataSet
    training: list[Sample]
    judging: list[Sample]
    pseudo: list[Sample]
    selected_on: str

    @property
    def layout(self) -> Layout:
        return self.data.layout

    @property
    def described(self) -> str:
        """As the weight file says it."""
        held = "" if self.selected_on == TEST_PART else f", {len(self.judging)} held out"
        text = f"{self.data.name} training part: {len(self.training)} faces{held}"
        if not self.pseudo:
            return text
        folders = ", ".join(sorted({sample.image_path.parent.name for sample in self.pseudo}))
        return f"{text}; {len(self.pseudo)} faces of {folders} pseudo-labelled by train.teacher"

    def check_bad(self, bad: set[str]) -> None:
        """Raise if more pictures are bad than a data set may have.

        Raises:
            DataError: If more than 0.1 % of the training pictures are missing or unreadable.
        """
        missing = len(self.data.missing) + len(bad)
        if missing > _LARGEST_BAD_SHARE * (len(self.training) + len(self.pseudo)):
            first = next(iter([*self.data.missing, *sorted(bad)]))
            raise DataError(
                f"{missing} of {len(self.training) + len(self.pseudo)} training pictures are "
                f"missing or unreadable, more than 0.1 %: fetch the data set anew (first: {first})"
            )


def gather(data: DataSet, pseudo_labels: Path | None, *, select_on_test: bool) -> Faces:
    """Choose what is trained on and what judges.

    Args:
        data: With a training part.
        pseudo_labels: What `train.teacher` wrote.
        select_on_test: Judge by the test part, as the authors do, and train on all the rest.

    Raises:
        DataError: If a part that is needed is not there.
    """
    pseudo = read_pseudo_labels(pseudo_labels) if pseudo_labels else []
    if select_on_test:
        return Faces(data, data.split("train"), data.split("test"), pseudo, TEST_PART)
    training, held_out = hold_out(data.split("train"))
    if not training or not held_out:
        raise DataError(f"{data.name}: {len(training) + len(held_out)} faces are too few to train")
    return Faces(data, training, held_out, pseudo, "a held-out part of the training set")


class Judge:
    """Measures networks on the judging faces, in exact crops, as published tables do."""

    def __init__(self, faces: Faces, recipe: Recipe, device: torch.device) -> None:
        self._samples, self._layout = list(faces.judging), faces.layout
        self.bad: set[str] = set()
        """Pictures that could not be read."""
        self._recipe, self._device = recipe, device
        self._size_px = 0
        self._crops = torch.empty(0)
        self._truth = np.empty(0)

    def nme(self, network: LandmarkNet, size_px: int) -> Float[np.ndarray, " faces"]:
        """Error of every face by the yardstick of the data set's published tables."""
        mean, _ = self._look(network, size_px, len(self._samples))
        first = normalisers(self._layout)[0]
        return normalised_mean_error(mean, self._truth, self._layout, first)

    def picture(self, network: LandmarkNet, size_px: int) -> Image:
        """Some of the faces with landmarks and the spread of their heat maps (95 % ellipses)."""
        mean, covariance = self._look(network, size_px, _SHOWN)
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
    def _look(
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
        views = []
        for sample in list(self._samples):
            try:
                views.append(
                    exact_crop(
                        sample,
                        size_px,
                        self._recipe.margin,
                        antialiased=self._recipe.antialiased,
                    )
                )
            except DataError as error:
                self.bad.add(str(error))
                self._samples.remove(sample)
        crops = np.stack([crop for crop, _ in views])
        self._crops = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous()
        self._truth = np.stack([points for _, points in views])
        self._size_px = size_px
