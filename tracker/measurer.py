"""One picture, and what the detector and the landmarker find in it; nothing of other pictures."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np

from .augmentation import augmented, fused
from .detection.boxes import box_around, crop_box, non_maximum_suppression, overlap
from .detection.face_choice import FaceChoice
from .landmarker import FrameLandmarker, crops_of, measurements_in_frame
from .types import Box, Image, Measurement

_NEW_FACE_CROPS = 3
"""Crops taken of a new face: the detector's box, then twice the one around its landmarks."""
_NO_FACE = 0.01
"""Share of the confidence that a new face needs, below which its first crop is the last: a better
crop of what is no face makes none of it."""
_SURE_SCORE, _SCORE_WEIGHT = 0.49, 20.0
"""Of the detector. In a picture by itself, where no next frame tells, a new face needs the more
confidence the lower its score is: below the first its log-odds rise by so much for each 1."""
_SMALLER = 0.65
"""Side of another crop of a picture's box that shows no face: around a head that is bent or turned
away a detector now and then draws the whole head, of which the face is a part."""
_OTHER_CROP_CONFIDENCE = 0.3
"""Least confidence of a face in another crop than the detector's, in a picture by itself: who looks
more often sees more that is not there."""
_CONFIRMING_OVERLAP = 0.2
"""Overlap with a detected box that confirms a face the network cannot judge."""


class Measurer:
    """Measures faces in one picture.

    Args:
        image: RGB uint8.
        landmarker: Finds landmarks in crops.
        detect: Finds faces in the picture; called at most once, when it is first needed.
        upright_deg: As in `TrackerConfig`.
    """

    def __init__(
        self,
        image: Image,
        landmarker: FrameLandmarker,
        detect: Callable[[], list[Box]],
        upright_deg: float,
    ) -> None:
        self._image, self._landmarker, self._detect = image, landmarker, detect
        self._upright_deg = upright_deg

    @cached_property
    def detected(self) -> list[Box]:
        """The detector's boxes, largest first."""
        return self._detect()

    def measure(self, boxes: list[Box], *, augment: bool = False) -> list[Measurement]:
        """Landmarks of the faces in the boxes, in pixels of the picture.

        Args:
            boxes: One a face.
            augment: Measure each face in several crops (test-time augmentation).
        """
        if not boxes:
            return []
        if augment:
            to_cut, way_back = augmented(boxes, self._landmarker)
        else:
            to_cut = way_back = crops_of(boxes, self._landmarker)
        answer = self._landmarker.locate(self._landmarker.cut(self._image, to_cut))
        measurements = measurements_in_frame(answer, way_back)
        return fused(measurements, self._landmarker.layout) if augment else measurements

    def confirmed(self, measurements: list[Measurement]) -> list[Measurement]:
        """The measurements, with the detector's verdict where the network gives no confidence."""
        if not any(np.isnan(m.confidence) for m in measurements):
            return measurements
        boxes = [box_around(m.landmarks.mean) for m in measurements]
        seen = [
            any(overlap(box, other) > _CONFIRMING_OVERLAP for other in self.detected)
            for box in boxes
        ]
        return [replace(m, confidence=float(s)) for m, s in zip(measurements, seen, strict=True)]

    def new_faces(
        self, detected: list[Box], known: list[Box], choice: FaceChoice, *, augment: bool = False
    ) -> list[Measurement]:
        """Landmarks of the best faces in detected boxes that are none of the known ones.

        Args:
            detected: The first crop of each.
            known: Of faces that are followed.
            choice: Says which are the best, and how many are measured.
            augment: As in `measure`, for the last crop.
        """
        faces: list[Measurement] = []
        taken = list(known)
        for measurement in self._settled(choice.candidates(detected, known), choice, augment):
            box = self._crop_box(measurement)
            is_here = choice.begins(box_around(measurement.landmarks.mean))
            if is_here and non_maximum_suppression([box], taken):
                faces.append(measurement)
                taken.append(box)
        return faces

    def _settled(self, boxes: list[Box], choice: FaceChoice, augment: bool) -> list[Measurement]:
        """Those of the boxes that hold a face, the last crop of each; the order stays.

        A box that shows no face is looked at again, in other crops: of these the surest counts.
        """
        least = choice.config.enter_confidence
        needed = [_needed_confidence(least, box.score if augment else None) for box in boxes]
        no_face = _NO_FACE * least
        found = self._last_crops(boxes, no_face, needed, augment)
        refused = [index for index in range(len(boxes)) if index not in found]
        again = [(i, other) for i in refused for other in self._other_crops(boxes[i], augment)]
        surer = _OTHER_CROP_CONFIDENCE if augment else least
        surely = [max(needed[i], surer) for i, _ in again]
        seen = self._last_crops([box for _, box in again], no_face, surely, augment)
        for place, measurement in seen.items():
            index = again[place][0]
            if index not in found or measurement.confidence > found[index].confidence:
                found[index] = measurement
        return [found[index] for index in sorted(found)]

    def _other_crops(self, box: Box, augment: bool) -> list[Box]:
        """Where the detector may be wrong: it now and then takes a moustache for brows."""
        others = [replace(box, roll_deg=0.0)] if abs(box.roll_deg) > self._upright_deg else []
        return [*others, replace(box, side=_SMALLER * box.side)] if augment else others

    def _last_crops(
        self, boxes: list[Box], no_face: float, needed: list[float], augment: bool
    ) -> dict[int, Measurement]:
        """Of each box that holds a face, by its index.

        Args:
            boxes: The first crops.
            no_face: Confidence below which an earlier crop is the last.
            needed: Least confidence in the last crop of each.
            augment: As in `measure`, for the last crop.
        """
        indices = list(range(len(boxes)))
        measurements: list[Measurement] = []
        for crop in range(1, _NEW_FACE_CROPS + 1):
            is_last = crop == _NEW_FACE_CROPS
            measurements = self.measure(boxes, augment=augment and is_last)
            # Without a confidence the detector, which has found a face here, is believed.
            kept = [
                place
                for place, (index, m) in enumerate(zip(indices, measurements, strict=True))
                if not m.confidence < (needed[index] if is_last else no_face)
            ]
            indices = [indices[i] for i in kept]
            measurements = [measurements[i] for i in kept]
            boxes = [self._crop_box(m) for m in measurements]
        return {
            index: replace(m, confidence=float(np.nan_to_num(m.confidence, nan=1.0)))
            for index, m in zip(indices, measurements, strict=True)
        }

    def _crop_box(self, measurement: Measurement) -> Box:
        layout = self._landmarker.layout
        return crop_box(measurement.landmarks.mean, layout, self._upright_deg)


def _needed_confidence(least: float, score: float | None) -> float:
    """Of a new face that the detector found with a score; without one, the least itself."""
    if score is None or score >= _SURE_SCORE:
        return least
    odds = float(np.exp(_SCORE_WEIGHT * (_SURE_SCORE - score)))
    return least * odds / (1 - least + least * odds)
