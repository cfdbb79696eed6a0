"""Landmarks of annotated faces by a network, with test-time augmentation if wanted.

Every crop keeps the matrix that made it, so that mirrored, shifted, scaled and rotated crops map
back to the picture in the same way; their landmarks are fused, weighted by precision.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from models.calibrated_landmarker import CropEstimates
from tracker.augmentation import mirrored
from tracker.crop import crop_from_square, transform, transform_covariance, warp_crop
from tracker.gaussian import precision_weighted_mean
from tracker.layouts import Layout, find_layout

from .augment import geometry_matrix
from .datasets import Sample
from .hard_views import Crop

_BATCH = 32
"""Crops in one batch of the network, at least those of one face."""
_FLOOR_PX2 = 1e-4
"""Least variance in crop pixels, so that a heat map of a single cell still has a precision."""
Gaussians = tuple[Float[np.ndarray, "*batch xy=2"], Float[np.ndarray, "*batch xy=2 xy=2"]]
"""Means and covariances."""

_SHIFT, _SCALE, _ROLL_DEG = 0.03, 0.03, 4.0
"""How far the further crops lie from the exact one: well inside what training draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiCrop:
    """Test-time augmentation: which crops of a face are predicted and fused."""

    flips: bool = False
    """Every crop is also predicted mirrored."""
    crops: int = 1
    """The exact crop, then others around it; always the same ones."""
    stages: int = 1
    """Of the network, counted from its end."""

    def __post_init__(self) -> None:
        for name, value in (("crops", self.crops), ("stages", self.stages)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")


ONE_CROP = MultiCrop()


@dataclass(frozen=True, slots=True, kw_only=True)
class CropPerturbation:
    """How a crop differs from the exact one."""

    shift: tuple[float, float] = (0.0, 0.0)
    """Right and down, in crop sides."""
    scale: float = 1.0
    roll_deg: float = 0.0
    """Clockwise on the screen."""

    def matrix(self, size_px: int) -> Float[np.ndarray, "3 3"]:
        """Takes pixels of the exact crop to pixels of this one."""
        shift = size_px * np.array(self.shift)
        return geometry_matrix(self.roll_deg, self.scale, shift, size_px)


EXACT = CropPerturbation()
ROBUSTNESS = {
    "shift 10 %": tuple(
        CropPerturbation(shift=to) for to in ((-0.1, 0), (0.1, 0), (0, -0.1), (0, 0.1))
    ),
    "scale 10 %": (CropPerturbation(scale=0.9), CropPerturbation(scale=1.1)),
    "roll 15°": (CropPerturbation(roll_deg=-15.0), CropPerturbation(roll_deg=15.0)),
}
"""Crops as a poor detector would take them."""


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """One crop of a face."""

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
    """A `tracker.landmarker.Landmarker` with the outputs of its stages: `HeatmapLandmarker`."""

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
    def horizontal_bias(self) -> float: ...

    def stages(
        self, crops: UInt8[np.ndarray, "faces height width rgb=3"], last: int
    ) -> list[CropEstimates]:
        """Landmarks in crop pixels by each of the last stages, the final one last."""


def predict(
    landmarker: StagedLandmarker,
    samples: Iterable[Sample],
    augmentation: MultiCrop = ONE_CROP,
    perturbation: CropPerturbation = EXACT,
) -> Predicted:
    """Landmarks of every face, fused over its crops.

    Args:
        landmarker: Predicts the crops.
        samples: Wrap them in `rich.progress.track` to show progress.
        augmentation: Which crops are predicted and fused.
        perturbation: Of every crop, to measure robustness.

    Returns:
        Means and covariances in pixels of the pictures.

    Raises:
        DataError: If a picture cannot be read.
    """
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    per_face = augmentation.crops * (2 if augmentation.flips else 1)
    fused: list[Gaussians] = []
    for some in _groups(samples, max(_BATCH // per_face, 1)):
        crops = [c for s in some for c in crops_of(s, augmentation, landmarker, perturbation)]
        found = _predict_crops(landmarker, layout, crops, augmentation.stages)
        fused += [_fused(found[i : i + per_face]) for i in range(0, len(found), per_face)]
    shape = (-1, layout.count, 2)
    return Predicted(
        np.array([mean for mean, _ in fused]).reshape(shape),
        np.array([covariance for _, covariance in fused]).reshape(*shape, 2),
    )


def crops_of(
    sample: Sample,
    augmentation: MultiCrop,
    landmarker: StagedLandmarker,
    perturbation: CropPerturbation = EXACT,
) -> list[FaceCrop]:
    """The crops of one face; the mirrored ones are the last half.

    Args:
        sample: The face.
        augmentation: Which crops.
        landmarker: Has the size and margin of crops.
        perturbation: Of every crop.

    Raises:
        DataError: If its picture cannot be read.
    """
    size, image = landmarker.input_px, sample.read_image()
    center_x, center_y, side = sample.square(landmarker.margin)
    exact = crop_from_square(center_x, center_y, max(side, 1.0), size)
    crops = []
    for further in perturbations(augmentation.crops):
        matrix = further.matrix(size) @ perturbation.matrix(size) @ exact
        crop = warp_crop(image, matrix, size, antialiased=landmarker.antialiased)
        crops.append(FaceCrop(crop, matrix))
    offset_px = landmarker.horizontal_bias * size
    return crops + [mirror_image(crop, offset_px) for crop in crops if augmentation.flips]


def horizontal_bias_of(landmarker: StagedLandmarker, samples: Iterable[Sample]) -> float:
    """Measure the `horizontal_bias` of a `tracker.landmarker.Landmarker`; needs no annotations."""
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    offsets = []
    for sample in samples:
        (crop,) = crops_of(sample, ONE_CROP, landmarker)
        pair = [crop, mirror_image(crop)]
        (direct, _), (of_mirror, _) = _predict_crops(landmarker, layout, pair, 1)
        offsets.append((direct - of_mirror)[..., 0].mean() / 2 * crop.crop_from_picture[0, 0])
    return float(np.mean(offsets)) / landmarker.input_px


def perturbations(count: int) -> list[CropPerturbation]:
    """The exact crop and `count - 1` around it, evenly on a circle."""
    around = []
    for index, angle in enumerate(np.linspace(0, 2 * np.pi, count - 1, endpoint=False)):
        around.append(
            CropPerturbation(
                shift=(float(_SHIFT * np.cos(angle)), float(_SHIFT * np.sin(angle))),
                scale=1 + _SCALE * (1 if index % 2 else -1),
                roll_deg=_ROLL_DEG * (1 if index // 2 % 2 else -1),
            )
        )
    return [EXACT, *around]


def mirror_image(crop: FaceCrop, offset_px: float = 0.0) -> FaceCrop:
    """The mirrored crop.

    Args:
        crop: Not yet mirrored.
        offset_px: The network's systematic horizontal bias; it is the same in mirrored crops, so
            that mapping back subtracts it twice.
    """
    matrix = mirrored(crop.crop_from_picture, crop.crop.shape[1] + 2 * offset_px)
    return FaceCrop(np.ascontiguousarray(crop.crop[:, ::-1]), matrix, mirrored=True)


def _predict_crops(
    landmarker: StagedLandmarker, layout: Layout, crops: list[FaceCrop], last: int
) -> list[Gaussians]:
    """Landmarks of each crop by the last stages, in pixels of the picture."""
    stages = landmarker.stages(np.stack([crop.crop for crop in crops]), last)
    mean = np.stack([stage.mean for stage in stages])  # (stages, crops, landmarks, 2)
    covariance = np.stack([stage.covariance for stage in stages]) + _FLOOR_PX2 * np.eye(2)
    return [_in_picture(crop, layout, mean[:, i], covariance[:, i]) for i, crop in enumerate(crops)]


def _fused(crops: list[Gaussians]) -> Gaussians:
    """All stages of all crops of one face as one."""
    means, covariances = zip(*crops, strict=True)
    return precision_weighted_mean(np.concatenate(means), np.concatenate(covariances))


def _in_picture(
    crop: FaceCrop,
    layout: Layout,
    mean: Float[np.ndarray, "stages landmarks xy=2"],
    covariance: Float[np.ndarray, "stages landmarks xy=2 xy=2"],
) -> Gaussians:
    """From crop pixels to those of the picture, every landmark under its own name."""
    picture_from_crop = np.linalg.inv(crop.crop_from_picture.astype(np.float64))
    mean = transform(picture_from_crop, mean)
    covariance = transform_covariance(picture_from_crop, covariance)
    if crop.mirrored:
        mean, covariance = mean[:, layout.mirror], covariance[:, layout.mirror]
    return mean, covariance


def _groups(samples: Iterable[Sample], count: int) -> Iterator[list[Sample]]:
    remaining = iter(samples)
    while some := list(islice(remaining, count)):
        yield some
