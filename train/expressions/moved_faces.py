"""Rendered heads with another expression: the picture follows the landmarks of the linear face.

A rendered head shows few of its expressions, and each rarely. What an expression adds to the
landmarks is known, so the picture is warped to it, smoothly between them (thin plates).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from tracker.analysis.linear_face import LinearFace
from tracker.types import Image, Points
from train.rendered_heads import RenderedHeads

_MODEL_MM = 63.0
"""Between the eyeballs."""
_SIDED = (
    "browDown", "browInnerUp", "browOuterUp", "mouthSmile", "mouthFrown", "mouthStretch",
    "mouthUpperUp", "mouthLowerDown", "eyeBlink",
)  # fmt: skip
_MIDDLE = ("jawLeft", "jawRight", "mouthLeft", "mouthRight", "mouthFunnel", "mouthPucker")
_ALIKE = 0.7
"""How often both sides do the same."""
_LEAST, _MOST = 0.2, 0.9
_CELL_PX = 6
"""The warp is computed on so coarse a grid, and is linear between."""
_FOREHEAD_MM = np.array([[x, -75.0, 10.0] for x in (-45.0, -15.0, 15.0, 45.0)])
"""Stays where it is, as the frame of the picture does."""


@dataclass(frozen=True, slots=True, eq=False)
class MovedHead:
    """A picture after the warp."""

    image: Image
    points: Points
    coefficients: dict[str, float]
    """What was added, by the linear face's names."""

    def added(self, names: tuple[str, ...]) -> np.ndarray:
        """By other names; a name without a side is the mean of both sides."""
        return np.array(
            [
                self.coefficients.get(
                    name,
                    sum(self.coefficients.get(f"{name}{side}", 0.0) for side in ("Left", "Right"))
                    / 2,
                )
                for name in names
            ]
        )


def moved_head(
    image: Image, heads: RenderedHeads, head: int, face: LinearFace, rng: np.random.Generator
) -> MovedHead:
    """Add random expressions to a head.

    Args:
        image: Its picture.
        heads: All heads.
        head: Which of them.
        face: Knows what an expression does.
        rng: Decides which.
    """
    known = dict(zip(heads.names, heads.coefficients[head].tolist(), strict=True))
    added = _drawn(known, rng)
    weights = np.array([added.get(name, 0.0) for name in face.names])
    per_mm = heads.eyeball_distance / _MODEL_MM * heads.focal_px[head] / heads.distance[head]
    rotation = heads.rotations[head]
    points = heads.points[head, : len(face.mean)]
    moves = (face.expression @ weights @ rotation.T)[:, :2] * per_mm
    still = points[27] + ((_FOREHEAD_MM - face.mean[27]) @ rotation.T)[:, :2] * per_mm
    return MovedHead(_warped(image, points, moves, still), points + moves, added)


def _drawn(known: dict[str, float], rng: np.random.Generator) -> dict[str, float]:
    """A few coefficients, none beyond 0 to 1."""
    added: dict[str, float] = {}
    for name in rng.choice(_SIDED + _MIDDLE, rng.integers(1, 4), replace=False).tolist():
        amount = float(rng.uniform(_LEAST, _MOST))
        sides = ["Left", "Right"] if name in _SIDED else [""]
        if len(sides) == 2 and rng.random() > _ALIKE:
            sides = [sides[int(rng.integers(2))]]
        for side in sides:
            full = f"{name}{side}"
            added[full] = min(amount, max(1 - known[full], 0.0))
    return added


def _warped(image: Image, points: Points, moves: Points, still: Points) -> Image:
    """Each landmark's material goes along with it."""
    height, width = image.shape[:2]
    edge = np.array([[x, y] for x in (0, width / 2, width - 1) for y in (0, height / 2, height - 1)
                     if (x, y) != (width / 2, height / 2)])  # fmt: skip
    fixed = np.concatenate([still, edge])
    targets = np.concatenate([points + moves, fixed])
    back = np.concatenate([-moves, np.zeros_like(fixed)])
    across, down = (
        np.arange(0, side + _CELL_PX, _CELL_PX, dtype=float) for side in (width, height)
    )
    grid = np.stack(np.meshgrid(across, down), -1)
    coarse = _thin_plates(targets, back, grid.reshape(-1, 2)).reshape(grid.shape)
    places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    x, y = cv2.split(places / _CELL_PX)
    offset = cv2.remap(coarse.astype(np.float32), x, y, cv2.INTER_CUBIC)
    from_x, from_y = cv2.split(places + offset)
    moved = cv2.remap(image, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _thin_plates(
    knots: Float[np.ndarray, "knots xy=2"],
    values: Float[np.ndarray, "knots xy=2"],
    places: Float[np.ndarray, "places xy=2"],
    smoothing: float = 1.0,
) -> Float[np.ndarray, "places xy=2"]:
    """The smoothest surface near values at knots."""

    def plate(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        square = np.square(one[:, None] - other[None]).sum(-1)
        return square * np.log(square + 1e-9)

    count = len(knots)
    affine = np.concatenate([np.ones((count, 1)), knots], 1)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = plate(knots, knots) + smoothing * np.eye(count)
    system[:count, count:], system[count:, :count] = affine, affine.T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    return plate(places, knots) @ weights[:count] + weights[count] + places @ weights[count + 1 :]
