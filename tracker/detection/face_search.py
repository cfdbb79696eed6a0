"""When a detector looks at the frames of a video, and at which part: at most once a frame."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from ..checks import checked_boxes
from ..types import Box, Image
from .boxes import Detector, ThoroughDetector, non_maximum_suppression, overlap

_LOST_EVERY_S = 0.2
"""While a face is missed, the frame is searched at least so often, besides the place where it
was, which is looked at in every frame."""
_REFUSED_S = 2.0
"""So long what the landmark network has refused is not handed to it again."""
_SAME_PLACE = 0.6
"""Overlap from which on it is the same, unless its size differs by half."""
_MOST_PLACES = 4
"""So many places, the largest, are looked at in one frame, which bounds the cost."""


@runtime_checkable
class SearchingDetector(Protocol):
    """A detector that can look at parts of a frame, e.g. `tracker.AnyRollDetector`."""

    def __call__(self, image: Image) -> list[Box]:
        """As any `Detector`."""

    def search(self, image: Image) -> list[Box]:
        """As a `ThoroughDetector`."""

    def parts(self, image: Image) -> int:
        """In how many looks such a frame is searched thoroughly."""

    def look(self, image: Image, part: int, known: list[Box]) -> list[Box]:
        """The faces in one part, largest first; 0 is the whole frame, as it is when called.

        Args:
            image: The frame.
            part: Of it.
            known: Faces that may be left out.
        """

    def look_near(self, image: Image, places: list[Box]) -> list[Box]:
        """The faces around some places, largest first."""


def searching(detector: Detector) -> SearchingDetector:
    """The detector itself if it can look at parts, else one that always looks at the whole."""
    return detector if isinstance(detector, SearchingDetector) else _WholeFrames(detector)


class _WholeFrames:
    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def __call__(self, image: Image) -> list[Box]:
        return self._detector(image)

    def search(self, image: Image) -> list[Box]:
        if isinstance(self._detector, ThoroughDetector):
            return self._detector.search(image)
        return self._detector(image)

    def parts(self, image: Image) -> int:
        return 1

    def look(self, image: Image, part: int, known: list[Box]) -> list[Box]:
        return self._detector(image)

    def look_near(self, image: Image, places: list[Box]) -> list[Box]:
        return self._detector(image)


@dataclass(frozen=True, slots=True)
class FaceSearch:
    """What was looked at last.

    With all faces followed, the parts of a frame take turns such that all had theirs within
    `every_s`. Without any, every other look is at the whole frame. Where one is missed, its place
    is looked at in every frame.
    """

    every_s: float
    """Within which all parts of a frame are looked at."""
    looked_s: float = -np.inf
    """When a part of the frame was looked at last; places do not count."""
    turn: int = 0
    """Looks at parts so far."""
    refused: tuple[tuple[float, Box], ...] = ()
    """Times and places of what the detector found and the landmark network did not believe."""

    def look(
        self,
        image: Image,
        detector: SearchingDetector,
        time_s: float,
        followed: list[Box],
        missed: list[Box],
    ) -> "Look":
        """What the detector finds in the next frame.

        Args:
            image: The frame, RGB.
            detector: Looks, or rests.
            time_s: Of the frame.
            followed: Where faces are that need not be found.
            missed: Where those are expected that are not, and may come back.

        Raises:
            ValueError: If what the detector returns are no boxes.
        """
        part = self._part(detector.parts(image), time_s, len(followed), len(missed))
        boxes, after = [], self
        if part is not None:
            after = replace(self, looked_s=time_s, turn=self.turn + 1)
            boxes += checked_boxes(detector.look(image, part, followed))
        if missed and part != 0:
            largest = sorted(missed, key=lambda box: -box.side)[:_MOST_PLACES]
            boxes += checked_boxes(detector.look_near(image, largest))
        worth = [box for box in boxes if self._is_worth(box, missed, time_s)]
        return Look(worth, part is not None or bool(missed), after)

    def _is_worth(self, box: Box, missed: list[Box], time_s: float) -> bool:
        """Whether it was not refused a moment ago; where a face is missed every look counts."""
        recent = [known for since, known in self.refused if time_s - since < _REFUSED_S]
        is_refused = any(_is_same(box, known) for known in recent)
        return not is_refused or any(overlap(box, place) > 0 for place in missed)

    def refusing(self, measured: list[Box], faces: list[Box], time_s: float) -> "FaceSearch":
        """After a frame.

        Args:
            measured: Found boxes that the landmark network saw.
            faces: All that are followed.
            time_s: Of the frame.
        """
        recent = tuple(entry for entry in self.refused if time_s - entry[0] < _REFUSED_S)
        new = tuple((time_s, box) for box in non_maximum_suppression(measured, faces))
        return replace(self, refused=recent + new) if recent or new or self.refused else self

    def _part(self, parts: int, time_s: float, followed: int, missed: int) -> int | None:
        """The part whose turn it is now, or none yet."""
        if not followed and not missed:
            is_whole = parts == 1 or self.turn % 2 == 0
            return 0 if is_whole else 1 + self.turn // 2 % (parts - 1)
        within_s = min(self.every_s, _LOST_EVERY_S) if missed else self.every_s
        due = time_s - self.looked_s >= within_s / parts
        return self.turn % parts if due else None


class Look(NamedTuple):
    """A detector's answer for one frame."""

    boxes: list[Box]
    """Without those that the landmark network has refused just before."""
    is_look: bool
    """False where it rested."""
    after: FaceSearch


def _is_same(one: Box, other: Box) -> bool:
    alike = max(one.side, other.side) < 1.5 * min(one.side, other.side)
    return alike and overlap(one, other) > _SAME_PLACE
