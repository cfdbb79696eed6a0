"""A close look at the faces of a frame: networks for their eyes and for their expressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..types import Face, Image
from .expression_reading import ExpressionRead, ExpressionReader, read_expressions
from .eye_reading import EyeReader, EyesRead, read_eyes


@dataclass(frozen=True, slots=True, eq=False)
class CloseReaders:
    """The networks that look; each may serve several threads."""

    eyes: EyeReader
    expressions: ExpressionReader


@dataclass(frozen=True, slots=True, eq=False)
class CloseLook:
    """What they see, by track id."""

    eyes: Mapping[int, EyesRead] = field(default_factory=dict)
    expressions: Mapping[int, ExpressionRead] = field(default_factory=dict)


def look_closely(
    image: Image, faces: list[Face], readers: CloseReaders | None, expressions_too: bool = True
) -> CloseLook:
    """Look at a frame's faces; without readers nothing is seen.

    Args:
        image: The frame, RGB.
        faces: As `FaceTracker.update` reports them.
        readers: As `models` loads them.
        expressions_too: Else only the eyes are looked at.
    """
    if readers is None or not faces:
        return CloseLook()
    return CloseLook(
        read_eyes(image, faces, readers.eyes),
        read_expressions(image, faces, readers.expressions) if expressions_too else {},
    )
