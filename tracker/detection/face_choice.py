"""Which faces of a picture are followed: how many, which first, and in which part of it."""

from dataclasses import dataclass

from ..tracker_config import TrackerConfig
from ..types import Box, Image, Points
from .boxes import box_around, non_maximum_suppression

_NEARER = 0.25
"""Of the picture's shorter side: so much nearer to the centre another face must be."""
_OUTSIDE = 0.25
"""Of a face's side: a followed face may lie so far outside the region, so that one on its edge is
not lost and found in turn."""


@dataclass(frozen=True, slots=True)
class FaceChoice:
    """Which faces are followed in pictures of one size."""

    config: TrackerConfig
    width: int
    """Of the picture, pixels."""
    height: int

    @classmethod
    def of(cls, config: TrackerConfig, image: Image) -> "FaceChoice":
        """The choice among the faces of this picture."""
        return cls(config, image.shape[1], image.shape[0])

    @property
    def area(self) -> float:
        """Of the picture, square pixels."""
        return float(self.width * self.height)

    @property
    def most(self) -> int:
        """How many faces are followed at most."""
        return self.config.max_faces if self.config.faces == "all" else 1

    def candidates(self, found: list[Box], known: list[Box]) -> list[Box]:
        """Boxes that may be followed next, best first, at most `max_faces`.

        Args:
            found: By the detector, largest first.
            known: Of the faces that are followed.
        """
        allowed = [box for box in found if self.begins(box)]
        if len(known) >= self.most:
            worst = known[self.worst(known)]
            allowed = [box for box in allowed if self.takes_place_of(box, worst)]
        if self.config.faces == "centre":
            allowed.sort(key=self._from_centre)
        elif self.config.faces == "largest":
            allowed.sort(key=lambda box: -box.side)
        return non_maximum_suppression(allowed, known)[: self.config.max_faces]

    def too_many(self, found: list[Box], known: list[Box]) -> int:
        """How many faces are beyond `max_faces`; of a choice of one none is.

        Args:
            found: By the detector.
            known: Of the faces that are followed.
        """
        allowed = [box for box in found if self.begins(box)]
        faces = len(known) + len(non_maximum_suppression(allowed, known))
        return max(faces - self.most, 0) if self.config.faces == "all" else 0

    def worst(self, boxes: list[Box]) -> int:
        """Index of the face that is given up first; of one face at least."""
        if self.config.faces == "centre":
            return max(range(len(boxes)), key=lambda i: self._from_centre(boxes[i]))
        return min(range(len(boxes)), key=lambda i: boxes[i].side)

    def takes_place_of(self, box: Box, followed: Box) -> bool:
        """Whether a face is so clearly the better one that it replaces a followed one."""
        if self.config.faces == "centre":
            least = _NEARER * min(self.width, self.height)
            return self._from_centre(followed) - self._from_centre(box) >= least
        return box.side >= self.config.replace_ratio * followed.side

    def begins(self, box: Box) -> bool:
        """Whether a face may be taken up here: its centre lies in the region."""
        return self._is_inside(box, 0.0)

    def has_left(self, points: Points) -> bool:
        """Whether a followed face is out of the region by more than a trifle."""
        if self.config.region is None:
            return False
        box = box_around(points)
        return not self._is_inside(box, _OUTSIDE * box.side)

    def _is_inside(self, box: Box, margin: float) -> bool:
        if self.config.region is None:
            return True
        left, top, right, bottom = self.config.region
        across = left - margin <= box.center_x <= right + margin
        return across and top - margin <= box.center_y <= bottom + margin

    def _from_centre(self, box: Box) -> float:
        """Pixels."""
        away_x = box.center_x - (self.width - 1) / 2
        away_y = box.center_y - (self.height - 1) / 2
        return float((away_x**2 + away_y**2) ** 0.5)
