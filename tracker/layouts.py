"""Landmark layouts: what each index means. The only such table in the project.

"Right" and "left" are the person's own. Indices are those of the published annotations.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from .errors import FaceTrackError


@dataclass(frozen=True, slots=True)
class Outline:
    """A chain of landmarks along one part of the face."""

    name: str
    members: tuple[int, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A set of landmarks with its symmetry and its unit of length."""

    name: str
    count: int
    outlines: tuple[Outline, ...]
    mirror_pairs: tuple[tuple[int, int], ...]
    """Landmarks that swap in a mirror; all others map to themselves."""
    eye_corners: tuple[int, int]
    """Outer corners of the right and the left eye; their distance is the inter-ocular distance."""
    has_eyes: bool = True
    """False where `eye_corners` mean nothing: the unit of length is then the size of the shape."""

    def __hash__(self) -> int:
        """By name, which is much faster than by all fields."""
        return hash(self.name)

    @property
    def edges(self) -> tuple[tuple[int, ...], ...]:
        """Members of each outline, as the network's edge maps want them."""
        return tuple(outline.members for outline in self.outlines)

    @property
    def parts(self) -> tuple[tuple[int, ...], ...]:
        """Landmarks that move together: each outline, and what lies on none by itself."""
        outlined = {member for members in self.edges for member in members}
        alone = ((index,) for index in range(self.count) if index not in outlined)
        return (*self.edges, *alone)

    @property
    def mirror(self) -> np.ndarray:
        """`points[mirror]` renames the points of a mirrored face; (count,) integers."""
        order = np.arange(self.count)
        for one, other in self.mirror_pairs:
            order[[one, other]] = other, one
        return order

    def interocular(
        self, points: Float[np.ndarray, "*faces landmarks xy=2"]
    ) -> Float[np.ndarray, "*faces"]:
        """Distance between the outer eye corners, in the units of `points`."""
        right, left = self.eye_corners
        across = points[..., left, :] - points[..., right, :]
        return np.hypot(across[..., 0], across[..., 1])

    def length(
        self, points: Float[np.ndarray, "*faces landmarks xy=2"]
    ) -> Float[np.ndarray, "*faces"]:
        """Unit of length of a motion model: the inter-ocular distance.

        Of a layout without eyes, what comes near it on a face: 1.4 RMS distances from the centre.
        """
        if self.has_eyes:
            return self.interocular(points)
        away = points - points.mean(-2, keepdims=True)
        return 1.4 * np.sqrt(np.square(away).sum(-1).mean(-1))


def plain_layout(count: int) -> Layout:
    """A layout of which only the number of landmarks is known: all of them are one part.

    Raises:
        ValueError: If there is none.
    """
    if count < 1:
        raise ValueError(f"a layout needs at least one landmark, got {count}")
    everything = Outline("all", tuple(range(count)))
    return Layout(f"{count} points", count, (everything,), (), (0, count - 1), has_eyes=False)


def _run(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


def _pairs(text: str) -> tuple[tuple[int, int], ...]:
    """Pairs written as "60-72 61-71"."""
    return tuple((int(a), int(b)) for a, b in (pair.split("-") for pair in text.split()))


def _contour_pairs(last: int) -> tuple[tuple[int, int], ...]:
    return tuple((i, last - i) for i in range(last // 2))


WFLW_98 = Layout(
    name="WFLW-98",
    count=98,
    outlines=(
        Outline("contour", _run(0, 32)),
        Outline("right brow", _run(33, 41), closed=True),
        Outline("left brow", _run(42, 50), closed=True),
        Outline("nose line", _run(51, 54)),
        Outline("nose base", _run(55, 59)),
        Outline("right eye", _run(60, 67), closed=True),
        Outline("left eye", _run(68, 75), closed=True),
        Outline("outer lip", _run(76, 87), closed=True),
        Outline("inner lip", _run(88, 95), closed=True),
    ),
    mirror_pairs=_contour_pairs(32)
    + _pairs(
        "33-46 34-45 35-44 36-43 37-42 38-50 39-49 40-48 41-47 "
        "60-72 61-71 62-70 63-69 64-68 65-75 66-74 67-73 55-59 56-58 "
        "76-82 77-81 78-80 87-83 86-84 88-92 89-91 95-93 96-97"
    ),
    eye_corners=(60, 72),
)

IBUG_68 = Layout(
    name="300W-68",
    count=68,
    outlines=(
        Outline("contour", _run(0, 16)),
        Outline("right brow", _run(17, 21)),
        Outline("left brow", _run(22, 26)),
        Outline("nose line", _run(27, 30)),
        Outline("nose base", _run(31, 35)),
        Outline("right eye", _run(36, 41), closed=True),
        Outline("left eye", _run(42, 47), closed=True),
        Outline("outer lip", _run(48, 59), closed=True),
        Outline("inner lip", _run(60, 67), closed=True),
    ),
    mirror_pairs=_contour_pairs(16)
    + _pairs(
        "17-26 18-25 19-24 20-23 21-22 31-35 32-34 36-45 37-44 38-43 39-42 40-47 41-46 "
        "48-54 49-53 50-52 59-55 58-56 60-64 61-63 67-65"
    ),
    eye_corners=(36, 45),
)

COFW_29 = Layout(
    name="COFW-29",
    count=29,
    # The order of the members, and the left eye left open, are those of the published label maps.
    outlines=(
        Outline("right brow", (0, 4, 2, 5), closed=True),
        Outline("left brow", (1, 6, 3, 7), closed=True),
        Outline("right eye", (8, 12, 10, 13), closed=True),
        Outline("left eye", (9, 14, 11, 15)),
        Outline("nose", (18, 20, 19, 21), closed=True),
        Outline("lower lip", (22, 26, 23, 27), closed=True),
        Outline("upper lip", (22, 24, 23, 25), closed=True),
    ),
    mirror_pairs=_pairs("0-1 2-3 4-6 5-7 8-9 10-11 12-14 13-15 16-17 18-19 22-23"),
    eye_corners=(8, 9),
)

LAYOUTS = {layout.name: layout for layout in (WFLW_98, IBUG_68, COFW_29)}


def layout_table(layout: Layout) -> dict[str, Any]:
    """What a weight file stores of a layout: nothing of those in `LAYOUTS`."""
    return {} if LAYOUTS.get(layout.name) == layout else asdict(layout)


def find_layout(name: str, table: Mapping[str, Any]) -> Layout:
    """The layout that a weight file names or, by `layout_table`, describes.

    Raises:
        FaceTrackError: If it is neither.
    """
    if not table:
        if name not in LAYOUTS:
            known = ", ".join(LAYOUTS)
            raise FaceTrackError(f"layout {name} of the weights is unknown: choose one of {known}")
        return LAYOUTS[name]
    try:
        outlines = tuple(
            Outline(outline["name"], tuple(outline["members"]), outline["closed"])
            for outline in table["outlines"]
        )
        pairs = tuple((one, other) for one, other in table["mirror_pairs"])
        right, left = table["eye_corners"]
        return Layout(table["name"], table["count"], outlines, pairs, (right, left))
    except (KeyError, TypeError, ValueError) as error:
        raise FaceTrackError(f"layout {name} of the weights is damaged ({error})") from error
