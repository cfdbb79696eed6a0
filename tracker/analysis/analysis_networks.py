"""The networks that an analysis has beside the landmarks: of eyes, and of expressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..types import Face, Image
from .expression_reading import ExpressionRead, ExpressionReader, read_expressions
from .eye_reading import EyeReader, EyesRead, read_eyes


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisNetworks:
    """Each may serve several threads."""

    eyes: EyeReader
    expressions: ExpressionReader


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisReadings:
    """Their answers about a frame, by track id."""

    eyes: Mapping[int, EyesRead] = field(default_factory=dict)
    expressions: Mapping[int, ExpressionRead] = field(default_factory=dict)


def read_for_analysis(
    image: Image, faces: list[Face], readers: AnalysisNetworks | None, expressions_too: bool = True
) -> AnalysisReadings:
    """Read a frame's faces; without networks there is nothing.

    Args:
        image: The frame, RGB.
        faces: As `FaceTracker.update` reports them.
        readers: As `models` loads them.
        expressions_too: Else only the eyes are read.
    """
    if readers is None or not faces:
        return AnalysisReadings()
    return AnalysisReadings(
        read_eyes(image, faces, readers.eyes),
        read_expressions(image, faces, readers.expressions) if expressions_too else {},
    )
