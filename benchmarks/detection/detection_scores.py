"""When a face counts as found, and what comes of it."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from .compared_detectors import Squares

NEAR = 0.35
"""Largest distance of the centres, in sides of the face."""
LEAST, MOST = 0.5, 2.0
"""Of the found square's side over the face's."""


@dataclass(frozen=True, slots=True)
class Matched:
    """One picture's faces and finds."""

    found: Bool[np.ndarray, " faces"]
    extra: int
    """Finds that are no face's, each further find of a found face among them."""
    roll_errors_deg: Float[np.ndarray, " matches"]


def match(
    truth: Float[np.ndarray, "faces 3"], rolls_deg: Float[np.ndarray, " faces"], squares: Squares
) -> Matched:
    """Give each find to at most one face, the nearest pairs first.

    Args:
        truth: Centre x, centre y and side of each face's square, in pixels.
        rolls_deg: Of the faces, counter-clockwise as seen.
        squares: What a detector found.
    """
    found = np.zeros(len(truth), bool)
    errors: list[float] = []
    if not len(squares) or not len(truth):
        return Matched(found, len(squares), np.array(errors))
    distance = np.linalg.norm(truth[:, None, :2] - squares[None, :, :2], axis=-1)
    distance = distance / truth[:, 2:3]
    ratio = squares[None, :, 2] / truth[:, 2:3]
    distance[(distance > NEAR) | (ratio < LEAST) | (ratio > MOST)] = np.inf
    while np.isfinite(distance.min()):
        face, find = np.unravel_index(distance.argmin(), distance.shape)
        found[face] = True
        errors.append(abs((squares[find, 3] - rolls_deg[face] + 180) % 360 - 180))
        distance[face], distance[:, find] = np.inf, np.inf
    return Matched(found, len(squares) - len(errors), np.array(errors))


@dataclass
class DetectionTally:
    """Faces found of faces shown."""

    found: int = 0
    shown: int = 0
    roll_errors_deg: list[float] = field(default_factory=list)

    def add(self, found: Bool[np.ndarray, " faces"], roll_errors_deg: np.ndarray) -> None:
        """Count some faces."""
        self.found += int(found.sum())
        self.shown += len(found)
        self.roll_errors_deg += [float(error) for error in roll_errors_deg]

    @property
    def recall(self) -> float:
        """Share found; NaN where no face was shown."""
        return self.found / self.shown if self.shown else float("nan")
