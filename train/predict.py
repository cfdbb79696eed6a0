"""Look at annotated faces with a network, once or several times, and make one answer of it.

A look is a crop with the matrix that made it, so that mirrored, moved, scaled and rolled looks all
go back to the picture by one rule.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from models.inference import CropEstimates
from tracker.crop import crop_from_square, transform, transform_covariance, warp_crop
from tracker.gaussian import precision_weighted_mean
from tracker.layouts import Layout, find_layout

from .augment import geometry_matrix
from .datasets import Sample
from .hard_views import Crop

_BATCH = 32
"""Crops that the network sees at once, at least the looks at one face."""
_FLOOR_PX2 = 1e-4
"""Least variance in crop pixels, so that a heat map of a single cell still has a precision."""
Gaussians = tuple[Float[np.ndarray, "*batch xy=2"], Float[np.ndarray, "*batch xy=2 xy=2"]]
"""Means and covariances."""

_NUDGE, _NUDGE_SCALE, _NUDGE_ROLL_DEG = 0.03, 0.03, 4.0
"""How far looks beside the exact one lie: well inside what training draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How often a face is looked at, and how."""

    flips: bool = False
    """Look at the mirror image of every crop too."""
    crops: int = 1
    """The exact crop, then others around it; always the same ones."""
    stages: int = 1
    """Of the network, counted from its end."""

    def __post_init__(self) -> None:
        for name, value in (("crops", self.crops), ("stages", self.stages)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")


ONCE = Looking()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How the face lies in a crop, compared with the exact crop."""

    shift: tuple[float, float] = (0.0, 0.0)
    """Right and down, in crop sides."""
    scale: float = 1.0
    roll_deg: float = 0.0
    """Clockwise on the screen."""

    def matrix(self, size_px: int) -> Float[np.ndarray, "3 3"]:
        """Takes pixels of the exact crop to pixels of this one."""
        shift = size_px * np.array(self.shift)
        return geometry_matrix(self.roll_deg, self.scale, shift, size_px)


EXACT = View()
ROBUSTNESS = {
    "shift 10 %": tuple(View(shift=to) for to in ((-0.1, 0), (0.1, 0), (0, -0.1), (0, 0.1))),
    "scale 10 %": (View(scale=0.9), View(scale=1.1)),
    "roll 15°": (View(roll_deg=-15.0), View(roll_deg=15.0)),
}
"""Crops as a poor detector would take them."""


