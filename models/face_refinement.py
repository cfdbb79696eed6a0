"""Second stage of the face detector: each candidate refined in an upright patch of fixed size.

The same network runs again on the patch. A face scores in both stages, most false candidates in the
first alone; the second stage also gives a more exact place and roll.
"""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

PATCH_PX = 128
"""Side of what the network sees of a candidate."""
_FACE_SHARE = 0.5
"""The candidate's side in the patch's."""
_NEAR, _LEAST, _MOST = 0.4, 0.5, 2.0
"""A cell of the patch means the candidate where its centre is so near, in sides, and its side is so
many times as large."""

Row = Float[np.ndarray, "10"]
"""Score, centre x and y, side, then x and y of right eye, left eye and mouth, in picture pixels."""


def roll_of_row(row: Row) -> float:
    """Roll in degrees, counter-clockwise as seen in the picture."""
    right, left, mouth = row[4:].reshape(3, 2)
    x, y = mouth - (right + left) / 2
    return float(np.degrees(np.arctan2(x, y)))


def patch_from_picture(row: Row) -> Float[np.ndarray, "2 3"]:
    """The matrix that takes picture pixels to those of the candidate's patch."""
    angle = np.radians(roll_of_row(row))
    scale = PATCH_PX * _FACE_SHARE / max(float(row[3]), 1e-3)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.full(2, (PATCH_PX - 1) / 2) - linear @ row[1:3]
    return np.concatenate([linear, shift[:, None]], 1)


def upright_patch(
    image: UInt8[np.ndarray, "height width rgb=3"], matrix: Float[np.ndarray, "2 3"]
) -> UInt8[np.ndarray, "patch patch rgb=3"]:
    """What the matrix of `patch_from_picture` shows; black outside the picture."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    center = np.linalg.solve(matrix[:, :2], np.full(2, (PATCH_PX - 1) / 2) - matrix[:, 2])
    reach = PATCH_PX * 0.75 / scale  # half of the diagonal, and some
    low = np.clip(np.floor(center - reach), 0, image.shape[1::-1]).astype(int)
    high = np.clip(np.ceil(center + reach) + 1, 0, image.shape[1::-1]).astype(int)
    if (high <= low).any():
        return np.zeros((PATCH_PX, PATCH_PX, 3), np.uint8)
    part = image[low[1] : high[1], low[0] : high[0]]
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ low
    factor = int(1 / scale)
    if factor >= 2 and min(part.shape[:2]) >= factor:  # averaged: sampling would skip pixels
        size = (part.shape[1] // factor, part.shape[0] // factor)
        whole = part[: size[1] * factor, : size[0] * factor]
        part = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8)
        shifted[:, 2] += shifted[:, :2].sum(1) * (factor - 1) / 2
        shifted[:, :2] *= factor
    flags = cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(part, shifted, (PATCH_PX, PATCH_PX), flags=flags), np.uint8)


def refined(
    row: Row, cells: Float[np.ndarray, "cells 10"], matrix: Float[np.ndarray, "2 3"]
) -> Row:
    """The candidate after the second stage: the mean of both scores, the place of the second.

    Args:
        row: Of the first stage.
        cells: The network's answer for the patch, in its pixels.
        matrix: Of `patch_from_picture`.
    """
    middle, side = (PATCH_PX - 1) / 2, PATCH_PX * _FACE_SHARE
    near = np.hypot(cells[:, 1] - middle, cells[:, 2] - middle) < _NEAR * side
    alike = near & (cells[:, 3] > _LEAST * side) & (cells[:, 3] < _MOST * side)
    alike &= np.isfinite(cells).all(1)
    after = row.copy()
    after[0] = row[0] / 2
    if not alike.any():
        return after
    best = cells[alike][cells[alike, 0].argmax()].astype(np.float64)
    after[0] += best[0] / 2
    if best[0] < row[0] / 2:
        return after
    picture_from_patch = np.linalg.inv(matrix[:, :2])
    for x in (1, 4, 6, 8):
        after[x : x + 2] = picture_from_patch @ (best[x : x + 2] - matrix[:, 2])
    after[3] = best[3] / np.hypot(matrix[0, 0], matrix[1, 0])
    return after
