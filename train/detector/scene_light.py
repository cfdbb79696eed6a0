"""What light, lens, sensor and codec do to a composed scene. Geometry stays."""

import cv2
import numpy as np

from tracker.types import Image
from train.jpeg import compressed


def degraded(image: Image, rng: np.random.Generator) -> Image:
    """The scene as some camera might deliver it: dark, blurred, noisy, compressed, or as it was."""
    seen = image
    if rng.random() < 0.2:
        seen = _coarse(seen, rng)
    if rng.random() < 0.2:
        seen = _blurred(seen, rng)
    if rng.random() < 0.75:
        seen = _lit(seen, rng)
    if rng.random() < 0.25:
        seen = _noisy(seen, rng)
    if rng.random() < 0.2:
        seen = cv2.cvtColor(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.15:
        seen = _hard(seen, rng)
    if rng.random() < 0.35:
        seen = compressed(seen, int(rng.integers(12, 85)))
    return seen


def tinted(image: Image, rng: np.random.Generator, strength: float = 1.0) -> Image:
    """One face's own light: brightness and colour by a look-up table."""
    gain = np.exp(rng.normal(0, 0.3 * strength)) * np.exp(rng.normal(0, 0.05 * strength, 3))
    gamma = np.exp(rng.normal(0, 0.2 * strength))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gain * 255
    table = np.clip(levels, 0, 255).astype(np.uint8).reshape(1, 256, 3)
    return cv2.LUT(image, table)


def _lit(image: Image, rng: np.random.Generator) -> Image:
    """Exposure, gamma, contrast and colour cast; one in three dark."""
    dark = rng.random() < 0.33
    gain = np.exp(rng.uniform(np.log(0.14), np.log(0.6)) if dark else rng.normal(0, 0.2))
    gamma = np.exp(rng.normal(0.1 if dark else 0.0, 0.25))
    cast = np.exp(rng.normal(0, 0.08, 3))
    lift = rng.uniform(0, 25) if rng.random() < 0.3 else 0.0
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * (gain * cast) * (255 - lift) + lift
    table = np.clip(levels, 0, 255).astype(np.uint8).reshape(1, 256, 3)
    return cv2.LUT(image, table)


def _hard(image: Image, rng: np.random.Generator) -> Image:
    """Strong contrast, as of a poster or an old photograph: shadows black, lights white."""
    steepness, middle = rng.uniform(4, 12), rng.uniform(0.25, 0.7)
    levels = 1 / (1 + np.exp(-steepness * (np.linspace(0, 1, 256) - middle)))
    levels = (levels - levels[0]) / (levels[-1] - levels[0]) * 255
    return cv2.LUT(image, levels.astype(np.uint8))


def _coarse(image: Image, rng: np.random.Generator) -> Image:
    """Resampled down and up, as small video that was enlarged."""
    height, width = image.shape[:2]
    factor = rng.uniform(0.45, 0.9)
    size = (max(round(width * factor), 8), max(round(height * factor), 8))
    ways = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
    small = cv2.resize(image, size, interpolation=ways[rng.integers(3)])
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _blurred(image: Image, rng: np.random.Generator) -> Image:
    """Out of focus, or moved while the shutter was open."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.8))
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    middle = ((length - 1) / 2, (length - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, rng.uniform(0, 180), 1)
    turned = cv2.warpAffine(kernel, turn, (length, length))
    weights = (turned / max(float(turned.sum()), 1e-3)).astype(np.float32)
    return np.asarray(cv2.filter2D(image, -1, weights), np.uint8)


def _noisy(image: Image, rng: np.random.Generator) -> Image:
    """Sensor noise, the same in all channels or not; one small field, tiled."""
    height, width = image.shape[:2]
    channels = 3 if rng.random() < 0.6 else 1
    field = rng.normal(0, rng.uniform(2, 14), (96, 96, channels)).astype(np.int16)
    field = np.tile(field, (-(-height // 96), -(-width // 96), 3 // channels))[:height, :width]
    return np.clip(image.astype(np.int16) + field, 0, 255).astype(np.uint8)
