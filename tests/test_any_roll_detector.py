"""Detectors that know the roll of a head, as the tracker uses them."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from fakes import BlobAnswer, BlobLandmarker, blob_frame, write_video

import models
import run_tracker
from tracker import AnyRollDetector, Box, FaceTracker, TrackerConfig
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from tracker.layouts import IBUG_68
from tracker.run.timed_tracker import TimedTracker
from tracker.types import Frame


@dataclass(frozen=True)
class Found:
    center_x: float
    center_y: float
    side: float
    roll_deg: float
    score: float = 0.9


class Finder:
    """Finds one disc, and notes how it was asked.

    Args:
        side: Of the square around it.
        score: Of the find.
    """

    def __init__(self, side: float = 60.0, score: float = 0.9) -> None:
        self.asked: list[object] = []
        self.closed = 0
        self._found = Found(160.0, 120.0, side, 90.0, score)

    def __call__(self, image: np.ndarray, *, thorough: bool = False) -> list[Found]:
        self.asked.append("all parts" if thorough else "whole")
        return [self._found]

    def parts(self, width: int, height: int) -> int:
        return 3

    def look(self, image: np.ndarray, part: int, known: object) -> list[Found]:
        self.asked.append(part)
        return [self._found]

    def look_near(
        self, image: np.ndarray, places: Sequence[tuple[float, float, float]]
    ) -> list[Found]:
        self.asked.append(places)
        return []

    def close(self) -> None:
        self.closed += 1


IMAGE = blob_frame([(160.0, 120.0)])


def test_boxes_have_the_roll_of_the_head() -> None:
    assert AnyRollDetector(Finder())(IMAGE) == [Box(160.0, 120.0, 60.0, 90.0, 0.9)]


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
    assert finder.asked == ["all parts", 0]


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


class Doubting(BlobLandmarker):
    """As sure of every disc as it is told; sees none that fills less than a seventh of the crop."""

    def __init__(self, confidence: float) -> None:
        super().__init__()
        self._confidence = confidence

    def __call__(self, crops: np.ndarray) -> BlobAnswer:
        answer = super().__call__(crops)
        is_large = (crops[..., 0] > 128).mean((1, 2)) > 1 / 7
        return replace(answer, confidence=np.where(is_large, self._confidence, 0.0))


def test_in_a_picture_a_square_that_is_much_too_large_hides_no_face() -> None:
    around_the_head = AnyRollDetector(Finder(side=130.0))
    with FaceTracker(Doubting(0.99), around_the_head) as tracker:
        (face,) = tracker.detect(IMAGE)
    np.testing.assert_allclose(face.landmarks.mean.mean(0), (160, 120), atol=2)


@pytest.mark.parametrize(("score", "found"), [(0.4, 0), (0.55, 1)])
def test_of_a_doubtful_face_in_a_picture_the_detector_must_be_sure(
    score: float, found: int
) -> None:
    """Of one in a film the next frames tell."""
    with FaceTracker(Doubting(0.06), AnyRollDetector(Finder(score=score))) as tracker:
        assert len(tracker.detect(IMAGE)) == found
        assert len(tracker.update(IMAGE, 0.0)) == 1


def test_with_closes_the_network() -> None:
    finder = Finder()
    with AnyRollDetector(finder):
        pass
    assert finder.closed == 1


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_the_shipped_detector_finds_the_portrait_at_any_roll(quarter_turns: int) -> None:
    """Landmarks of the turned picture are those of the upright one, turned."""
    upright = portrait()
    image = np.ascontiguousarray(np.rot90(upright, quarter_turns))
    config = TrackerConfig(upright_deg=25.0)
    with AnyRollDetector(models.load_face_detector()) as detector:
        faces = FaceTracker(models.load_landmarker(), detector, config)
        (expected,) = faces.detect(upright)
        (found,) = faces.detect(image)
    points = expected.landmarks.mean
    for _ in range(quarter_turns):  # counter-clockwise: (x, y) becomes (y, width - 1 - x)
        points = np.stack([points[:, 1], upright.shape[1] - 1 - points[:, 0]], -1)
        upright = np.rot90(upright)
    away = np.linalg.norm(found.landmarks.mean - points, axis=-1).mean()
    assert away < 0.03 * IBUG_68.interocular(points)
    assert found.confidence > 0.9


def test_the_command_line_tracks_a_video_that_lies_on_its_side(tmp_path: Path) -> None:
    camera = SimulatedCamera(portrait(), still_then_moving(0.1), 0.5)
    images = [np.ascontiguousarray(np.rot90(frame.image)) for frame in camera]
    clip, rows = write_video(tmp_path / "side.mp4", images), tmp_path / "rows.csv"
    assert run_tracker.main([str(clip), "--detector", "any-roll", "--save-csv", str(rows)]) == 0
    with rows.open(newline="") as file:
        seen = list(csv.DictReader(file))
    assert [row["success"] for row in seen] == ["1"] * 15
    right, left = ([float(seen[-1][f"{axis}_{i}"]) for axis in "xy"] for i in (36, 45))
    assert right[1] - left[1] > 3 * abs(right[0] - left[0])  # the eye line stands upright
