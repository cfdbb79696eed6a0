"""Errors, frame-to-frame noise and presence evidence of a network: what `train.calibrate` fits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from rich.console import Console
from rich.progress import track

from models.calibrated_landmarker import CalibratedLandmarker, presence_evidence
from tracker.crop import (
    crop_from_square,
    landmark_square,
    transform,
    transform_covariance,
    warp_crop,
)
from tracker.layouts import IBUG_68, Layout

from .augment import AugmentConfig, RandomCrop, geometry_matrix, random_texture
from .datasets import Sample
from .hard_faces import ADVERSE
from .hard_views import Crop
from .jpeg import compressed

_EASY_VIEWS, _HARD_VIEWS = 2, 3
"""Of each face, for the errors: in crops as a tracker takes them, and hard ones."""
_PAIRS = 3
"""Simulated pairs of frames of each face, for the frame-to-frame noise."""
_CELL_PX = 4
"""Crop pixels in a cell of the heat map; how a moving face lies within the cells is random."""
_SCALE_CHANGE, _ROLL_CHANGE_DEG = 0.01, 1.0
"""Largest change of scale and roll from one frame to the next."""
_SEED = 0
_BAR = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class CropPrediction:
    """Raw landmarks of one crop, mapped back to the picture."""

    mean: Float[np.ndarray, "landmarks xy=2"]
    spread: Float[np.ndarray, "landmarks xy=2 xy=2"]
    crop_side: float
    """Pixels of the picture."""


class CropPredictor:
    """Cuts crops out of a picture and returns the network's raw landmarks."""

    def __init__(self, landmarker: CalibratedLandmarker) -> None:
        self._landmarker = landmarker

    def crops(
        self,
        image: UInt8[np.ndarray, "height width rgb=3"],
        squares: list[tuple[float, float, float]],
        degrade: Callable[[Crop], Crop] = lambda crop: crop,
        rolls_deg: list[float] | None = None,
    ) -> tuple[list[CropPrediction], Float[np.ndarray, "crops evidence"]]:
        """Predict one crop per square.

        Args:
            image: The picture.
            squares: Centre x, centre y and side without margin, in pixels.
            degrade: Changes the pixels of each crop.
            rolls_deg: Rotation of each crop.

        Returns:
            Landmarks per crop, and what `models.calibrated_landmarker.presence_evidence` returns.
        """
        size, margin = self._landmarker.input_px, self._landmarker.margin
        rolls = [
            geometry_matrix(roll, 1.0, np.zeros(2), size)
            for roll in rolls_deg or [0.0] * len(squares)
        ]
        matrices = [
            roll @ crop_from_square(x, y, side * margin, size)
            for roll, (x, y, side) in zip(rolls, squares, strict=True)
        ]
        crops = np.stack([degrade(warp_crop(image, matrix, size)) for matrix in matrices])
        mean, spread, peak, *_ = self._landmarker.raw(crops)
        predictions = []
        for index, matrix in enumerate(matrices):
            back = np.linalg.inv(matrix.astype(np.float64))
            found = transform(back, mean[index]), transform_covariance(back, spread[index])
            predictions.append(CropPrediction(*found, squares[index][2] * margin))
        return predictions, presence_evidence(mean, spread, peak)

    @property
    def cell(self) -> float:
        """Side of a heat map's cell in crop sides without margin."""
        return _CELL_PX / self._landmarker.input_px * self._landmarker.margin


@dataclass(frozen=True, slots=True)
class CalibrationSamples:
    """Errors and the heat maps' raw covariances, in crop sides, for one fit."""

    error: Float[np.ndarray, "samples landmarks xy=2"]
    spread: Float[np.ndarray, "samples landmarks xy=2 xy=2"]
    photograph: Int[np.ndarray, " samples"]
    """Number of the photograph, by which folds are split."""
    is_hard: Bool[np.ndarray, " samples"]
    """Made hard: `train.hard_faces.ADVERSE`."""
    log_odds: Float[np.ndarray, " samples"] | None = None
    """That the landmarks are right, where the network says so."""

    @classmethod
    def usual(
        cls,
        error: Float[np.ndarray, "samples landmarks xy=2"],
        spread: Float[np.ndarray, "samples landmarks xy=2 xy=2"],
        photograph: Int[np.ndarray, " samples"],
    ) -> Self:
        """Of which none was made hard."""
        return cls(error, spread, photograph, np.zeros(len(error), bool))

    def part(self, chosen: Bool[np.ndarray, " samples"]) -> "CalibrationSamples":
        """Some of the samples."""
        return CalibrationSamples(
            self.error[chosen],
            self.spread[chosen],
            self.photograph[chosen],
            self.is_hard[chosen],
            None if self.log_odds is None else self.log_odds[chosen],
        )