@dataclass(frozen=True, slots=True)
class Look:
    """One crop of a face, as the network will see it."""

    crop: Crop
    crop_from_picture: Float[np.ndarray, "3 3"]
    mirrored: bool = False
    """Whether right and left have changed names in it."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """Where the landmarks of many faces are, in pixels of their pictures."""

    mean: Float[np.ndarray, "faces landmarks xy=2"]
    covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"]


class StagedLandmarker(Protocol):
    """A `tracker.types.Landmarker` that also tells what its stages say: `HeatmapLandmarker`."""

    @property
    def layout_name(self) -> str: ...

    @property
    def layout_table(self) -> Mapping[str, Any]: ...

    @property
    def input_px(self) -> int: ...

    @property
    def margin(self) -> float: ...

    @property
    def antialiased(self) -> bool: ...

    @property
    def mirror_offset(self) -> float: ...

    def stages(
        self, crops: UInt8[np.ndarray, "faces height width rgb=3"], last: int
    ) -> list[CropEstimates]:
        """Landmarks in crop pixels by each of the last stages, the final one last."""


def predict(
    landmarker: StagedLandmarker,
    samples: Iterable[Sample],
    looking: Looking = ONCE,
    view: View = EXACT,
) -> Predicted:
    """Landmarks of every face, the mean of all looks at it.

    Args:
        landmarker: Looks at the crops.
        samples: Wrap them in `rich.progress.track` to show progress.
        looking: How often.
        view: Every look strays from the exact crop by this much, to measure robustness.

    Raises:
        DataError: If a picture cannot be read.
    """
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    per_face = looking.crops * (2 if looking.flips else 1)
    fused: list[Gaussians] = []
    for some in _groups(samples, max(_BATCH // per_face, 1)):
        looks = [look for s in some for look in looks_at(s, looking, landmarker, view)]
        seen = _seen(landmarker, layout, looks, looking.stages)
        fused += [_fused(seen[i : i + per_face]) for i in range(0, len(seen), per_face)]
    shape = (-1, layout.count, 2)
    return Predicted(
        np.array([mean for mean, _ in fused]).reshape(shape),
        np.array([covariance for _, covariance in fused]).reshape(*shape, 2),
    )


def looks_at(
    sample: Sample,
    looking: Looking,
    landmarker: StagedLandmarker,
    view: View = EXACT,
) -> list[Look]:
    """The crops that are taken of one face; the mirrored ones are the last half."""
    size, image = landmarker.input_px, sample.read_image()
    center_x, center_y, side = sample.square(landmarker.margin)
    exact = crop_from_square(center_x, center_y, max(side, 1.0), size)
    looks = []
    for nudge in nudges(looking.crops):
        matrix = nudge.matrix(size) @ view.matrix(size) @ exact
        crop = warp_crop(image, matrix, size, antialiased=landmarker.antialiased)
        looks.append(Look(crop, matrix))
    offset_px = landmarker.mirror_offset * size
    return looks + [mirror_image(look, offset_px) for look in looks if looking.flips]


def mirror_offset_of(landmarker: StagedLandmarker, samples: Iterable[Sample]) -> float:
    """Measure `tracker.types.Landmarker.mirror_offset`; where the truth is matters nothing."""
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    too_far = []
    for sample in samples:
        (look,) = looks_at(sample, ONCE, landmarker)
        pair = [look, mirror_image(look)]
        (direct, _), (mirrored, _) = _seen(landmarker, layout, pair, 1)
        too_far.append((direct - mirrored)[..., 0].mean() / 2 * look.crop_from_picture[0, 0])
    return float(np.mean(too_far)) / landmarker.input_px


def nudges(count: int) -> list[View]:
    """The exact crop and `count - 1` around it, evenly on a circle."""
    around = []
    for index, angle in enumerate(np.linspace(0, 2 * np.pi, count - 1, endpoint=False)):
        around.append(
            View(
                shift=(float(_NUDGE * np.cos(angle)), float(_NUDGE * np.sin(angle))),
                scale=1 + _NUDGE_SCALE * (1 if index % 2 else -1),
                roll_deg=_NUDGE_ROLL_DEG * (1 if index // 2 % 2 else -1),
            )
        )
    return [EXACT, *around]


def mirror_image(look: Look, offset_px: float = 0.0) -> Look:
    """The same crop seen in a mirror.

    Args:
        look: Not yet mirrored.
        offset_px: By so much the network says that landmarks are too far right, in the mirror,
            too: the way back takes it off twice.
    """
    mirror = np.eye(3)
    mirror[0] = -1, 0, look.crop.shape[1] - 1 + 2 * offset_px
    crop = np.ascontiguousarray(look.crop[:, ::-1])
    return Look(crop, mirror @ look.crop_from_picture, mirrored=True)


def _seen(
    landmarker: StagedLandmarker, layout: Layout, looks: list[Look], last: int
) -> list[Gaussians]:
    """What the last stages say of each look, in the picture."""
    stages = landmarker.stages(np.stack([look.crop for look in looks]), last)
    mean = np.stack([stage.mean for stage in stages])  # (stages, looks, landmarks, 2)
    covariance = np.stack([stage.covariance for stage in stages]) + _FLOOR_PX2 * np.eye(2)
    return [_in_picture(look, layout, mean[:, i], covariance[:, i]) for i, look in enumerate(looks)]


def _fused(looks: list[Gaussians]) -> Gaussians:
    """All stages of all looks at one face as one."""
    means, covariances = zip(*looks, strict=True)
    return precision_weighted_mean(np.concatenate(means), np.concatenate(covariances))


def _in_picture(
    look: Look,
    layout: Layout,
    mean: Float[np.ndarray, "stages landmarks xy=2"],
    covariance: Float[np.ndarray, "stages landmarks xy=2 xy=2"],
) -> Gaussians:
    """From pixels of the look to those of the picture, every landmark under its own name."""
    picture_from_crop = np.linalg.inv(look.crop_from_picture.astype(np.float64))
    mean = transform(picture_from_crop, mean)
    covariance = transform_covariance(picture_from_crop, covariance)
    if look.mirrored:
        mean, covariance = mean[:, layout.mirror], covariance[:, layout.mirror]
    return mean, covariance


def _groups(samples: Iterable[Sample], count: int) -> Iterator[list[Sample]]:
    remaining = iter(samples)
    while some := list(islice(remaining, count)):
        yield some
