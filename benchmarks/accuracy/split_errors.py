"""Errors of a data set's faces, split by split, and the figures derived from them."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from train.datasets import DataError, DataSet, Sample, hold_out
from train.datasets.overview import PUBLISHED as PUBLISHED_FACES
from train.metrics import (
    Normaliser,
    area_under_curve,
    default_threshold,
    failure_rate,
    normalised_mean_error,
    normalisers,
)

from .published import reference

CropKind = Literal["truth", "detector"]
HELD_OUT = "held-out"
PERCENTILES = (50, 90, 95, 99)

PointsOfFaces = Float[np.ndarray, "faces landmarks xy=2"]


@dataclass(frozen=True)
class Selection:
    """The faces that are measured, each once even if it is in several splits."""

    data: DataSet
    faces: list[Sample]
    members: dict[str, Int[np.ndarray, " members"]]
    """By split, which of `faces` are in it."""

    @cached_property
    def truth(self) -> PointsOfFaces:
        """The annotations, in pixels of the pictures."""
        return np.stack([sample.points for sample in self.faces]).astype(np.float64)


def select(data: DataSet, names: list[str]) -> Selection:
    """The faces of the named splits; of none: of all test splits, else of the held-out part.

    Raises:
        DataError: If a split is not there or holds no face.
    """
    names = names or [name for name in data.splits if name != "train"] or [HELD_OUT]
    place: dict[tuple[str, bytes], int] = {}
    faces: list[Sample] = []
    members: dict[str, Int[np.ndarray, " members"]] = {}
    for name in names:
        indices = []
        for sample in _split(data, name):
            face = (sample.name, sample.points.tobytes())
            if face not in place:
                place[face] = len(faces)
                faces.append(sample)
            indices.append(place[face])
        members[name] = np.array(indices)
    return Selection(data, faces, members)


def _split(data: DataSet, name: str) -> list[Sample]:
    is_held_out = name == HELD_OUT and HELD_OUT not in data.splits
    faces = hold_out(data.split("train"))[1] if is_held_out else data.split(name)
    if not faces:
        raise DataError(f"{data.name}: its split '{name}' holds no face: choose another (--split)")
    return faces


@dataclass(frozen=True, slots=True)
class SplitErrors:
    """Errors of the faces of one split in one kind of crop."""

    data: DataSet
    split: str
    crop: CropKind
    samples: list[Sample]
    errors: dict[Normaliser, Float[np.ndarray, " faces"]]
    """By normaliser, the data set's own first; infinite where the face was missed."""

    @property
    def normaliser(self) -> Normaliser:
        return next(iter(self.errors))

    @property
    def nme(self) -> Float[np.ndarray, " faces"]:
        """By the data set's own normaliser."""
        return self.errors[self.normaliser]

    @property
    def missed(self) -> list[Sample]:
        return [s for s, e in zip(self.samples, self.nme, strict=True) if not np.isfinite(e)]

    @property
    def failed(self) -> list[tuple[Sample, float]]:
        """Found faces beyond the data set's own threshold and their errors, worst first."""
        beyond = [
            (sample, float(error))
            for sample, error in zip(self.samples, self.nme, strict=True)
            if default_threshold(self.data.name) < error < np.inf
        ]
        return sorted(beyond, key=lambda face: -face[1])

    @property
    def whole(self) -> int:
        """Faces of the split in the papers; of an unpublished split, those here."""
        return PUBLISHED_FACES.get(self.data.name, {}).get(self.split, len(self.samples))

    @property
    def behind_star_percent(self) -> float | None:
        """How much larger the error is than STAR's; negative is better."""
        star, ours = reference(self.data.name, self.split, self.normaliser), self.nme_percent()
        return None if star is None or ours is None else ours - star.nme_percent

    def nme_percent(self, normaliser: Normaliser | None = None) -> float | None:
        """Mean over the faces that were found; None where there is none."""
        found = self._found(normaliser or self.normaliser)
        return 100 * float(found.mean()) if len(found) else None

    def percentile_percent(self, percentile: float) -> float | None:
        """Of the faces that were found."""
        found = self._found(self.normaliser)
        return 100 * float(np.percentile(found, percentile)) if len(found) else None

    def failures_percent(self, threshold: float) -> float:
        """Missed faces are failures."""
        return 100 * failure_rate(self.nme, threshold)

    def area(self, threshold: float) -> float:
        """Under the share of all faces, missed ones too."""
        return area_under_curve(self.nme, threshold)

    def _found(self, normaliser: Normaliser) -> Float[np.ndarray, " found"]:
        errors = self.errors[normaliser]
        return errors[np.isfinite(errors)]


@dataclass(slots=True)
class Measured:
    """All results of one run."""

    selection: Selection
    predicted: dict[CropKind, PointsOfFaces]
    scores: list[SplitErrors]
    disturbed: dict[str, list[list[SplitErrors]]] = field(default_factory=dict)
    """By kind of disturbed crop and crop, a row per split."""

    def by(self, crop: CropKind) -> list[SplitErrors]:
        """The rows of one kind of crop."""
        return [row for row in self.scores if row.crop == crop]


def split_errors(
    selection: Selection, predicted: PointsOfFaces, crop: CropKind
) -> list[SplitErrors]:
    """Errors of every split; NaN landmarks are those of missed faces."""
    layout = selection.data.layout
    errors = {
        name: normalised_mean_error(predicted, selection.truth, layout, name)
        for name in normalisers(layout)
    }
    whole = {name: np.where(np.isfinite(of), of, np.inf) for name, of in errors.items()}
    return [
        SplitErrors(
            data=selection.data,
            split=split,
            crop=crop,
            samples=[selection.faces[i] for i in indices],
            errors={name: of[indices] for name, of in whole.items()},
        )
        for split, indices in selection.members.items()
    ]


def thresholds(data_set: str) -> list[float]:
    """Thresholds of failure rate and area, the data set's own first."""
    return list(dict.fromkeys([default_threshold(data_set), 0.08, 0.10]))


def name_from(sample: Sample, root: Path) -> str:
    """The picture's name without the folder that all of them share."""
    return sample.name.removeprefix(f"{root}/")