def sample_errors(
    landmarker: CalibratedLandmarker, samples: list[Sample], layout: Layout
) -> CalibrationSamples:
    """Distances to the annotations, in crops as a tracker would take them and in hard ones.

    Raises:
        DataError: If a picture cannot be read.
    """
    rng = np.random.default_rng(_SEED)
    size_px, margin = landmarker.input_px, landmarker.margin
    mouths = ADVERSE.wide_mouth if layout.name == IBUG_68.name else 0.0
    hard_view = RandomCrop(
        layout, margin, replace(ADVERSE, wide_mouth=mouths), landmarker.antialiased
    )
    errors, spreads, log_odds = [], [], []
    for sample in track(samples, "errors", console=_BAR):
        image = sample.read_image()
        looks: list[tuple[Crop, Float[np.ndarray, "landmarks xy=2"]]] = []
        for _ in range(_EASY_VIEWS):
            x, y, side = _random_square(sample.points, rng, 0.03)
            matrix = crop_from_square(x, y, side * margin, size_px)
            crop = warp_crop(image, matrix, size_px, antialiased=landmarker.antialiased)
            looks.append((crop, transform(matrix, sample.points)))
        for other in rng.integers(len(samples), size=_HARD_VIEWS):
            donor = samples[other].read_image
            looks.append(hard_view(image, sample, size_px, rng, donor=donor)[:2])
        crops, truth = (np.stack(part) for part in zip(*looks, strict=True))
        found = landmarker.raw(crops)
        errors.append((found.mean - truth) / size_px)
        spreads.append(found.spread / size_px**2)
        if found.log_odds is not None:
            log_odds.append(found.log_odds)
    views = np.arange(_EASY_VIEWS + _HARD_VIEWS)
    return CalibrationSamples(
        np.concatenate(errors),
        np.concatenate(spreads),
        np.repeat(_photographs(samples), len(views)),
        np.tile(views >= _EASY_VIEWS, len(samples)),
        np.concatenate(log_odds) if log_odds else None,
    )


def sample_measurement_noise(predictor: CropPredictor, samples: list[Sample]) -> CalibrationSamples:
    """Differences between two simulated frames of a face at rest, over the square root of two.

    Their covariance is the frame-to-frame noise of one measurement; a constant bias cancels. The
    crop follows the face, but how its pixels fall within the cells of the heat map is random.
    Scale and roll hardly change; sensor noise and compression are new in every frame.

    Raises:
        DataError: If a picture cannot be read.
    """
    rng = np.random.default_rng(_SEED)
    errors, spreads = [], []
    for sample in track(samples, "frame-to-frame noise", console=_BAR):
        image = sample.read_image()
        for _ in range(_PAIRS):
            one, other = (_in_another_frame(predictor, image, sample, rng) for _ in range(2))
            side = (one.crop_side + other.crop_side) / 2
            errors.append((one.mean - other.mean) / np.sqrt(2) / side)
            spreads.append((one.spread + other.spread) / 2 / side**2)
    return CalibrationSamples.usual(
        np.stack(errors), np.stack(spreads), np.repeat(_photographs(samples), _PAIRS)
    )


def _in_another_frame(
    predictor: CropPredictor,
    image: UInt8[np.ndarray, "height width rgb=3"],
    sample: Sample,
    rng: np.random.Generator,
) -> CropPrediction:
    x, y, side = landmark_square(sample.points, 1.0)
    shift = side * predictor.cell * rng.uniform(-0.5, 0.5, 2)
    square = (x + shift[0], y + shift[1], side * (1 + rng.uniform(-1, 1) * _SCALE_CHANGE))
    roll_deg = rng.uniform(-1, 1) * _ROLL_CHANGE_DEG
    (found,), _ = predictor.crops(_with_new_noise(image, rng), [square], rolls_deg=[roll_deg])
    return found


def _photographs(samples: list[Sample]) -> Int[np.ndarray, " faces"]:
    names = [sample.photograph or sample.name for sample in samples]
    return np.unique(names, return_inverse=True)[1]


def sample_presence(
    predictor: CropPredictor, samples: list[Sample]
) -> tuple[Float[np.ndarray, "crops evidence"], Float[np.ndarray, " crops"]]:
    """Evidence and labels (1 face, 0 none) for crops on faces, beside them and on noise.

    Raises:
        DataError: If a picture cannot be read.
    """
    rng = np.random.default_rng(_SEED)
    degrade = partial(random_texture, config=AugmentConfig(occlusion=0.7), rng=rng)
    evidence, truth = [], []
    for sample in track(samples, "presence", console=_BAR):
        image = sample.read_image()
        on = [_random_square(sample.points, rng, 0.05) for _ in range(4)]
        behind = [_random_square(sample.points, rng, 0.05) for _ in range(4)]
        beside = [_beside(sample.points, rng) for _ in range(4)]
        noise = rng.integers(0, 256, image.shape, dtype=np.uint8)
        flat = np.full_like(image, rng.integers(256))
        for picture, squares, face in (
            (image, on, 1.0),
            (image, beside, 0.0),
            (noise, on[:1], 0.0),
            (flat, on[:1], 0.0),
        ):
            evidence.append(predictor.crops(picture, squares)[1])
            truth += [face] * len(squares)
        # A face that is occluded, out of focus or in the dark is still present.
        evidence.append(predictor.crops(image, behind, degrade)[1])
        truth += [1.0] * len(behind)
    return np.concatenate(evidence), np.array(truth)


def _random_square(
    points: Float[np.ndarray, "landmarks xy=2"], rng: np.random.Generator, share: float
) -> tuple[float, float, float]:
    x, y, side = landmark_square(points, 1.0)
    shift = rng.normal(0, share, 2) * side
    return x + shift[0], y + shift[1], side * rng.normal(1, share)


def _beside(
    points: Float[np.ndarray, "landmarks xy=2"], rng: np.random.Generator
) -> tuple[float, float, float]:
    """A square with at most a corner of the face, or a small one inside a cheek."""
    x, y, side = landmark_square(points, 1.0)
    angle = rng.uniform(0, 2 * np.pi)
    away = rng.uniform(0.8, 1.4) * side
    if rng.random() < 0.25:
        away, side = rng.uniform(0, 0.4) * side, side * rng.uniform(0.1, 0.25)
    return x + away * np.cos(angle), y + away * np.sin(angle), side


def _with_new_noise(
    image: UInt8[np.ndarray, "height width rgb=3"], rng: np.random.Generator
) -> UInt8[np.ndarray, "height width rgb=3"]:
    noisy = image + rng.normal(0, rng.uniform(1, 5), image.shape)
    picture = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
    return compressed(picture, int(rng.integers(70, 98)))
