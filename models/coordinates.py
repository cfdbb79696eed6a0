"""Coordinate channels: where in the picture a convolution is."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .decode import coordinate_axis


def convolve_with_coordinates(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """A convolution of `x` and its coordinate channels, which are the same in every picture.

    What it makes of them is a constant, so that a runtime convolves the channels of `x` alone.
    """
    weight, channels = conv.weight, x.shape[1]
    coordinates = coordinate_channels(x)[None]
    constant = F.conv2d(coordinates, weight[:, channels:], conv.bias, conv.stride, conv.padding)
    return F.conv2d(x, weight[:, :channels], None, conv.stride, conv.padding) + constant


def coordinate_channels(x: Tensor) -> Float[Tensor, "3 height width"]:
    """Row, column and radius at the size of `x`; radius runs from 0 to 1."""
    height, width = x.shape[-2:]
    row = coordinate_axis(height, x)[:, None].expand(height, width)
    column = coordinate_axis(width, x).expand(height, width)
    radius = (row.float().square() + column.float().square()).sqrt()
    return torch.stack([row, column, (radius / radius.max()).to(x.dtype)])
