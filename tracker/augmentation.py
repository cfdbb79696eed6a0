"""Test-time augmentation: one face in several crops and in the mirror, fused into one measurement.

Scales and mirror images err differently, so their precision-weighted mean errs less than any one.
Pictures are worth it; video has the filter instead.
"""

import numpy as np
from jaxtyping import Float

from .gaussian import precision_weighted_mean
from .landmarker import FrameLandmarker, crops_of
from .layouts import Layout
from .types import Box, LandmarkEstimate, Measurement

_SCALES = (1.0, 0.94, 1.06)
"""Sides of the crops over the side that the landmarker was trained with."""
CROPS_PER_FACE = 2 * len(_SCALES)
"""Each of them in the mirror, too."""

Matrix = Float[np.ndarray, "3 3"]


def augmented(boxes: list[Box], landmarker: FrameLandmarker) -> tuple[list[Matrix], list[Matrix]]:
    """The crops of all faces at every scale, then the mirror images of all of these.

    Args:
        boxes: One a face, in frame pixels.
        landmarker: Of which the crops are.

    Returns:
        `crop_from_frame` by which the crops are cut, and by which landmarks go back to the frame:
        the network errs to the same side in a mirror, so that its bias cancels there.
    """
    size = landmarker.input_px
    direct = [crop for scale in _SCALES for crop in crops_of(boxes, landmarker, scale)]
    in_mirror = [mirrored(crop, size) for crop in direct]
    back = [mirrored(crop, size + 2 * landmarker.bias_px) for crop in direct]
    return direct + in_mirror, direct + back


def mirrored(crop_from_frame: Matrix, width_px: float) -> Matrix:
    """The matrix of a crop seen in a mirror; `width_px` is the width of the crop."""
    mirror = np.diag(np.array([-1, 1, 1], crop_from_frame.dtype))
    mirror[0, 2] = width_px - 1
    return mirror @ crop_from_frame


def fused(measurements: list[Measurement], layout: Layout) -> list[Measurement]:
    """One measurement per face, from those in the crops of `augmented`.

    Right and left have changed names in the mirror. Each landmark counts as far as its covariance
    allows; the confidence is the lowest of all crops.
    """
    faces, direct = len(measurements) // CROPS_PER_FACE, len(_SCALES)
    crops = [measurements[face::faces] for face in range(faces)]
    return [
        _as_one(of[:direct] + [_renamed(m, layout.mirror) for m in of[direct:]]) for of in crops
    ]


def _renamed(seen: Measurement, names: np.ndarray) -> Measurement:
    landmarks = LandmarkEstimate(seen.landmarks.mean[names], seen.landmarks.covariance[names])
    return Measurement(landmarks, seen.measurement_noise[names], seen.confidence, seen.descriptor)


def _as_one(crops: list[Measurement]) -> Measurement:
    mean, covariance = precision_weighted_mean(
        np.stack([crop.landmarks.mean for crop in crops]),
        np.stack([crop.landmarks.covariance for crop in crops]),
    )
    noise = np.mean([crop.measurement_noise for crop in crops], axis=0)
    confidence = float(np.fmin.reduce([crop.confidence for crop in crops]))
    return Measurement(LandmarkEstimate(mean, covariance), noise, confidence, crops[0].descriptor)
