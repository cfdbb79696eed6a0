"""From any layout of landmarks to the truth's 68 points: what each point is compared with."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68

COUNT = IBUG_68.count
JAW = tuple(range(17))
_PAIRS = {
    "blink": (((37, 38), (41, 40)), ((43, 44), (47, 46))),
    "mouth": (((61, 62, 63), (67, 66, 65)),),
}
"""By gesture: points of the truth on the upper and on the lower edge of each opening."""
_ACROSS = {"blink": (36, 45), "mouth": (36, 45)}

# The vertex of MediaPipe's mesh nearest to each of the 68 points, fitted on rendered heads.
# fmt: off
_MESH = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)
_WFLW = (
    *range(0, 33, 2), 33, 34, 35, 36, 37, 42, 43, 44, 45, 46, *range(51, 60),
    60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *range(76, 96),
)
_OPENSEEFACE = (
    *range(48), 49, 50, 51, 52, 53, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67,
)
# fmt: on
_COFW: tuple[tuple[int, ...], ...] = (
    (17,),
    (26,),
    (21,),
    (22,),
    (19,),
    (19,),
    (24,),
    (24,),
    (36,),
    (45,),
    (39,),
    (42,),
    (37, 38),
    (41, 40),
    (43, 44),
    (47, 46),
    tuple(range(36, 42)),
    tuple(range(42, 48)),
    (31,),
    (35,),
    (30,),
    (33,),
    (48,),
    (54,),
    (51,),
    (62,),
    (66,),
    (57,),
    (8,),
)  # fmt: skip
_YUNET: tuple[tuple[int, ...], ...] = (
    tuple(range(36, 42)), tuple(range(42, 48)), (30,), (48,), (54,),
)  # fmt: skip

Weights = Float[np.ndarray, "points 68"]


@dataclass(frozen=True, slots=True, eq=False)
class PointMap:
    """Which of a tracker's points are scored, and as what."""

    used: tuple[int, ...]
    """Indices in the tracker's layout."""
    weights: Weights
    """Row for each of these; a mean of the truth's points."""

    def truth(
        self, points: Float[np.ndarray, "*batch 68 xy=2"]
    ) -> Float[np.ndarray, "*batch points xy=2"]:
        """Where the truth has what the tracker's points are compared with."""
        return np.asarray(np.einsum("pt,...tx->...px", self.weights, points))

    def openings(self, gesture: str) -> list[tuple[list[int], list[int]]]:
        """Rows on the upper and on the lower edge of each eye or of the mouth."""
        found = []
        for edges in _PAIRS[gesture]:
            upper, lower = (self._inside(edge) for edge in edges)
            if upper and lower:
                found.append((upper, lower))
        return found

    def _inside(self, edge: tuple[int, ...]) -> list[int]:
        others = [point for point in range(COUNT) if point not in edge]
        return [row for row, weight in enumerate(self.weights) if not weight[others].any()]

    @property
    def without_jaw(self) -> list[int]:
        """Rows that take nothing from the jaw."""
        return [row for row, weight in enumerate(self.weights) if not weight[list(JAW)].any()]


def _map(members: dict[int, tuple[int, ...]]) -> PointMap:
    weights = np.zeros((len(members), COUNT))
    for row, points in enumerate(members.values()):
        weights[row, list(points)] = 1 / len(points)
    return PointMap(tuple(members), weights)


def _singles(theirs: tuple[int, ...]) -> PointMap:
    """By the truth's order: the tracker's index of each of the 68 points."""
    return _map({point: (truth,) for truth, point in enumerate(theirs)})


_BY_COUNT = {
    68: _singles(tuple(range(COUNT))),
    98: _singles(_WFLW),
    66: _map({index: (point,) for index, point in enumerate(_OPENSEEFACE)}),
    29: _map(dict(enumerate(_COFW))),
    5: _map(dict(enumerate(_YUNET))),
    468: _singles(_MESH),
    478: _singles(_MESH),
}


def map_of(count: int, where: str) -> PointMap:
    """The map of a layout that is known by its number of points.

    Raises:
        FaceTrackError: If it is not.
    """
    if count not in _BY_COUNT:
        known = ", ".join(map(str, sorted(_BY_COUNT)))
        raise FaceTrackError(
            f"{where}: has {count} points, and layouts are known of {known}: say by --mapping "
            "FILE.csv (columns point,truth) which of them are which of the truth's 68"
        )
    return _BY_COUNT[count]


def read_map(path: Path) -> PointMap:
    """A map from a file with the columns `point` and `truth`.

    Raises:
        FaceTrackError: If it is none.
    """
    members: dict[int, tuple[int, ...]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), 2):
                truth = tuple(int(text) for text in row["truth"].split())
                if not truth or not all(0 <= point < COUNT for point in truth):
                    raise ValueError(f"line {number}: truth must be points from 0 to {COUNT - 1}")
                if (point := int(row["point"])) < 0 or point in members:
                    raise ValueError(f"line {number}: point {point} stands there twice, or is < 0")
                members[point] = truth
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise FaceTrackError(
            f"{path}: is no mapping ({error}): it needs the columns point,truth with numbers"
        ) from error
    if not members:
        raise FaceTrackError(f"{path}: is an empty mapping: give a row for each point to score")
    return _map(members)
