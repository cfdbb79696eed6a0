"""The one square crop of training, running and measuring, and the way back to the frame.

Pixels: (x, y), x right, y down, the centre of the top-left pixel is (0, 0).
Normalised crop coordinates: -1 is the left (top) *edge* of the crop, +1 its right (bottom) edge,
so that pixel p of a crop of n pixels is (2 p + 1) / n - 1.
"""

import math
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8

Coordinates = Float[Any, "*batch xy=2"]
"""Points as NumPy has them, or as torch does."""

_LARGEST_WARPED_PX = 32766
"""OpenCV's warp takes no larger pictures: of those only what lies under the crop is warped."""
_LEAST_AREA = 1e-30
_SHRINK_BEYOND = 2.0
"""Average pixels first where one crop pixel covers more than this many of the frame: bilinear
sampling alone skips pixels there, which makes landmarks jitter."""


def landmark_square(
    points: Float[np.ndarray, "landmarks xy=2"], margin: float
) -> tuple[float, float, float]:
    """Centre x, centre y and side of the square the network was trained on.

    Args:
        points: In pixels.
        margin: Side of the square over the longer side of the landmarks' box; 1 as published.

    Source:
        The metadata of ADNet, on which STAR was trained: floor and ceiling of the landmarks' box.
    """
    low, high = np.floor(points.min(0)), np.ceil(points.max(0))
    center_x, center_y = (low + high) / 2
    return float(center_x), float(center_y), float((high - low).max()) * margin


def crop_from_square(
    center_x: float, center_y: float, side: float, size_px: int, roll_deg: float = 0.0
) -> Float[np.ndarray, "3 3"]:
    """The matrix that takes frame pixels to crop pixels.

    Args:
        center_x: Of the square, frame pixels.
        center_y: Likewise.
        side: Likewise.
        size_px: Side of the crop.
        roll_deg: By which the square is rotated, counter-clockwise as seen; in the crop it is
            upright.

    Source:
        STAR: centre to (size - 1) / 2, scale size / side, no rotation.
    """
    scale = size_px / side
    middle = (size_px - 1) / 2
    if roll_deg:
        linear, center = scale * upright(roll_deg), np.array([center_x, center_y])
        matrix = np.eye(3, dtype=np.float32)
        matrix[:2, :2], matrix[:2, 2] = linear, middle - linear @ center
        return matrix
    return np.array(
        [[scale, 0, middle - scale * center_x], [0, scale, middle - scale * center_y], [0, 0, 1]],
        dtype=np.float32,
    )


def upright(roll_deg: float) -> Float[np.ndarray, "2 2"]:
    """The rotation that sets upright what is rolled counter-clockwise as seen by this angle."""
    cosine, sine = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    return np.array([[cosine, -sine], [sine, cosine]])


def warp_crop(
    image: UInt8[np.ndarray, "height width rgb=3"],
    crop_from_frame: Float[np.ndarray, "3 3"],
    size_px: int,
    *,
    antialiased: bool = True,
) -> UInt8[np.ndarray, "size size rgb=3"]:
    """Cut the crop out; black outside the frame.

    Args:
        image: The frame.
        crop_from_frame: May rotate.
        size_px: Side of the crop.
        antialiased: Average pixels before strong reductions. Published tables do not.
    """
    factor = reduction(crop_from_frame, image.shape[:2]) if antialiased else 1
    if factor > 1 or max(image.shape[:2]) > _LARGEST_WARPED_PX:
        image, crop_from_frame = _shrink(image, crop_from_frame, size_px, factor)
    return cv2.warpAffine(
        image, crop_from_frame[:2].astype(np.float64), (size_px, size_px), flags=cv2.INTER_LINEAR
    )


def reduction(crop_from_frame: Float[np.ndarray, "3 3"], frame_size: tuple[int, ...]) -> int:
    """How many pixels, across and down, become one before the crop is sampled.

    Args:
        crop_from_frame: May rotate.
        frame_size: Height and width.
    """
    (a, b), (c, d) = crop_from_frame[:2, :2].tolist()
    frame_per_crop = 1 / math.sqrt(max(abs(a * d - b * c), _LEAST_AREA))
    if frame_per_crop >= _SHRINK_BEYOND and min(frame_size) >= int(frame_per_crop):
        return int(frame_per_crop)
    return 1


