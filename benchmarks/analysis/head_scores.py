"""Errors of pose and expression on rendered heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from train.rendered_heads import RenderedHeads

YAW_BINS = ((0, 20), (20, 40), (40, 60), (0, 60), (60, 71))
FOLLOWED = ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthSmileLeft", "mouthSmileRight",
            "browInnerUp")  # fmt: skip
_WITHIN_90, _MOST_YAW_DEG = 1.645, 60.0


@dataclass(frozen=True, slots=True, eq=False)
class HeadReading:
    """What a method says of one head."""

    rotation: np.ndarray
    coefficients: Mapping[str, float]
    rotation_deviation: np.ndarray | None = None
    """About the camera's axes, radians; None where the method does not say it."""


Readings = Sequence[HeadReading | None]


def centered(readings: Readings, heads: RenderedHeads) -> list[HeadReading | None]:
    """Without the mean rotation between a method's idea of straight ahead and the truth's."""
    read = [head for head, reading in enumerate(readings) if reading]
    offsets = [
        reading.rotation.T @ heads.rotations[head]
        for head in read
        if (reading := readings[head]) is not None
    ]
    left, _, right = np.linalg.svd(np.mean(offsets, 0))
    return [r and HeadReading(r.rotation @ (left @ right), r.coefficients) for r in readings]


def pose_rows(readings: Readings, heads: RenderedHeads) -> list[list[str]]:
    """For each bin of yaw: faces found, median and 95th percentile in degrees, coverage in %."""
    yaw = np.abs(heads.angles_deg[:, 0])
    errors = np.array([_error(r, heads.rotations[i]) for i, r in enumerate(readings)])
    size = np.degrees(np.linalg.norm(errors, axis=1))
    rows = []
    for low, high in YAW_BINS:
        chosen = (yaw >= low) & (yaw < high)
        found = chosen & np.isfinite(size)
        row = [f"{low} to {high}°", f"{found.sum()} of {chosen.sum()}"]
        if found.any():
            row += [f"{np.median(size[found]):.1f}", f"{np.percentile(size[found], 95):.1f}"]
            row.append(_coverage(readings, errors, found))
        rows.append(row)
    return rows


def correlations(
    readings: Readings, heads: RenderedHeads, most_yaw_deg: float = _MOST_YAW_DEG
) -> dict[str, float]:
    """Of coefficients with the truth; `browInnerUp` is the mean of both brows'."""
    return {name: _correlation(readings, heads, name, most_yaw_deg) for name in FOLLOWED}


def coefficient_rows(methods: Mapping[str, Readings], heads: RenderedHeads) -> list[list[str]]:
    """For each coefficient that a method says: its correlation with the truth, by method."""
    said = {
        name
        for readings in methods.values()
        for reading in readings
        if reading
        for name in reading.coefficients
        if _columns_of(heads, name) and not name.startswith("eyeLook")  # rendered eyes are white
    }
    return [
        [name, *(_shown(_correlation(one, heads, name, _MOST_YAW_DEG)) for one in methods.values())]
        for name in sorted(said)
    ]


def _correlation(readings: Readings, heads: RenderedHeads, name: str, most_yaw_deg: float) -> float:
    """NaN where it is not said."""
    chosen = [
        head
        for head, reading in enumerate(readings)
        if reading and abs(heads.angles_deg[head, 0]) <= most_yaw_deg
    ]
    truth = heads.coefficients[:, _columns_of(heads, name)].mean(1)[chosen]
    said = [r.coefficients.get(name, np.nan) for h in chosen if (r := readings[h]) is not None]
    return float(np.corrcoef(truth, said)[0, 1]) if np.isfinite(said).all() else float("nan")


def _columns_of(heads: RenderedHeads, name: str) -> list[int]:
    """A coefficient, or both its halves."""
    names = (name, f"{name}Left", f"{name}Right")
    return [i for i, known in enumerate(heads.names) if known in names]


def _shown(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else ""


def _error(reading: HeadReading | None, truth: np.ndarray) -> np.ndarray:
    """Rotation vector from the truth to what was read, radians; NaN where nothing was."""
    if reading is None:
        return np.full(3, np.nan)
    turned = reading.rotation @ truth.T
    axis = np.array([turned[2, 1], turned[0, 2], turned[1, 0]])
    axis -= np.array([turned[1, 2], turned[2, 0], turned[0, 1]])
    sine = float(np.linalg.norm(axis)) / 2
    angle = float(np.arctan2(sine, (np.trace(turned) - 1) / 2))
    return axis / 2 / max(sine, 1e-12) * angle


def _coverage(readings: Readings, errors: np.ndarray, found: np.ndarray) -> str:
    scaled = [
        np.abs(errors[head]) / reading.rotation_deviation
        for head in np.flatnonzero(found).tolist()
        if (reading := readings[head]) is not None and reading.rotation_deviation is not None
    ]
    return f"{100 * np.mean(np.array(scaled) < _WITHIN_90):.0f}" if scaled else ""
