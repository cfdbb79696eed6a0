"""Detectors that know the roll of a head, as the tracker uses them."""

from dataclasses import dataclass

import numpy as np
import pytest
from fakes import BlobLandmarker, blob_frame

from tracker import AnyRollDetector, Box, FaceTracker, TrackerConfig
from tracker.run.timed_tracker import TimedTracker
from tracker.types import Frame


@dataclass(frozen=True)
class Found:
    center_x: float
    center_y: float
    side: float
    roll_deg: float


class Finder:
    """Finds one disc, and notes how it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[bool, bool]] = []
        self.closed = 0

    def __call__(
        self, image: np.ndarray, *, thorough: bool = False, live: bool = False
    ) -> list[Found]:
        self.asked.append((thorough, live))
        return [Found(160.0, 120.0, 60.0, 90.0)]

    def close(self) -> None:
        self.closed += 1


IMAGE = blob_frame([(160.0, 120.0)])


def test_boxes_have_the_roll_of_the_head() -> None:
    assert AnyRollDetector(Finder())(IMAGE) == [Box(160.0, 120.0, 60.0, 90.0)]


@pytest.mark.parametrize("timed", [False, True], ids=["plain", "timed"])
def test_pictures_are_searched_thoroughly_and_frames_are_not(timed: bool) -> None:
    finder = Finder()
    detector = AnyRollDetector(finder)
    if timed:
        TimedTracker(BlobLandmarker(), detector, stills=True).take(Frame(0, 0.0, IMAGE))
        TimedTracker(BlobLandmarker(), detector).take(Frame(0, 0.0, IMAGE))
    else:
        faces = FaceTracker(BlobLandmarker(), detector)
        assert len(faces.detect(IMAGE)) == 1
        assert len(faces.update(IMAGE, 0.0)) == 1
    assert finder.asked == [(True, False), (False, True)]


def test_a_new_face_is_cropped_upright_from_the_first_frame_on() -> None:
    """The disc has a light mark where its crown is, to the left in the picture."""
    image = IMAGE.copy()
    image[115:126, 134:145] = (255, 0, 255)
    seen: list[np.ndarray] = []

    class Noting(BlobLandmarker):
        def __call__(self, crops: np.ndarray) -> object:
            seen.append(crops[0])
            return super().__call__(crops)

    config = TrackerConfig(upright_deg=25.0)
    FaceTracker(Noting(), AnyRollDetector(Finder()), config).update(image, 0.0)
    rows, columns = np.nonzero((seen[0][..., 0] > 200) & (seen[0][..., 1] < 60))
    assert rows.mean() < 22  # of 64
    assert columns.mean() == pytest.approx(31.5, abs=2)


def test_with_closes_the_network() -> None:
    finder = Finder()
    with AnyRollDetector(finder):
        pass
    assert finder.closed == 1
