"""A gesture as a warp: part of the picture slides over the rest, landmarks along with it.

The part that moves is a layer of its own. Material point p of it goes to p + amount * d(p), with
d smooth and zero far from the gesture; what it uncovers shows the picture below.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float

from tracker.types import Image, Points

_LEVELS = 32
"""Amounts at which the warp is inverted beforehand; between them it is interpolated."""
_LEVELS_ONCE = 4
"""The same on the way to amount 1 where only one amount is wanted."""
_LEAST_STRETCH = 0.3
"""Newton's steps are no longer than where material is pressed together this much."""

Warp = Float[np.ndarray, "height width xy=2"]


@dataclass(frozen=True, eq=False)
class Deformation:
    """One gesture on one picture; amount 0 leaves the picture as it is, bit for bit."""

    corner: tuple[int, int]
    """x and y of the top-left pixel of the patch that it changes."""
    displacement: Warp
    """Pixels at amount 1, of the material at each pixel of the patch."""
    cover: Float[np.ndarray, "height width"]
    """1 where the picture belongs to the layer that moves, 0 where it stays below it."""
    hollow: Float[np.ndarray, "height width"]
    """1 where the layer, moving off, uncovers a hollow and not the picture below."""
    hollow_colour: Float[np.ndarray, "height width rgb=3"]
    moves: Points
    """Displacement of each landmark at amount 1."""

    @property
    def corners(self) -> Float[np.ndarray, "corners xy=2"]:
        """First and last pixel of the patch."""
        height, width = self.cover.shape
        return np.array(self.corner) + np.array([[0.0, 0.0], [width - 1, height - 1]])

    def shifted(self, x: int, y: int) -> "Deformation":
        """The same on a picture with x columns and y rows more before it."""
        return replace(self, corner=(self.corner[0] + x, self.corner[1] + y))

    def apply(self, picture: Image, amount: float) -> None:
        """Change the picture in place; prepared for many amounts, as a film asks for."""
        if amount:
            self._draw(picture, self._source(amount))

    def apply_once(self, picture: Image, amount: float) -> None:
        """The same for one amount, a tenth of the work."""
        if amount:
            steps = max(round(_LEVELS_ONCE * amount), 1)
            *_, source = _inverses(self.displacement, np.linspace(0, amount, steps + 1)[1:])
            self._draw(picture, source)

    def _draw(self, picture: Image, source: Warp) -> None:
        (x, y), (height, width) = self.corner, self.cover.shape
        patch = picture[y : y + height, x : x + width]
        layer, cover = sampled(patch, source), sampled(self.cover, source)
        below = patch + self.hollow[..., None] * (self.hollow_colour - patch)
        patch[:] = np.round(below + cover[..., None] * (layer - below))

    @cached_property
    def _sources(self) -> list[Warp]:
        return list(_inverses(self.displacement, np.linspace(0, 1, _LEVELS + 1)))

    def _source(self, amount: float) -> Warp:
        """Where each pixel's material comes from."""
        level = min(int(amount * _LEVELS), _LEVELS - 1)
        share = amount * _LEVELS - level
        return cv2.addWeighted(
            self._sources[level], 1 - share, self._sources[level + 1], share, 0.0
        )


def _inverses(displacement: Warp, amounts: Float[np.ndarray, " levels"]) -> Iterator[Warp]:
    """At each amount the s for which s + amount * d(s) is the pixel, by Newton from the last one.

    Neighbours move in nearly one direction, so d's slope along it is its divergence.
    """
    rows, columns = np.indices(displacement.shape[:2], dtype=np.float32)
    pixel = np.stack([columns, rows], -1)
    slope = np.gradient(displacement[..., 0], axis=1) + np.gradient(displacement[..., 1], axis=0)
    moves = np.dstack([displacement, slope])
    source: np.ndarray = pixel
    for amount in amounts:
        for _ in range(3):
            there = np.float32(amount) * sampled(moves, source)
            miss = source + there[..., :2] - pixel
            source = source - miss / np.maximum(1 + there[..., 2:], _LEAST_STRETCH)
        yield source


def sampled(values: np.ndarray, places: Warp, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
    """Values between pixels. Both maps are given: with an empty second one OpenCV 5 returns NaN."""
    x, y = cv2.split(places)
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=border)


def smooth_step(
    value: Float[np.ndarray, "*shape"], low: float, high: float
) -> Float[np.ndarray, "*shape"]:
    """0 below `low`, 1 above `high`, between them a cubic without a kink."""
    share = np.clip((value - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


@dataclass(frozen=True, slots=True)
class Axes:
    """Coordinates along and across a feature, in its own width: u along, v down."""

    start: Float[np.ndarray, "xy=2"]
    along: Float[np.ndarray, "xy=2"]
    """From u = 0 to u = 1."""

    @property
    def matrix(self) -> Float[np.ndarray, "2 2"]:
        """Displacement in (u, v) to one in (x, y)."""
        (x, y) = self.along
        return np.array([[x, -y], [y, x]])

    @property
    def width_px(self) -> float:
        return float(np.linalg.norm(self.along))

    def uv(self, points: Float[np.ndarray, "*batch xy=2"]) -> Float[np.ndarray, "*batch uv=2"]:
        """Points in these coordinates."""
        (x, y), moved = self.along, points - self.start
        turned = np.stack([x * moved[..., 0] + y * moved[..., 1],
                           x * moved[..., 1] - y * moved[..., 0]], -1)  # fmt: skip
        return turned / (x * x + y * y)

    def xy(self, points: Float[np.ndarray, "*batch uv=2"]) -> Float[np.ndarray, "*batch xy=2"]:
        """Back to pixels."""
        return points @ self.matrix.T + self.start

    def patch(
        self, low: tuple[float, float], high: tuple[float, float]
    ) -> tuple[tuple[int, int], Float[np.ndarray, "height width uv=2"]]:
        """The box of pixels around a rectangle of (u, v): its corner, and (u, v) of each pixel."""
        ends = np.array([(u, v) for u in (low[0], high[0]) for v in (low[1], high[1])])
        corners = self.xy(ends)
        first = np.floor(corners.min(0)).astype(int)
        count = np.ceil(corners.max(0)).astype(int) + 1 - first
        rows, columns = np.indices((count[1], count[0]), dtype=float)
        return (int(first[0]), int(first[1])), self.uv(np.stack([columns, rows], -1) + first)
