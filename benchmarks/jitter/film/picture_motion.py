"""Where the picture's own motion carries landmarks: dense optical flow, for measuring only."""

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from tracker.run.stability import Track2D
from tracker.types import Frame, Image

_LONGEST_SIDE_PX = 960
"""Larger frames are reduced before the flow is measured."""
_AROUND = 0.5
"""Of the landmarks' box is added on each side: what is measured besides it costs time."""

Flow = Float[np.ndarray, "height width xy=2"]


def flow_steps(frames: Iterator[Frame], track: Track2D) -> Track2D:
    """How far the picture moves from each frame to the next at each landmark.

    The flow is measured where the track says that the landmark is, averaged over a small
    neighbourhood, so that the track's jitter, a fraction of a pixel, does not reach the result.

    Args:
        frames: Of the film, from the first.
        track: Landmarks in each frame, pixels; NaN where there are none.

    Returns:
        Pixels; one step less than frames, NaN where a landmark is not known.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    steps = np.full((max(len(track) - 1, 0), *track.shape[1:]), np.nan)
    known = np.isfinite(track).all((1, 2))
    for one, other in pairwise(frames):
        index = one.index
        if index >= len(steps):
            break
        if not known[index]:
            continue
        steps[index] = _step(flow, one.image, other.image, track[index])
    return steps


def _step(
    flow: cv2.DISOpticalFlow, one: Image, other: Image, points: Float[np.ndarray, "points xy=2"]
) -> Float[np.ndarray, "points xy=2"]:
    low, high = points.min(0), points.max(0)
    reach = _AROUND * (high - low)
    size = np.array(one.shape[1::-1])
    first = np.clip(np.floor(low - reach), 0, size - 16).astype(int)
    last = np.clip(np.ceil(high + reach), first + 16, size).astype(int)
    window = np.s_[first[1] : last[1], first[0] : last[0]]
    scale = min(1.0, _LONGEST_SIDE_PX / float((last - first).max()))
    pictures = [_grey(image[window], scale) for image in (one, other)]
    found = flow.calc(pictures[0], pictures[1], np.zeros((*pictures[0].shape, 2), np.float32))
    eye_px = 0.4 * float((high - low)[0]) * scale
    smooth = cv2.GaussianBlur(found, (0, 0), max(0.05 * eye_px, 1.0))
    places = (points - first) * scale
    return np.stack([_at(smooth[..., axis], places) for axis in range(2)], -1) / scale


def _grey(image: Image, scale: float) -> np.ndarray:
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    if scale == 1:
        return grey
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _at(values: Float[np.ndarray, "height width"], places: np.ndarray) -> np.ndarray:
    return np.asarray(map_coordinates(values, places.T[::-1], order=1, mode="nearest"))
