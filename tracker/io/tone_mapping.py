"""Pictures of high dynamic range to what screens and networks are used to: sRGB."""

from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from ..types import Image

PQ, HLG = 16, 18
"""Transfer characteristics by their number in H.273."""
_WHITE_NITS = 203.0
"""Luminance of white paper in graded films, ITU-R BT.2408."""
_KNEE = 0.7
"""Share of paper white above which highlights are compressed."""
_PICTURE_FROM_BT2020 = np.array(
    [[1.6605, -0.5876, -0.0729], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1188]]
)
"""BT.2020's primaries to sRGB's; rows sum to 1, so grey stays grey."""


def tone_mapped(image: Image, transfer: int) -> Image:
    """An RGB picture in BT.2020 whose values are coded by PQ or HLG, as sRGB.

    Each channel goes through one curve; the primaries are then changed as if values were linear,
    which is near enough for skin and costs little.
    """
    mapped = np.asarray(cv2.LUT(image, _curve(transfer)), np.uint8)
    return np.asarray(cv2.transform(mapped, _PICTURE_FROM_BT2020), np.uint8)


@cache
def _curve(transfer: int) -> UInt8[np.ndarray, "256"]:
    """From code values to sRGB's."""
    code = np.linspace(0, 1, 256)
    light = (_pq_nits(code) if transfer == PQ else _hlg_nits(code)) / _WHITE_NITS
    beyond = np.maximum(light - _KNEE, 0)
    shown = np.minimum(light, _KNEE) + (1 - _KNEE) * (1 - np.exp(-beyond / (1 - _KNEE)))
    coded = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return np.round(255 * coded).astype(np.uint8)


def _pq_nits(code: Float[np.ndarray, "256"]) -> Float[np.ndarray, "256"]:
    """SMPTE ST 2084."""
    power = code ** (32 / 2523)
    share = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    return 10_000 * share ** (16_384 / 2610)


def _hlg_nits(code: Float[np.ndarray, "256"]) -> Float[np.ndarray, "256"]:
    """ITU-R BT.2100, on a display of 1,000 nits, whose gamma of the whole system is 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return 1000 * scene**1.2
