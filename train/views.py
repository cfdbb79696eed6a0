"""Training views: which faces, in which order, augmented how."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.utils.data import Dataset

from tracker.crop import normalised_coordinates
from tracker.layouts import Layout

from .augment import RandomCrop
from .datasets import DataError, Sample
from .label_maps import edge_maps
from .recipes import Recipe

_ATTEMPTS = 20
"""So many faces are tried in place of one that cannot be read."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One training view, fixed by the run's seed and its place in the run."""

    number: int
    sample: int
    size_px: int
    again: bool = False
    """A second view of the face that the draw before shows."""


class TrainingView(NamedTuple):
    """One training view; a batch of them has a leading axis, and lists of text."""

    crop: UInt8[Tensor, "rgb=3 size size"]
    target: Float[Tensor, "landmarks xy=2"]
    """Normalised crop coordinates."""
    certainty: Float[Tensor, " landmarks"]
    """As `Labels.certainty`."""
    edges: UInt8[Tensor, "edges cells cells"]
    """As `Labels.edges`."""
    again: Bool[Tensor, ""]
    """As `Labels.again`."""
    name: str
    bad: str
    """Pictures that could not be read in its place, a line each."""


class TrainingViews(Dataset[TrainingView]):
    """Augmented crops of annotated faces."""

    def __init__(
        self, samples: list[Sample], layout: Layout, recipe: Recipe, *, in_memory: bool = False
    ) -> None:
        """Args: in_memory: Decode all pictures now, once, and not for every view."""
        self._samples, self._layout, self._recipe = samples, layout, recipe
        self._decoded = decoded(samples) if in_memory else {}
        self._random_crop = RandomCrop(layout, recipe.margin, recipe.augment, recipe.antialiased)

    def __getitem__(self, draw: Draw) -> TrainingView:
        rng = np.random.default_rng((self._recipe.seed, draw.number))
        next_frame = rng.spawn(1)[0] if draw.again else None
        sample, bad = self._samples[draw.sample], []
        for _ in range(_ATTEMPTS):
            try:
                crop, points, certainty = self._random_crop(
                    self._picture(sample),
                    sample,
                    draw.size_px,
                    rng,
                    next_frame,
                    partial(self._another_picture, rng),
                )
            except DataError as error:
                bad.append(str(error))
                sample = self._samples[int(rng.integers(len(self._samples)))]
                continue
            pixels = crop if self._recipe.colour == "RGB" else crop[..., ::-1].copy()
            target = normalised_coordinates(points, draw.size_px).astype(np.float32)
            return TrainingView(
                torch.from_numpy(pixels).permute(2, 0, 1),
                torch.from_numpy(target),
                torch.from_numpy(certainty.astype(np.float32)),
                self._edges(points, draw.size_px),
                torch.tensor(draw.again),
                sample.name,
                "\n".join(bad),
            )
        raise DataError(f"{_ATTEMPTS} pictures in a row cannot be read, last {bad[-1]}")

    def _another_picture(self, rng: np.random.Generator) -> UInt8[np.ndarray, "height width rgb=3"]:
        """Raises DataError where it cannot be read."""
        return self._picture(self._samples[int(rng.integers(len(self._samples)))])

    def _picture(self, sample: Sample) -> UInt8[np.ndarray, "height width rgb=3"]:
        """Raises DataError where it cannot be read."""
        picture = self._decoded.get(sample.image_path)
        return sample.read_image() if picture is None else picture

    def _edges(
        self, points: Float[np.ndarray, "landmarks xy=2"], size_px: int
    ) -> UInt8[Tensor, "edges cells cells"]:
        if not self._recipe.attention:
            return torch.zeros(0, size_px // 4, size_px // 4, dtype=torch.uint8)
        return torch.from_numpy(edge_maps(points, self._layout, size_px))


def decoded(samples: list[Sample]) -> dict[Path, UInt8[np.ndarray, "height width rgb=3"]]:
    """All pictures that can be read, by their path; those of MATLAB files stay there."""
    files = {sample.image_path: sample for sample in samples if sample.number is None}

    def read(sample: Sample) -> UInt8[np.ndarray, "height width rgb=3"] | None:
        try:
            return sample.read_image()
        except DataError:
            return None  # reported when a view is wanted

    with ThreadPoolExecutor() as pool:
        pictures = pool.map(read, files.values())
        return {path: picture for path, picture in zip(files, pictures, strict=True)
                if picture is not None}  # fmt: skip


def batches(
    recipe: Recipe,
    labelled: int,
    pseudo: int,
    start: int,
    further: Sequence[tuple[int, float]] = (),
) -> Iterator[list[Draw]]:
    """The draws of every batch from picture `start` on.

    Samples are numbered through: the labelled, the pseudo-labelled, then those of each further
    file, of which `further` has the number and the share in a batch.

    Every epoch goes through all faces once, in its own order; the order of any place in a run can
    be computed without what came before. Second views follow their first, at the end of a batch;
    they take up to half of the pseudo-labelled faces' places, and only then the labelled ones'.

    Args:
        recipe: Batch size, shares and seed.
        labelled: Number of annotated faces.
        pseudo: Number of pseudo-labelled faces.
        start: Pictures seen before.
        further: (Number of faces, share in a batch) of each further file.
    """
    twins = round(recipe.pair_share * recipe.batch)
    from_pseudo = round(recipe.pseudo_share * recipe.batch) if pseudo else 0
    from_pseudo -= min(twins, from_pseudo // 2)
    from_further = [round(share * recipe.batch) if count else 0 for count, share in further]
    from_labelled = recipe.batch - twins - from_pseudo - sum(from_further)
    alone = recipe.batch - 2 * twins
    pools = [(from_labelled, labelled), (from_pseudo, pseudo)]
    pools += [(places, count) for places, (count, _) in zip(from_further, further, strict=True)]
    orders = [_Order(count, recipe.seed, stream) for stream, (_, count) in enumerate(pools, 1)]
    firsts = np.cumsum([0, *(count for _, count in pools)]).tolist()
    for first in range(start, recipe.images, recipe.batch):
        size_px = recipe.size_at(first / recipe.images)
        step = first // recipe.batch
        samples = [
            before + order[step * places + place]
            for (places, _), order, before in zip(pools, orders, firsts[:-1], strict=True)
            for place in range(places)
        ]
        draws = [Draw(first + place, sample, size_px) for place, sample in enumerate(samples)]
        pairs = [replace(draw, again=again) for draw in draws[alone:] for again in (False, True)]
        yield draws[:alone] + pairs


class _Order:
    """An endless sequence of epochs, each a shuffle of all numbers below `count`."""

    def __init__(self, count: int, seed: int, stream: int) -> None:
        self._count, self._key = count, (seed, stream)
        self._epoch, self._shuffled = -1, np.empty(0, dtype=np.int64)

    def __getitem__(self, place: int) -> int:
        epoch, index = divmod(place, self._count)
        if epoch != self._epoch:
            self._shuffled = np.random.default_rng((*self._key, epoch)).permutation(self._count)
            self._epoch = epoch
        return int(self._shuffled[index])


def as_input(crops: UInt8[Tensor, "faces 3 height width"]) -> Float[Tensor, "faces 3 height width"]:
    """Bytes to [-1, 1]."""
    return crops.float() / 127.5 - 1
