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

Matrix = Float[np.ndarray, "3 3"]


def cut_crops(
    image: Image, squares: list[Square], landmarker: Landmarker
) -> tuple[Any, list[Matrix]]:
    """The crops that the landmarker wants of these squares, and their `crop_from_frame`.

    A `CropCutter` cuts them itself, into what it takes itself.
    """
    size, margin = landmarker.input_px, landmarker.margin
    matrices = [
        crop_from_square(s.center_x, s.center_y, max(s.side, 1.0) * margin, size) for s in squares
    ]
    if isinstance(landmarker, CropCutter):
        factors = [reduction(matrix, image.shape[:2]) for matrix in matrices]
        from_crops = [reduced_from_crop(m, f) for m, f in zip(matrices, factors, strict=True)]
        return landmarker.cut(image, factors, np.stack(from_crops)), matrices
    return np.stack([warp_crop(image, matrix, size) for matrix in matrices]), matrices


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
