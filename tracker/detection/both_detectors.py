"""Two detectors as one: what the one misses, the other finds."""

from contextlib import ExitStack
from typing import Self

from ..types import Box, Image
from .any_roll_detector import AnyRollDetector, FaceFinder
from .boxes import non_maximum_suppression
from .mediapipe_detector import MediaPipeDetector


class BothDetectors:
    """Ours of any roll, and MediaPipe's; a context manager.

    Ours finds small faces and rolled heads, MediaPipe's the faces of portraits that ours misses.
    Where both find a face, the box is ours, for it knows the roll.

    Args:
        finder: Finds the faces of any roll; is closed with this.
    """

    def __init__(self, finder: FaceFinder) -> None:
        with ExitStack() as opened:
            self._any_roll = opened.enter_context(AnyRollDetector(finder))
            self._mediapipe = opened.enter_context(MediaPipeDetector())
            self._opened = opened.pop_all()

    def __call__(self, image: Image) -> list[Box]:
        """The faces of a frame, largest first."""
        return _joined(self._any_roll(image), self._mediapipe(image))

    def search(self, image: Image) -> list[Box]:
        """The faces of a picture, largest first, small ones among them; takes longer."""
        return _joined(self._any_roll.search(image), self._mediapipe(image))

    def parts(self, image: Image) -> int:
        """In how many looks such a frame is searched thoroughly."""
        return self._any_roll.parts(image)

    def look(self, image: Image, part: int, known: list[Box]) -> list[Box]:
        """The faces in one part of a frame: both look at the whole, ours alone at tiles."""
        ours = self._any_roll.look(image, part, known)
        return ours if part else _joined(ours, self._mediapipe(image))

    def look_near(self, image: Image, places: list[Box]) -> list[Box]:
        """The faces that ours finds around some places, largest first."""
        return self._any_roll.look_near(image, places)

    def close(self) -> None:
        """Free both."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _joined(found: list[Box], others: list[Box]) -> list[Box]:
    both = found + non_maximum_suppression(others, found)
    return sorted(both, key=lambda box: -box.side)
