"""What the camera sees: layers that move on known paths, and where their landmarks are."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from tracker.crop import transform
from tracker.types import Image, Points

from .deform import Deformation, sampled
from .gesture import Course
from .motion import Matrix

_SHARP = 0.5
"""Octaves a picture may shrink by bilinear sampling alone; beyond, pixels are averaged first."""
_MOST_EXPOSURES = 8

Path2D = Callable[[float], Matrix]
"""Time in seconds to the matrix that takes picture pixels to frame pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A picture on a path."""

    picture: Image
    path: Path2D
    points: Points
    """Landmarks on the picture; none where it is no face."""
    matte: UInt8[np.ndarray, "height width"] | None = None
    """255 where it is opaque; the hindmost layer of a scene has none."""
    gestures: tuple[tuple[Deformation, Course], ...] = ()

    def points_at(self, time_s: float) -> Points:
        """Landmarks in frame pixels."""
        points = self.points
        for deformation, course in self.gestures:
            points = points + course(time_s) * deformation.moves
        return transform(self.path(time_s), points)

    def picture_at(self, time_s: float) -> Image:
        """The picture with its gestures as they are now."""
        amounts = [(deformation, course(time_s)) for deformation, course in self.gestures]
        if not any(amount for _, amount in amounts):
            return self.picture
        picture = self.picture.copy()
        for deformation, amount in amounts:
            deformation.apply(picture, amount)
        return picture

    def hides(self, points: Points, time_s: float) -> Bool[np.ndarray, " landmarks"]:
        """Which points of the frame lie behind this layer, which has a matte."""
        assert self.matte is not None
        places = transform(np.linalg.inv(self.path(time_s)), points).astype(np.float32)[None]
        return sampled(self.matte, places, cv2.BORDER_CONSTANT)[0] > 127

    def put_before(self, frame: Image, time_s: float) -> None:
        """Draw this layer, which has a matte, onto a frame, where it reaches into it."""
        assert self.matte is not None
        matrix, (height, width) = self.path(time_s), self.matte.shape
        ends = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
        corners = transform(matrix, ends)
        low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
        high = np.minimum(np.ceil(corners.max(0)).astype(int), frame.shape[1::-1])
        if (high <= low).any():
            return
        shift, size = np.eye(3), (int(high[0] - low[0]), int(high[1] - low[1]))
        shift[:2, 2] = -low
        view = seen(self.picture_at(time_s), shift @ matrix, size)
        opaque = seen(self.matte, shift @ matrix, size, cv2.BORDER_CONSTANT) * np.float32(1 / 255)
        part = frame[low[1] : high[1], low[0] : high[0]]
        part[:] = cv2.blendLinear(view, part, opaque, 1 - opaque)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Layers from back to front before a camera; the hindmost fills the frame."""

    layers: tuple[Layer, ...]
    size: tuple[int, int]
    """Width and height of the frame."""

    @property
    def faces(self) -> tuple[Layer, ...]:
        return tuple(layer for layer in self.layers if len(layer.points))

    def truth(self, time_s: float) -> Float[np.ndarray, "faces landmarks xy=2"]:
        """Landmarks of each face in frame pixels, wherever they are."""
        return np.stack([face.points_at(time_s) for face in self.faces])

    def visible(self, time_s: float) -> Bool[np.ndarray, "faces landmarks"]:
        """Which landmarks are inside the frame and behind nothing."""
        last = np.array(self.size) - 1
        flags = []
        for depth, layer in enumerate(self.layers):
            points = layer.points_at(time_s)
            clear = ((points >= 0) & (points <= last)).all(-1)
            for front in self.layers[depth + 1 :]:
                clear &= ~front.hides(points, time_s)
            flags += [clear] if len(points) else []
        return np.stack(flags)

    def at(self, time_s: float) -> Image:
        """What an instant shows."""
        hindmost, *others = self.layers
        frame = seen(hindmost.picture_at(time_s), hindmost.path(time_s), self.size)
        for layer in others:
            layer.put_before(frame, time_s)
        return frame

    def exposed(self, time_s: float, shutter_s: float) -> Image:
        """The mean over the time the shutter is open, half before and half after."""
        count = self._exposures(time_s, shutter_s)
        if count == 1:
            return self.at(time_s)
        total = np.zeros((self.size[1], self.size[0], 3), np.float32)
        for part in (np.arange(count) + 0.5) / count - 0.5:
            cv2.accumulate(self.at(time_s + shutter_s * part), total)
        return cv2.convertScaleAbs(total, alpha=1 / count)

    def _exposures(self, time_s: float, shutter_s: float) -> int:
        """So many that nothing on a face or an object moves by a pixel between them."""
        farthest = 0.0
        for layer in self.layers:
            begun, ended = (_marks(layer, time_s + part * shutter_s) for part in (-0.5, 0.5))
            farthest = max(farthest, float(np.abs(ended - begun).max()))
        return min(1 + int(np.ceil(farthest - 0.01)), _MOST_EXPOSURES)


def _marks(layer: Layer, time_s: float) -> Points:
    if len(layer.points):
        return layer.points_at(time_s)
    height, width = layer.picture.shape[:2]
    return transform(layer.path(time_s), np.array([[0, 0], [width, height]], float))


def seen(
    picture: Image, matrix: Matrix, size: tuple[int, int], border: int = cv2.BORDER_REPLICATE
) -> Image:
    """The picture through a similarity; averages pixels where it shrinks.

    Args:
        picture: RGB, or a matte.
        matrix: From picture pixels to frame pixels.
        size: Width and height of the frame.
        border: What OpenCV puts beyond the picture.
    """
    octaves = max(-np.log2(np.linalg.norm(matrix[:2, 0])) - _SHARP, 0.0)
    for _ in range(int(octaves)):
        picture, matrix = _halved(picture, matrix)
    view, share = _warped(picture, matrix, size, border), octaves % 1
    if share == 0:
        return view
    coarse = _warped(*_halved(picture, matrix), size, border)
    return cv2.addWeighted(view, 1 - share, coarse, share, 0)


def _halved(picture: Image, matrix: Matrix) -> tuple[Image, Matrix]:
    """Half the pixels each way: pixel i of the small picture is centred on pixel 2 i."""
    return cv2.pyrDown(picture), matrix @ np.diag([2.0, 2.0, 1.0])


def _warped(picture: Image, matrix: Matrix, size: tuple[int, int], border: int) -> Image:
    return cv2.warpAffine(picture, matrix[:2], size, flags=cv2.INTER_LINEAR, borderMode=border)
