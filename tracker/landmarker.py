"""What a landmarker is: crops out of a frame into a network, its answer back into the frame.

Networks take crops (`Landmarker`). Where the crops are cut, on the CPU or on the network's own
device (`CropCutter`), is decided once, by `on_frames`; everything else uses a `FrameLandmarker`.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from .crop import (
    crop_from_square,
    inverse_affine,
    reduced_from_crop,
    reduction,
    transform_covariance,
    warp_crop,
)
from .detection.any_roll_detector import FaceFinder
from .layouts import Layout, find_layout
from .types import Box, Image, LandmarkEstimate, Measurement

_FLOOR = 1e-4 * np.eye(2)
"""Least variance of a landmark, square pixels: nobody knows a landmark better."""

Matrix = Float[np.ndarray, "3 3"]


@runtime_checkable
class CropLandmarks(Protocol):
    """The answer of a landmarker for a batch of crops, in crop pixels.

    It may also have a `descriptor`, (faces, any number) or None: vectors of unit length, the nearer
    to each other the more two faces look like one person's.
    """

    @property
    def mean(self) -> Float[np.ndarray, "faces landmarks xy=2"]: ...

    @property
    def covariance(self) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """Spread of the truth around the mean, square pixels."""

    @property
    def measurement_noise(self) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """Frame-to-frame noise of the mean, square pixels."""

    @property
    def confidence(self) -> Float[np.ndarray, " faces"]:
        """Probability that the landmarks sit on a face; NaN where the network does not know."""


@runtime_checkable
class Landmarker(Protocol):
    """Anything that finds landmarks in square face crops, e.g. what `models.load_landmarker` loads.

    Properties may be plain attributes.
    """

    @property
    def layout_name(self) -> str:
        """Of the landmarks, as in `tracker.layouts`."""

    @property
    def layout_table(self) -> Mapping[str, Any]:
        """Its description where the name is none of `tracker.layouts.LAYOUTS`, else empty."""

    @property
    def input_px(self) -> int:
        """Side of the crops it takes."""

    @property
    def margin(self) -> float:
        """Side of the crop over the longer side of the landmarks' box."""

    @property
    def horizontal_bias(self) -> float:
        """Systematic horizontal bias, share of the crop's side; the same in a mirror."""

    def __call__(self, crops: UInt8[np.ndarray, "faces height width rgb=3"]) -> CropLandmarks:
        """Find the landmarks of every crop."""


@runtime_checkable
class CropCutter(Protocol):
    """What a landmarker may be besides: one that cuts its crops where its network runs."""

    def cut(
        self, image: Image, factors: list[int], reduced_from_crop: Float[np.ndarray, "faces 3 3"]
    ) -> Any:
        """Cut crops equal to `tracker.crop.warp_crop`'s, in any form its own `__call__` takes.

        Threads may cut at the same time, and while another calls `__call__`.

        Args:
            image: The frame.
            factors: For every crop as in `tracker.crop.reduction`.
            reduced_from_crop: As in `tracker.crop`.
        """

    def join(self, crops: list[Any]) -> Any:
        """What several calls of `cut` gave, as one batch."""


@runtime_checkable
class BringsDetector(Protocol):
    """What a landmarker may be besides: one that a face detector comes with."""

    def load_face_detector(self) -> FaceFinder:
        """A new one; closing it is up to who asked."""


class FrameLandmarker:
    """A landmarker for frames: cuts crops on the CPU, and finds landmarks in them.

    Args:
        landmarker: Takes the crops.

    Raises:
        FaceTrackError: If its layout is not a known one.
    """

    prefers_batches = False
    """True where many faces at once cost hardly more than one, as on a GPU."""

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self.detector_source = landmarker if isinstance(landmarker, BringsDetector) else None
        """Loads the face detector that comes with the network, if one does."""
        self.layout: Layout = find_layout(landmarker.layout_name, landmarker.layout_table)
        self.input_px, self.margin = landmarker.input_px, landmarker.margin
        self.bias_px = landmarker.horizontal_bias * landmarker.input_px
        """Systematic horizontal bias in crop pixels."""

    def cut(self, image: Image, crop_from_frame: list[Matrix]) -> Any:
        """The crops, in the form that `locate` takes.

        Args:
            image: The frame.
            crop_from_frame: A matrix for each crop, from frame pixels to crop pixels.
        """
        return np.stack([warp_crop(image, matrix, self.input_px) for matrix in crop_from_frame])

    def join(self, crops: list[Any]) -> Any:
        """Crops of several frames as one batch."""
        return np.concatenate(crops)

    def locate(self, crops: Any) -> CropLandmarks:
        """Find the landmarks of every crop."""
        return self._landmarker(crops)


