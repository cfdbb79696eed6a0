"""Fakes that several tests share: faces that are bright discs, small clips, fixture paths."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from tracker.layouts import IBUG_68
from tracker.types import Box, Image

FIXTURES = Path(__file__).parent / "fixtures"
SHARED = Path(__file__).parents[2] / "shared"
needs_shared = pytest.mark.skipif(
    not (SHARED / "data/300w").is_dir(), reason="needs ../shared, which is not published"
)


def blob_frame(
    centers: list[tuple[float, float]], size: tuple[int, int] = (320, 240), radius: float = 30.0
) -> Image:
    """A dark frame with bright discs: the 'faces' that `BlobLandmarker` sees."""
    image = np.full((size[1], size[0], 3), 20, np.uint8)
    for x, y in centers:
        fixed = (round(x * 16), round(y * 16))
        cv2.circle(image, fixed, round(radius * 16), (255, 255, 255), -1, cv2.LINE_AA, 4)
    return image


def blob_shape() -> np.ndarray:
    """68 points on the unit circle with the eye corners left and right."""
    angles = np.linspace(0, 2 * np.pi, IBUG_68.count, endpoint=False)
    shape = np.stack([np.cos(angles), np.sin(angles)], -1)
    right, left = IBUG_68.eye_corners
    shape[right], shape[left] = (-1, 0), (1, 0)
    return shape


@dataclass(frozen=True)
class BlobAnswer:
    mean: np.ndarray
    covariance: np.ndarray
    measurement_noise: np.ndarray
    confidence: np.ndarray


class BlobLandmarker:
    """Landmarks of the bright disc in a crop, by its centre of mass; no disc, no confidence."""

    layout_name = IBUG_68.name
    layout_table: ClassVar[dict[str, object]] = {}
    input_px = 64
    margin = 1.5
    horizontal_bias = 0.0

    def __init__(self, noise_px: float = 0.0, seed: int = 0) -> None:
        self._noise_px, self._rng = noise_px, np.random.default_rng(seed)
        self.calls = 0

    def __call__(self, crops: np.ndarray) -> BlobAnswer:
        self.calls += 1
        bright = crops[..., 0].astype(float) > 128
        mass = bright.sum((1, 2))
        rows, columns = np.mgrid[: self.input_px, : self.input_px]
        total = np.maximum(mass, 1)
        center = np.stack(
            [(bright * columns).sum((1, 2)) / total, (bright * rows).sum((1, 2)) / total], -1
        )
        radius = np.sqrt(total / np.pi)
        mean = center[:, None] + radius[:, None, None] * blob_shape()
        mean = mean + self._noise_px * self._rng.standard_normal(mean.shape)
        covariance = np.broadcast_to(
            max(self._noise_px, 0.1) ** 2 * np.eye(2), (*mean.shape[:2], 2, 2)
        )
        confidence = np.where((mass > 200) & (mass < 0.7 * bright[0].size), 0.99, 0.01)
        return BlobAnswer(mean, covariance, covariance, confidence)


@dataclass(frozen=True)
class DescribedBlobAnswer(BlobAnswer):
    descriptor: np.ndarray


class DescribingLandmarker(BlobLandmarker):
    """Tells discs apart by what colour they have besides red: green is one person, blue another.

    Args:
        blue_height: Of the blue one's face over its width; the other's is 1.
    """

    def __init__(self, blue_height: float = 0.8) -> None:
        super().__init__()
        self._blue_height = blue_height

    def __call__(self, crops: np.ndarray) -> DescribedBlobAnswer:
        answer = super().__call__(crops)
        colours = crops[..., 1:].astype(float) * (crops[..., :1] > 128)
        mean = colours.sum((1, 2)) + 1e-3
        descriptor = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        height = np.where(descriptor[:, 1] > descriptor[:, 0], self._blue_height, 1.0)
        center = answer.mean.mean(1, keepdims=True)
        scale = np.stack([np.ones_like(height), height], -1)[:, None]
        return DescribedBlobAnswer(
            center + scale * (answer.mean - center),
            answer.covariance,
            answer.measurement_noise,
            answer.confidence,
            descriptor,
        )


def two_sided_shape() -> np.ndarray:
    """68 points as wide as the unit circle that are their own mirror image, right for left."""
    shape = np.zeros((IBUG_68.count, 2))
    for right, left in IBUG_68.mirror_pairs:
        height = right / 34 - 1
        shape[[right, left]] = (-1, height), (1, height)
    return shape


class TwoSidedLandmarker(BlobLandmarker):
    """Has the disc's middle and size, but a shape that mirrors; as do its tilted covariances."""

    def __init__(self, lean_px: float = 0.0, horizontal_bias: float = 0.0) -> None:
        super().__init__()
        self.horizontal_bias = horizontal_bias
        self._lean = np.array([lean_px, 0.0])
        tilt = np.zeros(IBUG_68.count)
        for right, left in IBUG_68.mirror_pairs:
            tilt[[right, left]] = 0.8, -0.8
        spread = 1 + two_sided_shape()[:, 1] ** 2
        unit = np.stack(
            [np.stack([1 + 0 * tilt, tilt], -1), np.stack([tilt, 1 + 0 * tilt], -1)], -2
        )
        self._covariance = spread[:, None, None] * unit

    def __call__(self, crops: np.ndarray) -> BlobAnswer:
        answer = super().__call__(crops)
        low, high = answer.mean.min(1, keepdims=True), answer.mean.max(1, keepdims=True)
        radius = (high - low)[..., :1] / 2
        mean = (low + high) / 2 + radius * two_sided_shape() + self._lean
        covariance = np.broadcast_to(self._covariance, (len(crops), *self._covariance.shape))
        return BlobAnswer(mean, covariance, 0.5 * covariance, answer.confidence)


class BlobDetector:
    """Bright discs as squares."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: Image) -> list[Box]:
        self.calls += 1
        bright = (image[..., 0] > 128).astype(np.uint8)
        _, _, stats, centers = cv2.connectedComponentsWithStats(bright)
        return [
            Box(float(center[0]), float(center[1]), float(max(stat[2], stat[3])))
            for stat, center in zip(stats[1:], centers[1:], strict=True)
        ]


def write_video(path: Path, frames: list[Image], rate: float = 30.0) -> Path:
    """Encode frames as MPEG-4 (or what the suffix asks for)."""
    height, width = frames[0].shape[:2]
    code = {".avi": "MJPG", ".webm": "VP80", ".mpg": "MPG1"}.get(path.suffix, "mp4v")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), rate, (width, height))
    assert writer.isOpened(), path
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path
