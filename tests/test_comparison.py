from pathlib import Path

import cv2
import numpy as np
from fakes import blob_frame, blob_shape

import run_tracker
from tracker.io.comparison import SideBySide
from tracker.io.simulated_camera import portrait
from tracker.layouts import IBUG_68
from tracker.types import Face, Frame, LandmarkEstimate


def face_at(x: float, y: float, *, measured: bool = True) -> Face:
    covariance = np.tile(np.eye(2), (68, 1, 1))
    estimate = LandmarkEstimate(30 * blob_shape() + (x, y), covariance)
    return Face(0, 1.0, estimate, estimate if measured else None)


def painted(panels: SideBySide, x: float, y: float, *, measured: bool = True) -> np.ndarray:
    frame = Frame(0, 0.0, blob_frame([(x, y)]))
    return panels(frame, [face_at(x, y, measured=measured)])


def test_both_halves_show_the_same_part_of_the_frame_under_other_landmarks() -> None:
    picture = painted(SideBySide(IBUG_68, ellipses=True), 160, 120)
    assert picture.shape == (640, 1280, 3)
    left, right = picture[60:, :640].astype(int), picture[60:, 640:].astype(int)
    same = (np.abs(left - right).sum(-1) == 0).mean()
    assert 0.7 < same < 1


def test_a_trembling_face_does_not_shake_the_window() -> None:
    panels = SideBySide(IBUG_68, ellipses=False)
    painted(panels, 160, 120)
    window = panels._window
    painted(panels, 162, 119)
    assert panels._window == window
    painted(panels, 190, 120)
    assert panels._window != window


def test_a_frame_without_a_face_is_dark() -> None:
    picture = SideBySide(IBUG_68, ellipses=False)(Frame(0, 0.0, blob_frame([])), [])
    assert picture.max() == 0


def test_the_command_line_writes_the_comparison(tmp_path: Path) -> None:
    image = cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "face.png"), image)
    flags = ["--compare", str(tmp_path / "both.mp4"), "--smoothing", "0.7", "--device", "cpu"]
    assert run_tracker.main([str(tmp_path / "face.png"), *flags]) == 0
    video = cv2.VideoCapture(str(tmp_path / "both.mp4"))
    read, frame = video.read()
    assert read
    assert frame.shape == (640, 1280, 3)