def reduced_from_crop(
    crop_from_frame: Float[np.ndarray, "3 3"], factor: int
) -> Float[np.ndarray, "3 3"]:
    """The matrix that takes crop pixels to those of the frame reduced by the factor."""
    return inverse_affine(crop_from_frame @ _frame_from_reduced(factor, np.zeros(2)))


def _frame_from_reduced(
    factor: int, low: Float[np.ndarray, "xy=2"] | Int[np.ndarray, "xy=2"]
) -> Float[np.ndarray, "3 3"]:
    """Cell j averages pixels low + factor * j ... + factor - 1: its centre is their middle."""
    middle = low + (factor - 1) / 2
    return np.array([[factor, 0, middle[0]], [0, factor, middle[1]], [0, 0, 1]])


def _shrink(
    image: UInt8[np.ndarray, "height width rgb=3"],
    crop_from_frame: Float[np.ndarray, "3 3"],
    size_px: int,
    factor: int,
) -> tuple[UInt8[np.ndarray, "patch_height patch_width rgb=3"], Float[np.ndarray, "3 3"]]:
    """The image under the crop, averaged over factor x factor pixels, and its matrix."""
    ends = np.array([[-1, -1], [size_px, -1], [-1, size_px], [size_px, size_px]], dtype=np.float32)
    corners = transform(np.linalg.inv(crop_from_frame), ends)
    height, width = image.shape[:2]
    low = np.clip(np.floor(corners.min(0)).astype(int), 0, None) // factor * factor
    high = np.minimum(np.ceil(corners.max(0)).astype(int) + factor, [width, height])
    cells = np.maximum((high - low) // factor, 0)
    if cells.min() == 0:  # the crop lies outside the frame, or the frame is tiny
        return image[:_LARGEST_WARPED_PX, :_LARGEST_WARPED_PX], crop_from_frame
    patch = image[low[1] : low[1] + cells[1] * factor, low[0] : low[0] + cells[0] * factor]
    small = cv2.resize(patch, (int(cells[0]), int(cells[1])), interpolation=cv2.INTER_AREA)
    return small, (crop_from_frame @ _frame_from_reduced(factor, low)).astype(np.float32)


def transform(
    matrix: Float[np.ndarray, "3 3"], points: Float[np.ndarray, "*batch xy=2"]
) -> Float[np.ndarray, "*batch xy=2"]:
    """Apply an affine matrix to points."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def inverse_affine(matrix: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """The way back, in double precision.

    LAPACK's inverse would wake all cores for a matrix this small, and wait for them.
    """
    back = np.eye(3)
    back[:2] = cv2.invertAffineTransform(matrix[:2].astype(np.float64))
    return back


def transform_covariance(
    matrix: Float[np.ndarray, "*faces 3 3"],
    covariance: Float[np.ndarray, "*batch xy=2 xy=2"],
) -> Float[np.ndarray, "*batch xy=2 xy=2"]:
    """Covariance after an affine matrix, A C A^T, or of landmarks after one for each face."""
    linear = matrix[..., :2, :2]
    # A C A^T is linear in the entries of C: one product for all landmarks
    both = linear[..., :, None, :, None] * linear[..., None, :, None, :]
    entries = covariance.reshape(*covariance.shape[:-2], 4)
    moved = entries @ both.reshape(*linear.shape[:-2], 4, 4).swapaxes(-1, -2)
    return moved.reshape(covariance.shape)


def crop_pixels(normalised: Coordinates, size_px: int) -> Coordinates:
    """Normalised crop coordinates to crop pixels."""
    return ((normalised + 1) * size_px - 1) / 2


def normalised_coordinates(pixels: Coordinates, size_px: int) -> Coordinates:
    """Crop pixels to normalised crop coordinates."""
    return (2 * pixels + 1) / size_px - 1
