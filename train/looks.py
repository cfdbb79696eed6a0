"""What a network says of a face when it looks again, looks beside it, or is looked at by a human.

The raw material of `train.calibrate`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from rich.progress import track

from models.inference import HeatmapLandmarker, presence_evidence
from tracker.crop import (
    crop_from_square,
    landmark_square,
    transform,
    transform_covariance,
    warp_crop,
)
from tracker.layouts import Layout

from .augment import AugmentConfig, Crop, random_texture
from .datasets import Sample

_LOOKS = 6
_SEED = 0


@dataclass(frozen=True, slots=True)
class Look:
    """One crop of a face as the network saw it, mapped back to the picture."""

    mean: Float[np.ndarray, "landmarks xy=2"]
    spread: Float[np.ndarray, "landmarks xy=2 xy=2"]


class Looker:
    """Takes crops of a picture and returns what the raw network says."""

    def __init__(self, landmarker: HeatmapLandmarker) -> None:
        self._landmarker = landmarker

    def crops(
        self,
        image: UInt8[np.ndarray, "height width rgb=3"],
        squares: list[tuple[float, float, float]],
        spoil: Callable[[Crop], Crop] = lambda crop: crop,
    ) -> tuple[list[Look], Float[np.ndarray, "crops evidence"]]:
        """One look per square (centre x, centre y, side without margin), `spoil` on each crop."""
        size, margin = self._landmarker.input_px, self._landmarker.margin
        matrices = [crop_from_square(x, y, side * margin, size) for x, y, side in squares]
        crops = np.stack([spoil(warp_crop(image, matrix, size)) for matrix in matrices])
        mean, spread, peak = self._landmarker.raw(crops)
        looks = []
        for index, matrix in enumerate(matrices):
            back = np.linalg.inv(matrix.astype(np.float64))
            looks.append(
                Look(transform(back, mean[index]), transform_covariance(back, spread[index]))
            )
        return looks, presence_evidence(mean, spread, peak)


@dataclass(frozen=True, slots=True)
class Observed:
    """Errors and what was predicted of them, for one fit."""

    error: Float[np.ndarray, "faces landmarks xy=2"]
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    eye_distance: Float[np.ndarray, " faces"]

    def covariance(
        self, coefficients: Float[np.ndarray, "landmarks ab=2"]
    ) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """R = a S + b d^2 I."""
        floor = coefficients[:, 1] * np.square(self.eye_distance)[:, None]
        return coefficients[:, 0, None, None] * self.spread + floor[..., None, None] * np.eye(2)

    def part(self, faces: slice) -> "Observed":
        """Some of the faces."""
        return Observed(self.error[faces], self.spread[faces], self.eye_distance[faces])


def observe_errors(looker: Looker, samples: list[Sample], layout: Layout) -> Observed:
    """Distance to the annotation, in crops as a tracker would take them."""
    rng = np.random.default_rng(_SEED)
    errors, spreads, distances = [], [], []
    for sample in track(samples, "errors"):
        looks, _ = looker.crops(sample.read_image(), [_nudged(sample.points, rng, 0.03)])
        errors.append(looks[0].mean - sample.points)
        spreads.append(looks[0].spread)
        distances.append(layout.interocular(sample.points))
    return Observed(np.stack(errors), np.stack(spreads), np.stack(distances).astype(np.float64))


def observe_flicker(looker: Looker, samples: list[Sample], layout: Layout) -> Observed:
    """Change between looks that differ by sensor noise, compression and a breath of the crop."""
    rng = np.random.default_rng(_SEED)
    errors, spreads, distances = [], [], []
    for sample in track(samples, "flicker"):
        image, looks = sample.read_image(), []
        for _ in range(_LOOKS):
            seen, _ = looker.crops(_taken_again(image, rng), [_nudged(sample.points, rng, 0.002)])
            looks += seen
        for one, other in pairwise(looks):
            errors.append((one.mean - other.mean) / np.sqrt(2))
            spreads.append((one.spread + other.spread) / 2)
            distances.append(layout.interocular(sample.points))
    return Observed(np.stack(errors), np.stack(spreads), np.stack(distances).astype(np.float64))


def observe_presence(
    looker: Looker, samples: list[Sample]
) -> tuple[Float[np.ndarray, "crops evidence"], Float[np.ndarray, " crops"]]:
    """Evidence and truth (1 face, 0 none) for crops on faces, beside them and on noise."""
    rng = np.random.default_rng(_SEED)
    spoil = partial(random_texture, config=AugmentConfig(occlusion=0.7), rng=rng)
    evidence, truth = [], []
    for sample in track(samples, "presence"):
        image = sample.read_image()
        on = [_nudged(sample.points, rng, 0.05) for _ in range(4)]
        behind = [_nudged(sample.points, rng, 0.05) for _ in range(4)]
        beside = [_beside(sample.points, rng) for _ in range(4)]
        noise = rng.integers(0, 256, image.shape, dtype=np.uint8)
        flat = np.full_like(image, rng.integers(256))
        for picture, squares, face in (
            (image, on, 1.0),
            (image, beside, 0.0),
            (noise, on[:1], 0.0),
            (flat, on[:1], 0.0),
        ):
            evidence.append(looker.crops(picture, squares)[1])
            truth += [face] * len(squares)
        # A face behind a hand, out of focus or in the dark is still there.
        evidence.append(looker.crops(image, behind, spoil)[1])
        truth += [1.0] * len(behind)
    return np.concatenate(evidence), np.array(truth)


def _nudged(
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


def _taken_again(
    image: UInt8[np.ndarray, "height width rgb=3"], rng: np.random.Generator
) -> UInt8[np.ndarray, "height width rgb=3"]:
    noisy = image + rng.normal(0, rng.uniform(1, 5), image.shape)
    picture = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 98))]
    _, stored = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    return cv2.cvtColor(cv2.imdecode(stored, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