class _OnDevice(FrameLandmarker):
    """The same for a landmarker that cuts its crops itself."""

    prefers_batches = True

    def __init__(self, landmarker: Landmarker, cutter: CropCutter) -> None:
        super().__init__(landmarker)
        self._cutter = cutter

    def cut(self, image: Image, crop_from_frame: list[Matrix]) -> Any:
        factors = [reduction(matrix, image.shape[:2]) for matrix in crop_from_frame]
        from_crops = [
            reduced_from_crop(matrix, factor)
            for matrix, factor in zip(crop_from_frame, factors, strict=True)
        ]
        return self._cutter.cut(image, factors, np.stack(from_crops))

    def join(self, crops: list[Any]) -> Any:
        return self._cutter.join(crops)


def on_frames(landmarker: Landmarker | FrameLandmarker | None) -> FrameLandmarker:
    """The landmarker for frames; one that already is stays as it is.

    Raises:
        ValueError: If it is no landmarker.
        FaceTrackError: If its layout is not a known one.
    """
    if isinstance(landmarker, FrameLandmarker):
        return landmarker
    is_object = landmarker is not None and not isinstance(landmarker, type)
    if not (is_object and callable(landmarker) and hasattr(landmarker, "layout_name")):
        raise ValueError(
            f"a landmarker finds landmarks in crops, got {type(landmarker).__name__}: give what "
            "models.load_landmarker() returns"
        )
    if isinstance(landmarker, CropCutter):
        return _OnDevice(landmarker, landmarker)
    return FrameLandmarker(landmarker)


def crops_of(boxes: list[Box], landmarker: FrameLandmarker, scale: float = 1.0) -> list[Matrix]:
    """`crop_from_frame` of the crop that the landmarker was trained with, for every box.

    Args:
        boxes: In frame pixels.
        landmarker: Of which the crops are.
        scale: Of the side of all crops.
    """
    size, margin = landmarker.input_px, landmarker.margin
    return [
        crop_from_square(
            box.center_x, box.center_y, max(box.side, 1.0) * margin * scale, size, box.roll_deg
        )
        for box in boxes
    ]


def measurements_in_frame(
    answer: CropLandmarks, crop_from_frame: list[Matrix]
) -> list[Measurement]:
    """The landmarker's answer in frame pixels; one that is not finite is no face.

    Args:
        answer: In crop pixels.
        crop_from_frame: A matrix for each crop.

    Raises:
        ValueError: If a covariance is not positive semi-definite.
    """
    described = getattr(answer, "descriptor", None)
    frame_from_crop = np.array([inverse_affine(matrix) for matrix in crop_from_frame])
    mean, confidence = answer.mean, np.asarray(answer.confidence).tolist()
    covariances = np.array([answer.covariance, answer.measurement_noise])
    if not (np.isfinite(mean).all() and np.isfinite(covariances).all()):
        is_face = np.isfinite(mean).all((1, 2)) & np.isfinite(covariances).all((0, 2, 3, 4))
        mean = np.where(is_face[:, None, None], mean, 0)
        covariances = np.where(is_face[:, None, None, None], covariances, 0)
        confidence = [one if good else 0.0 for one, good in zip(confidence, is_face, strict=True)]
    points = mean @ frame_from_crop[:, :2, :2].swapaxes(1, 2) + frame_from_crop[:, None, :2, 2]
    absolute, noise = transform_covariance(frame_from_crop, covariances) + _FLOOR
    _check_definite(absolute, "covariance")
    _check_definite(noise, "measurement_noise")
    return [
        Measurement(
            LandmarkEstimate(points[index], absolute[index]),
            noise[index],
            confidence[index],
            None if described is None else described[index],
        )
        for index in range(len(crop_from_frame))
    ]


def _check_definite(covariance: Float[np.ndarray, "faces landmarks xy=2 xy=2"], name: str) -> None:
    xx, xy, yy = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
    positive = (xx > 0) & (yy > 0)
    reach = np.sqrt(np.maximum(xx, 0)) * np.sqrt(np.maximum(yy, 0))  # xx yy may overflow
    bad = ~(positive & (np.abs(xy) < reach))
    if bad.any():
        face, index = np.argwhere(bad)[0].tolist()
        raise ValueError(
            f"the landmarker's {name} must be positive definite, got "
            f"{covariance[face, index].tolist()} square pixels for landmark {index}"
        )
