"""Cut-outs of real people that virtual scenes are made of, with the truth about their faces."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from tracker.types import Box, Image
from train.datasets import DataError, Sample
from train.datasets.own import read_own
from train.datasets.person import is_held_out, person_of

_REACH = 1.45
"""Half the side of a cut-out, in sides of the face."""
_MOST_STILLS = 6
_TURNED = 0.16
"""Stills whose nose lies further beside the middle of the eyes, in eye distances, are left out: a
standing cut-out does not turn by itself."""


@dataclass(frozen=True)
class Still:
    """One cut-out of a person."""

    sample: Sample

    @cached_property
    def image(self) -> Image:
        """As it is stored."""
        return self.sample.read_image()

    @cached_property
    def box(self) -> tuple[float, float, float]:
        """Centre x, centre y and side of the square around the landmarks, its own pixels."""
        low, high = self.sample.points.min(0), self.sample.points.max(0)
        x, y = (low + high) / 2
        return float(x), float(y), float((high - low).max())

    @cached_property
    def mask(self) -> UInt8[np.ndarray, "height width"]:
        """Where the head is: an ellipse with a soft rim, wider than the face, and a neck."""
        x, y, side = self.box
        mask = np.zeros(self.image.shape[:2], np.uint8)
        top = (round(x), round(y - 0.16 * side))
        cv2.ellipse(mask, top, (round(0.66 * side), round(0.86 * side)), 0, 0, 360, (255,), -1)
        low = np.array([[-0.34, 0.3], [0.34, 0.3], [0.8, _REACH], [-0.8, _REACH]]) * side + (x, y)
        cv2.fillPoly(mask, [low.round().astype(np.int32)], (255,))
        rim = max(round(0.02 * side), 1)
        mask[:rim], mask[-rim:], mask[:, :rim], mask[:, -rim:] = 0, 0, 0, 0
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.035 * side, 0.5)), np.uint8)


@dataclass(frozen=True)
class Person:
    """Stills of one person, each from another moment."""

    name: str
    stills: tuple[Still, ...]


def held_out_people(data: Path) -> list[Person]:
    """People of YouTube Faces that no network was trained on, in a fixed order.

    Args:
        data: The folder that holds `ytf68`.

    Raises:
        DataError: If it is not there, or holds too few people.
    """
    if not (data / "ytf68").is_dir():
        raise DataError(f"{data / 'ytf68'}: not there")
    by_name: dict[str, list[Sample]] = {}
    for sample in read_own(data / "ytf68").splits["train"]:
        name = person_of(sample.image_path)
        if is_held_out(name) and _faces_the_camera(sample.points):
            by_name.setdefault(name, []).append(sample)
    people = [
        Person(name, tuple(Still(sample) for sample in samples[:_MOST_STILLS]))
        for name, samples in sorted(by_name.items())
        if len(samples) > 1
    ]
    if len(people) < 20:
        raise DataError(f"{data / 'ytf68'}: {len(people)} people are held out, 20 are needed")
    order = np.random.default_rng(11).permutation(len(people))
    return [people[index] for index in order]


def _faces_the_camera(points: Float[np.ndarray, "68 xy=2"]) -> bool:
    right, left = points[36:42].mean(0), points[42:48].mean(0)
    along = left - right
    share = float((points[30] - right) @ along / max(float(along @ along), 1e-9))
    return abs(share - 0.5) < _TURNED


def paste(
    frame: Image,
    still: Still,
    center: tuple[float, float],
    side: float,
    roll_deg: float,
    light: float,
) -> Box:
    """Put a person into a frame, in place; returns the square around the landmarks.

    Args:
        frame: The picture under construction.
        still: Who.
        center: Of the face's square, frame pixels.
        side: Of the face's square, frame pixels.
        roll_deg: Counter-clockwise as seen.
        light: Factor of the brightness.
    """
    x, y, own = still.box
    angle, scale = np.radians(roll_deg), side / own
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]])
    shift = np.array(center) - linear @ (x, y)
    matrix = np.concatenate([linear, shift[:, None]], 1)
    size = (frame.shape[1], frame.shape[0])
    image, mask = still.image, still.mask
    factor = int(1 / scale)
    if factor >= 2:  # averaged: sampling alone would skip pixels
        small = (image.shape[1] // factor, image.shape[0] // factor)
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        mask = np.asarray(cv2.resize(mask, small, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = matrix.copy()
        matrix[:, 2] += matrix[:, :2].sum(1) * (factor - 1) / 2
        matrix[:, :2] *= factor
    drawn = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
    share = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR)[..., None].astype(np.uint16)
    lit = np.clip(drawn.astype(np.float32) * light, 0, 255).astype(np.uint16)
    frame[:] = ((lit * share + frame.astype(np.uint16) * (255 - share)) // 255).astype(np.uint8)
    points = still.sample.points @ linear.T + shift
    low, high = points.min(0), points.max(0)
    middle = (low + high) / 2
    return Box(float(middle[0]), float(middle[1]), float((high - low).max()))
