"""Crops right and wrong, and what a network's heads read of them: what `train.fit_heads` fits.

A right crop is one that a tracker takes. Wrong ones lie beside the face, are of another size or
roll, show it covered, or show none; some are followed as a tracker does, in the crop around the
landmarks that the network finds there, for what misleads it looks like a face to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float

from models.crop_reader import CropReader
from models.description import CheckpointInfo
from models.landmark_net import LandmarkNet
from tracker.crop import crop_from_square, inverse_affine, landmark_square, transform, warp_crop
from tracker.types import Image

from .augment import AugmentConfig, random_texture
from .datasets import Sample
from .hard_views import Crop, cover_with

_RIGHT = (0.04, 0.05, 8.0)
"""Standard deviations of a right crop's shift in sides, of its side's logarithm, and its roll."""
_SEEN = AugmentConfig(
    occlusion=0.0, blur=0.15, gamma=0.25, noise=0.15, grey=0.05, motion_blur=0.08, compression=0.3,
    low_resolution=0.2, low_light=0.15, small_face=0.08,
)  # fmt: skip
_FOLLOWED = 2
"""Crops after the first of what is followed."""

Square = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class CropView:
    """One crop to be read."""

    square: Square
    """Centre x, centre y and side without margin, picture pixels."""
    roll_deg: float = 0.0
    degrade: Callable[[Crop], Crop] = lambda crop: crop
    followed: int = 0
    """Crops that follow it, each around the landmarks found in the one before."""


@dataclass(frozen=True, slots=True)
class HeadSamples:
    """What the heads read of many crops, and the truth about them."""

    pooled: Float[np.ndarray, "crops pooled"]
    maps: Float[np.ndarray, "crops maps"]
    error: Float[np.ndarray, " crops"]
    """Mean error of the landmarks, in outer eye distances; infinite where there is no face."""
    person: Sequence[str]
    """Whose face it is, where that is known and the crop is right; else empty."""
    held_out: Bool[np.ndarray, " crops"]
    is_usual: Bool[np.ndarray, " crops"]
    """Crops as a tracker takes them of a face that is there."""

    def part(self, chosen: Bool[np.ndarray, " crops"]) -> "HeadSamples":
        """Some of them."""
        person = [name for name, is_in in zip(self.person, chosen, strict=True) if is_in]
        return HeadSamples(
            self.pooled[chosen], self.maps[chosen], self.error[chosen], person,
            self.held_out[chosen], self.is_usual[chosen],
        )  # fmt: skip


class HeadReader:
    """Cuts crops out of a picture, and returns what the heads of a network would read.

    Args:
        network: With heads, fitted or not, in evaluation mode; becomes its own.
        info: As loaded with it.
    """

    def __init__(self, network: LandmarkNet, info: CheckpointInfo) -> None:
        self._reader = CropReader(network, info)
        self._input_px, self._margin = info.input_px, info.margin

    def __call__(
        self, views: Sequence[tuple[Image, CropView]]
    ) -> tuple[
        Float[np.ndarray, "views landmarks xy=2"],
        Float[np.ndarray, "views pooled"],
        Float[np.ndarray, "views maps"],
    ]:
        """Landmarks in picture pixels, and what the heads would read, of the last crop of each.

        Args:
            views: Crops and the pictures that they are of; many at once take less time.
        """
        current = list(views)
        found: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        while pending := [i for i, (_, view) in enumerate(current) if view.followed >= 0]:
            read = self._read([current[i] for i in pending])
            for index, points, pooled, maps in zip(pending, *read, strict=True):
                found[index] = points, pooled, maps
                x, y, side = landmark_square(points, 1.0)
                image, view = current[index]
                following = replace(view, square=(x, y, max(side, 4.0)), roll_deg=0.0)
                current[index] = image, replace(following, followed=view.followed - 1)
        points, pooled, maps = zip(*(found[i] for i in range(len(views))), strict=True)
        return np.stack(points), np.stack(pooled), np.stack(maps)

    @torch.inference_mode()
    def _read(
        self, views: Sequence[tuple[Image, CropView]]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        size = self._input_px
        matrices = [
            crop_from_square(x, y, side * self._margin, size, view.roll_deg)
            for _, view in views
            for x, y, side in [view.square]
        ]
        cut = [
            view.degrade(warp_crop(image, matrix, size))
            for (image, view), matrix in zip(views, matrices, strict=True)
        ]
        pictures = self._reader.as_input(torch.from_numpy(np.stack(cut)))
        stage = self._reader.network.run_stages(pictures)[-1]
        moments = self._reader.readings(pictures, stage)
        seen = self._reader.part_features(pictures, stage, moments)
        points = [
            transform(inverse_affine(matrix), mean)
            for matrix, mean in zip(matrices, moments.mean.double().numpy(), strict=True)
        ]
        return np.stack(points), seen.pooled.numpy(), seen.maps.numpy()


def views_of_face(
    sample: Sample, donor: Callable[[], Image], rng: np.random.Generator
) -> list[CropView]:
    """Two right crops, and one that is probably wrong.

    Args:
        sample: The face.
        donor: Reads another picture, for what covers it.
        rng: Random numbers.
    """
    square = landmark_square(sample.points, 1.0)
    right = [
        CropView(*_jittered(square, _RIGHT, rng), partial(random_texture, config=_SEEN, rng=rng))
        for _ in range(2)
    ]
    kind = rng.integers(5)
    if kind == 0:
        away = rng.uniform(0.12, 0.9)
        wrong = CropView(_shifted(square, away, rng))
    elif kind == 1:
        x, y, side = square
        wrong = CropView((x, y, side * float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.2, 1.0)))))
    elif kind == 2:
        wrong = CropView(square, float(rng.choice([-1, 1]) * rng.uniform(15, 180)))
    elif kind == 3:
        covers = int(rng.integers(1, 5))
        wrong = CropView(*_jittered(square, _RIGHT, rng), partial(_covered, donor, covers, rng))
    else:
        wrong = CropView(_shifted(square, rng.uniform(0.5, 1.5), rng), followed=_FOLLOWED)
    return [*right, wrong]


def views_without_face(image: Image, count: int, rng: np.random.Generator) -> list[CropView]:
    """Crops of any size of a picture that shows no face; half of them followed."""
    height, width = image.shape[:2]
    views = []
    for index in range(count):
        side = float(np.exp(rng.uniform(np.log(20), np.log(0.7 * min(height, width)))))
        square = (float(rng.uniform(0, width)), float(rng.uniform(0, height)), side)
        views.append(CropView(square, followed=_FOLLOWED * (index % 2)))
    return views


def _jittered(
    square: Square, spread: tuple[float, float, float], rng: np.random.Generator
) -> tuple[Square, float]:
    """A square and its roll, a little beside."""
    x, y, side = square
    shift, scale, roll_deg = spread
    dx, dy = rng.normal(0, shift, 2) * side
    moved = (x + float(dx), y + float(dy), side * float(np.exp(rng.normal(0, scale))))
    return moved, float(rng.normal(0, roll_deg))


def _shifted(square: Square, away: float, rng: np.random.Generator) -> Square:
    x, y, side = square
    angle = rng.uniform(0, 2 * np.pi)
    scale = float(np.exp(rng.normal(0, 0.2)))
    dx, dy = float(np.cos(angle)), float(np.sin(angle))
    return x + away * side * dx, y + away * side * dy, side * scale


def _covered(donor: Callable[[], Image], count: int, rng: np.random.Generator, crop: Crop) -> Crop:
    for _ in range(count):
        crop = cover_with(crop, donor, rng)
    return crop
