"""Crops of faces out of a frame, and what a landmarker says of them back into it."""

from typing import Any

import numpy as np
from jaxtyping import Float

from .crop import (
    crop_from_square,
    inverse_affine,
    reduced_from_crop,
    reduction,
    transform,
    transform_covariance,
    warp_crop,
)
from .gaussian import precision_weighted_mean
from .layouts import Layout
from .types import (
    CropCutter,
    CropLandmarks,
    Image,
    Landmarker,
    LandmarkEstimate,
    Measurement,
    Square,
)

_FLOOR_PX2 = 1e-4
"""Least variance of a landmark, square pixels: nobody knows a landmark better."""

_SIDES = (1.0, 0.94, 1.06)
"""Of the crops in which a face is looked at carefully, over the side that it asks for."""
_LOOKS = 2 * len(_SIDES)
"""Each of them in the mirror, too."""

Matrix = Float[np.ndarray, "3 3"]


def cut_crops(
    image: Image, squares: list[Square], landmarker: Landmarker, *, carefully: bool = False
) -> tuple[Any, list[Matrix]]:
    """The crops that the landmarker wants of these squares, and their `crop_from_frame`.

    A `CropCutter` cuts them itself, into what it takes itself.

    Args:
        image: The frame.
        squares: In its pixels.
        landmarker: Says how large its crops are.
        carefully: After all crops tighter ones and wider ones, then the mirror images of all, for
            `fused` to make one measurement of.
    """
    size, margin = landmarker.input_px, landmarker.margin
    matrices = [
        crop_from_square(s.center_x, s.center_y, max(s.side, 1.0) * margin * side, size)
        for side in (_SIDES if carefully else (1.0,))
        for s in squares
    ]
    if not carefully:
        return _cut(image, matrices, landmarker), matrices
    crops = _cut(image, matrices + [_mirrored(matrix, size) for matrix in matrices], landmarker)
    # In the mirror, too, it will say that landmarks are too far right.
    too_far = 2 * landmarker.mirror_offset * size
    return crops, matrices + [_mirrored(matrix, size + too_far) for matrix in matrices]


def _mirrored(crop_from_frame: Matrix, width_px: float) -> Matrix:
    mirror = np.diag(np.array([-1, 1, 1], crop_from_frame.dtype))
    mirror[0, 2] = width_px - 1
    return mirror @ crop_from_frame


def _cut(image: Image, matrices: list[Matrix], landmarker: Landmarker) -> Any:
    if isinstance(landmarker, CropCutter):
        factors = [reduction(matrix, image.shape[:2]) for matrix in matrices]
        from_crops = [reduced_from_crop(m, f) for m, f in zip(matrices, factors, strict=True)]
        return landmarker.cut(image, factors, np.stack(from_crops))
    return np.stack([warp_crop(image, matrix, landmarker.input_px) for matrix in matrices])


def fused(measurements: list[Measurement], layout: Layout) -> list[Measurement]:
    """One measurement per square, from all that `cut_crops` took `carefully`.

    Right and left have changed names in a mirror. Each landmark is believed where it is sure, and
    a face as far as the look does that believes in it least.
    """
    faces, direct = len(measurements) // _LOOKS, len(_SIDES)
    looks = [measurements[face::faces] for face in range(faces)]
    return [
        _as_one(of[:direct] + [_renamed(m, layout.mirror) for m in of[direct:]]) for of in looks
    ]


def _renamed(seen: Measurement, names: np.ndarray) -> Measurement:
    landmarks = LandmarkEstimate(seen.landmarks.mean[names], seen.landmarks.covariance[names])
    return Measurement(landmarks, seen.flicker[names], seen.confidence)


def _as_one(looks: list[Measurement]) -> Measurement:
    mean, covariance = precision_weighted_mean(
        np.stack([look.landmarks.mean for look in looks]),
        np.stack([look.landmarks.covariance for look in looks]),
    )
    flicker = np.mean([look.flicker for look in looks], axis=0)
    confidence = float(np.fmin.reduce([look.confidence for look in looks]))
    return Measurement(LandmarkEstimate(mean, covariance), flicker, confidence)


def measurements_in_frame(answer: CropLandmarks, matrices: list[Matrix]) -> list[Measurement]:
    """The landmarker's answer in frame pixels; one that is not finite is no face."""
    measurements = []
    for index, matrix in enumerate(matrices):
        frame_from_crop = inverse_affine(matrix)
        mean, confidence = answer.mean[index], float(answer.confidence[index])
        covariances = np.stack([answer.covariance[index], answer.flicker[index]])
        if not (np.isfinite(mean).all() and np.isfinite(covariances).all()):
            mean, covariances = np.zeros_like(mean), np.zeros_like(covariances)
            confidence = 0.0
        absolute, flicker = transform_covariance(
            frame_from_crop, covariances
        ) + _FLOOR_PX2 * np.eye(2)
        landmarks = LandmarkEstimate(transform(frame_from_crop, mean), absolute)
        measurements.append(Measurement(landmarks, flicker, confidence))
    return measurements
