"""Held-out faces that are hard: turned, dark, cut by the border, covered, badly cropped.

They are chosen by what is seen on them, never by a network's error.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from tracker.layouts import IBUG_68, Layout

from .augment import AugmentConfig
from .datasets import Sample
from .metrics import Normaliser

_TURNED = 0.2
"""Distance of the nose's tip from the middle of the eyes, along them, of a turned head, in eye
distances: about 25 degrees."""
_DARK = 80.0
"""Median grey level inside the landmarks' hull of a dark face, of 255."""
_CUT = 0.02
"""A face is cut where its landmarks' box comes this near to the border, in shares of the box."""
ADVERSE = AugmentConfig(
    angle_deg=15.0,
    occlusion=0.0,
    blur=0.0,
    gamma=0.0,
    noise=0.0,
    grey=0.0,
    low_light=0.2,
    border=0.2,
    wide_mouth=0.15,
    shadow=0.3,
    covering=0.4,
    small_face=0.15,
    wrong_crop=0.3,
)
"""What the faces of the part `adverse` go through, most of them through one or two."""


@dataclass(frozen=True, slots=True)
class HeldOutPart:
    """Faces that are never trained on, measured together."""

    name: str
    samples: list[Sample]
    normaliser: Normaliser = "ocular"
    augment: AugmentConfig | None = None
    """None: exact crops; else one random view of each face, always the same."""


def hard_parts(
    held_out: list[Sample], held_people: Mapping[str, list[Sample]], layout: Layout
) -> tuple[HeldOutPart, ...]:
    """The parts that are measured beside the held-out faces.

    Args:
        held_out: Annotated by people.
        held_people: Machine-labelled faces of people that are never trained on, by their source.
        layout: Other than the 68 landmarks of 300W it has none.

    Returns:
        `hard`, the turned, dark and cut of the held-out faces; `adverse`, one hard view of each
        of the held-out faces; then the turned heads of each source, by its name, in shares of the
        diagonal of the landmarks' box.
    """
    if layout.name != IBUG_68.name:
        return ()
    parts = [
        HeldOutPart("hard", [sample for sample in held_out if is_hard(sample)]),
        HeldOutPart("adverse", held_out, augment=ADVERSE),
    ]
    for name, samples in held_people.items():
        turned = [s for s in samples if nose_offset(s.points[None])[0] > _TURNED]
        parts.append(HeldOutPart(f"{name}_turned", turned, "diagonal"))
    return tuple(part for part in parts if part.samples)


def is_hard(sample: Sample) -> bool:
    """Whether an annotated face is turned, dark or cut by the picture's border."""
    if nose_offset(sample.points[None])[0] > _TURNED:
        return True
    image = sample.read_image()
    low, high = sample.points.min(0), sample.points.max(0)
    nearest = min(*low, *(np.array(image.shape[1::-1]) - 1 - high))
    if nearest < _CUT * (high - low).max():
        return True
    hull = cv2.convexHull(sample.points.round().astype(np.int32))
    inside = cv2.fillConvexPoly(np.zeros(image.shape[:2], np.uint8), hull, (1,)) > 0
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return bool(np.median(grey[inside]) < _DARK)


def nose_offset(points: Float[np.ndarray, "faces landmarks xy=2"]) -> Float[np.ndarray, " faces"]:
    """How far the nose's tip lies beside the middle of the eyes, along them, in eye distances.

    0 from the front, beyond 0.25 for a head turned by more than about 30 degrees.
    """
    right, left = points[:, 36:42].mean(1), points[:, 42:48].mean(1)
    along = left - right
    share = ((points[:, 30] - right) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-9)
    return np.abs(share - 0.5)
