"""What a run looks at: which faces, in which order, under which random view."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset

from tracker.crop import normalised_coordinates
from tracker.layouts import Layout

from .augment import RandomCrop
from .datasets import Sample
from .recipes import Recipe


@dataclass(frozen=True, slots=True)
class Draw:
    """One training view, fixed by the run's seed and its place in the run."""

    number: int
    sample: int
    size_px: int


class RandomViews(Dataset[tuple[Tensor, Tensor]]):
    """Augmented crops as uint8 (3, size, size), and normalised landmarks (landmarks, 2)."""

    def __init__(self, samples: list[Sample], layout: Layout, recipe: Recipe) -> None:
        self._samples, self._seed = samples, recipe.seed
        self._random_crop = RandomCrop(layout, recipe.margin, recipe.augment)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor]:
        sample = self._samples[draw.sample]
        rng = np.random.default_rng((self._seed, draw.number))
        crop, points = self._random_crop(sample.read_image(), sample.points, draw.size_px, rng)
        target = normalised_coordinates(points, draw.size_px).astype(np.float32)
        return torch.from_numpy(crop).permute(2, 0, 1), torch.from_numpy(target)


def batches(recipe: Recipe, labelled: int, pseudo: int, start: int) -> Iterator[list[Draw]]:
    """The draws of every batch from picture `start` on; samples 0…labelled-1 are the labelled."""
    share = recipe.pseudo_share if pseudo else 0.0
    for first in range(start, recipe.images, recipe.batch):
        size_px = recipe.size_at(first / recipe.images)
        rng = np.random.default_rng((recipe.seed, first, 1))
        numbers = range(first, first + recipe.batch)
        from_pseudo = rng.random(recipe.batch) < share
        of_labelled = rng.integers(labelled, size=recipe.batch)
        of_pseudo = labelled + rng.integers(max(pseudo, 1), size=recipe.batch)
        samples = np.where(from_pseudo, of_pseudo, of_labelled).tolist()
        yield [Draw(n, sample, size_px) for n, sample in zip(numbers, samples, strict=True)]


def as_input(crops: Tensor) -> Float[Tensor, "faces 3 height width"]:
    """Bytes to [-1, 1]."""
    return crops.float() / 127.5 - 1
