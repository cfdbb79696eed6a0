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
    image: Image, faces: list[Face], readers: AnalysisNetworks | None
) -> AnalysisReadings:
    """Read a picture's faces; without networks there is nothing.

    Args:
        image: The frame, RGB.
        faces: As `FaceTracker.update` reports them.
        readers: As `models` loads them.
    """
    if readers is None or not faces:
        return AnalysisReadings()
    return AnalysisReadings(
        read_eyes(image, faces, readers.eyes),
        read_expressions(image, faces, readers.expressions),
    )
