"""The rendered heads of `data/free` and their truth: pose, eyeballs and expression.

What their table calls pupils are the eyeballs' centres: they lie equally far behind both lids, and
stay where they are when an eye looks aside. The rendered eyes are white and have no iris, so that
nothing in these pictures says where they look.
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from tracker.layouts import IBUG_68

from .datasets import DataError

HELD_OUT_OF = 5
"""Every fifth head is held out; each is another person."""
POINTS = IBUG_68.count + 2
"""The landmarks, then the centres of the right and the left eyeball."""
_MIRROR = np.concatenate([IBUG_68.mirror, [POINTS - 1, POINTS - 2]])
_SIDE_PX, _EYEBALL_DISTANCE = 208, 5.88
_NOT_COEFFICIENTS = ("x", "y", "model", "pupil", "picture", "frame", "time", "yaw", "pitch", "roll",
                     "distance", "focal")  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class RenderedHeads:
    """Heads in front of a pinhole camera."""

    pictures: tuple[str, ...]
    points: Float[np.ndarray, "heads points xy=2"]
    """Pixels of the picture, with `POINTS` points."""
    angles_deg: Float[np.ndarray, "heads yaw_pitch_roll=3"]
    """To the right of the picture, down, counter-clockwise as seen."""
    distance: Float[np.ndarray, " heads"]
    """Of the model's origin, its units."""
    focal_px: Float[np.ndarray, " heads"]
    coefficients: Float[np.ndarray, "heads coefficients"]
    names: tuple[str, ...]
    """ARKit's; `browInnerUp` in two halves."""

    @property
    def rotations(self) -> Float[np.ndarray, "heads 3 3"]:
        """From the head's frame to the camera's: Rz(-roll) Rx(pitch) Ry(-yaw)."""
        yaw, pitch, roll = np.radians(self.angles_deg).T
        return _turns(-roll, 0, 1) @ _turns(pitch, 1, 2) @ _turns(-yaw, 2, 0)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, chosen: np.ndarray) -> "RenderedHeads":
        """Those at these places."""
        return replace(
            self,
            pictures=tuple(np.array(self.pictures)[chosen].tolist()),
            points=self.points[chosen],
            angles_deg=self.angles_deg[chosen],
            distance=self.distance[chosen],
            focal_px=self.focal_px[chosen],
            coefficients=self.coefficients[chosen],
        )

    @property
    def center_px(self) -> float:
        """Of the pictures, x and y."""
        return (_SIDE_PX - 1) / 2

    @property
    def eyeball_distance(self) -> float:
        """Units of the model between the eyeballs of a usual head."""
        return _EYEBALL_DISTANCE

    @property
    def is_held_out(self) -> np.ndarray:
        return np.arange(len(self)) % HELD_OUT_OF == 0

    def with_mirrored(self) -> "RenderedHeads":
        """These, and each in the mirror."""
        points = self.points[:, _MIRROR].copy()
        points[..., 0] = _SIDE_PX - 1 - points[..., 0]
        order = [self.names.index(other_side(name)) for name in self.names]
        angles = self.angles_deg * np.array([-1, 1, -1])
        return replace(
            self,
            pictures=self.pictures * 2,
            points=np.concatenate([self.points, points]),
            angles_deg=np.concatenate([self.angles_deg, angles]),
            distance=np.tile(self.distance, 2),
            focal_px=np.tile(self.focal_px, 2),
            coefficients=np.concatenate([self.coefficients, self.coefficients[:, order]]),
        )


def other_side(name: str) -> str:
    """A coefficient's name in the mirror."""
    for one, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(one):
            return name.removesuffix(one) + other
    return name


def heads_folder(data: Path) -> Path:
    """Where the pictures and their table are."""
    return data / "free" / "heads"


def read_rendered_heads(table: Path) -> RenderedHeads:
    """Read a table of rendered heads, or of a clip of one.

    Raises:
        DataError: If it is missing or has other columns.
    """
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        own = [name for name in rows[0] if name.split("_")[0] not in _NOT_COEFFICIENTS]
        eyeballs = [[f"pupil_{axis}_{eye}" for axis in "xy"] for eye in (1, 0)]
        at = [[f"{axis}_{i}" for axis in "xy"] for i in range(IBUG_68.count)] + eyeballs
        return RenderedHeads(
            pictures=tuple(row.get("picture") or row["frame"] for row in rows),
            points=np.array([[[float(row[c]) for c in point] for point in at] for row in rows]),
            angles_deg=_columns(rows, ["yaw_deg", "pitch_deg", "roll_deg"]),
            distance=_columns(rows, ["distance"])[:, 0],
            focal_px=_columns(rows, ["focal_px"])[:, 0],
            coefficients=_columns(rows, own),
            names=tuple(_arkit(name) for name in own),
        )
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise DataError(f"{table}: is no table of rendered heads ({error}): see --data") from error


def _columns(rows: list[dict[str, str]], names: list[str]) -> np.ndarray:
    return np.array([[float(row[name]) for name in names] for row in rows])


def _arkit(name: str) -> str:
    if name.endswith(("_L", "_R")):
        return name[:-2] + {"L": "Left", "R": "Right"}[name[-1]]
    return name


def _turns(angle: np.ndarray, one: int, other: int) -> np.ndarray:
    """Rotations from one axis to another."""
    turned = np.tile(np.eye(3), (len(angle), 1, 1))
    turned[:, one, one] = turned[:, other, other] = np.cos(angle)
    turned[:, one, other] = -np.sin(angle)
    turned[:, other, one] = np.sin(angle)
    return turned
