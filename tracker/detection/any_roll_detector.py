"""A face detector for heads at any roll, as the tracker's."""

from collections.abc import Sequence
from typing import Protocol, Self

from ..types import Box, Image


class DetectedFace(Protocol):
    """What such a detector knows of a face; as `models.face_detector.FoundFace`."""

    @property
    def center_x(self) -> float: ...

    @property
    def center_y(self) -> float: ...

    @property
    def side(self) -> float:
        """Of the square around the landmarks, pixels."""

    @property
    def roll_deg(self) -> float:
        """Counter-clockwise as seen; 0 is upright."""

    @property
    def score(self) -> float:
        """0 to 1."""


class FaceFinder(Protocol):
    """A detector's network, e.g. what `models.load_face_detector` loads."""

    def __call__(self, image: Image, *, thorough: bool = False) -> Sequence[DetectedFace]:
        """All faces, largest first; `thorough` for a picture by itself."""

    def parts(self, width: int, height: int) -> int:
        """In how many looks a picture of this size is searched thoroughly."""

    def look(
        self, image: Image, part: int, known: Sequence[tuple[float, float, float]]
    ) -> Sequence[DetectedFace]:
        """Faces in one part but the known ones, given as in `look_near`; 0 is the whole picture."""

    def look_near(
        self, image: Image, places: Sequence[tuple[float, float, float]]
    ) -> Sequence[DetectedFace]:
        """Faces around places: centre x, centre y and side, pixels."""

    def close(self) -> None:
        """Free its threads."""


class AnyRollDetector:
    """A `Detector` whose boxes are rotated with the head; a context manager.

    Args:
        finder: Finds the faces; is closed with this.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder

    def __call__(self, image: Image) -> list[Box]:
        """The faces of a frame, largest first."""
        return _boxes(self._finder(image))

    def search(self, image: Image) -> list[Box]:
        """The faces of a picture, largest first, small ones among them; takes longer."""
        return _boxes(self._finder(image, thorough=True))

    def parts(self, image: Image) -> int:
        """In how many looks such a frame is searched thoroughly."""
        return self._finder.parts(image.shape[1], image.shape[0])

    def look(self, image: Image, part: int, known: list[Box]) -> list[Box]:
        """The faces in one part of a frame, largest first; 0 is the whole, others are tiles.

        Args:
            image: The frame.
            part: Of it.
            known: Faces that need not be found again, which takes less time.
        """
        return _boxes(self._finder.look(image, part, _squares(known)))

    def look_near(self, image: Image, places: list[Box]) -> list[Box]:
        """The faces around some places, largest first."""
        return _boxes(self._finder.look_near(image, _squares(places)))

    def close(self) -> None:
        """Free the network."""
        self._finder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _squares(boxes: list[Box]) -> list[tuple[float, float, float]]:
    return [(box.center_x, box.center_y, box.side) for box in boxes]


def _boxes(faces: Sequence[DetectedFace]) -> list[Box]:
    return [
        Box(face.center_x, face.center_y, face.side, face.roll_deg, face.score) for face in faces
    ]
