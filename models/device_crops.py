"""Crops cut on the device of the network, equal to those of `tracker.crop.warp_crop`.

They are sampled at OpenCV's positions, which are rounded to 1/32 pixel: so a face gives the same
landmarks on every device.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

_STEPS_PER_PX, _FINE_PER_STEP = 32, 32
"""OpenCV samples at multiples of a step, which it finds by adding multiples of 1/32 step."""


def cut_crops(
    frame: UInt8[Tensor, "height width rgb=3"],
    factors: list[int],
    reduced_from_crop: Float[Tensor, "faces 3 3"],
    size_px: int,
) -> UInt8[Tensor, "faces size size rgb=3"]:
    """Cut all crops out of one frame; black outside. Nothing here waits for the device.

    Args:
        frame: On the device.
        factors: Of every crop: how many pixels, across and down, become one before sampling.
        reduced_from_crop: Double precision; crop pixels to those of the frame so reduced.
        size_px: Side of the crops.

    Returns:
        RGB crops on the device of the frame.
    """
    reduced = {factor: _reduced(frame, factor) for factor in set(factors)}
    places = sampling_places(reduced_from_crop, size_px)
    return torch.stack(
        [_sampled(reduced[factor], *xy) for factor, xy in zip(factors, places, strict=True)]
    )


def sampling_places(
    reduced_from_crop: Float[Tensor, "faces 3 3"], size_px: int
) -> Float[Tensor, "faces xy=2 size size"]:
    """Where in the reduced frame every pixel of the crops is sampled, in its pixels.

    Source:
        OpenCV 4, cv::warpAffine with INTER_LINEAR: fixed point, rounded per row and per column.
    """
    fine = _STEPS_PER_PX * _FINE_PER_STEP
    pixels = torch.arange(size_px, device=reduced_from_crop.device, dtype=torch.float64)
    by_column, by_row, begin = (
        reduced_from_crop[:, :2, part, None] for part in range(3)
    )  # (faces, 2, 1) each
    columns = (by_column * pixels * fine).round()  # (faces, 2, size)
    rows = ((by_row * pixels + begin) * fine).round()
    total = rows[..., :, None] + columns[..., None, :]  # (faces, 2, size, size)
    return (total / _FINE_PER_STEP + 0.5).floor() / _STEPS_PER_PX


def _reduced(
    frame: UInt8[Tensor, "height width rgb=3"], factor: int
) -> Float[Tensor, "cells_down cells_across rgb=3"]:
    """Means of factor x factor pixels in whole grey levels; what is left over is cut off."""
    if factor == 1:
        return frame.float()
    height, width = (side // factor * factor for side in frame.shape[:2])
    cells = frame[:height, :width].unflatten(1, (-1, factor)).unflatten(0, (-1, factor))
    return (cells.mean((1, 3), dtype=torch.float32) + 0.5).floor()


def _sampled(
    picture: Float[Tensor, "height width rgb=3"],
    x: Float[Tensor, "size size"],
    y: Float[Tensor, "size size"],
) -> UInt8[Tensor, "size size rgb=3"]:
    """Bilinear, in whole grey levels."""
    height, width = picture.shape[:2]
    # As everywhere, -1 and +1 are the edges of the picture, not the centres of its outer pixels.
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1).float()
    colours = F.grid_sample(picture.permute(2, 0, 1)[None], grid[None], align_corners=False)
    return (colours[0].permute(1, 2, 0) + 0.5).to(torch.uint8)
