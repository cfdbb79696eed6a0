"""Cameras by name and by wish; the live window and its keys, seen through OpenCV's functions."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from analysed_faces import analysed_face, frame_of, plain_face, turned
from fakes import BlobDetector, BlobLandmarker, blob_frame

import run_tracker
from tracker.cli.arguments import build_parser
from tracker.cli.camera_flags import open_asked_source
from tracker.errors import FaceTrackError, SourceError
from tracker.io.camera_list import NamedCamera, camera_by_name, list_cameras
from tracker.io.chosen_camera import CameraHealth, CameraWish, ChosenCamera
from tracker.io.window import Steering, WindowClosed, WindowSink
from tracker.layouts import IBUG_68
from tracker.run.timed_tracker import TimedTracker
from tracker.types import Frame


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """As Linux lists two cameras, one of which has a node for its metadata."""
    for node, name, index in (("video0", "HD Webcam", "0"), ("video1", "HD Webcam", "1"),
                              ("video10", "Logitech C920", "0")):  # fmt: skip
        (tmp_path / node).mkdir()
        (tmp_path / node / "name").write_text(f"{name}\n")
        (tmp_path / node / "index").write_text(f"{index}\n")
    (tmp_path / "v4l-subdev0").mkdir()
    return tmp_path


@pytest.mark.skipif(not __import__("sys").platform.startswith("linux"), reason="Linux's own list")
def test_cameras_are_listed_once_each_by_name(
    system: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cameras = list_cameras(system)
    assert cameras == [NamedCamera(0, "HD Webcam"), NamedCamera(10, "Logitech C920")]
    assert list_cameras(system / "nowhere") == []
    monkeypatch.setattr("tracker.cli.camera_flags.list_cameras", lambda: cameras)
    with pytest.raises(SystemExit) as ended:
        run_tracker.main(["--list-cameras"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "0  HD Webcam\n10  Logitech C920\n"


def test_a_part_of_a_cameras_name_is_enough_if_no_other_has_it() -> None:
    cameras = [NamedCamera(0, "HD Webcam"), NamedCamera(2, "Webcam"), NamedCamera(4, "Logitech")]
    assert camera_by_name("logi", cameras) == 4
    assert camera_by_name("webcam", cameras) == 2  # that is its whole name
    assert camera_by_name("clip.mp4", cameras) is None
    with pytest.raises(SourceError, match="0 HD Webcam, 2 Webcam"):
        camera_by_name("web", cameras)


class FakeCapture:
    """A camera of OpenCV's that can 1280x720 at 30, and nothing else."""

    opened: "list[int | str]" = []  # noqa: RUF012

    def __init__(self, index: int, *_: object) -> None:
        self.opened.append(index)

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, wanted: int) -> float:
        known = {cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_FRAME_WIDTH: 1280.0}
        return known.get(wanted, 720.0)

    def set(self, *_: object) -> bool:
        return True

    def read(self) -> tuple[bool, np.ndarray]:
        image = np.zeros((720, 1280, 3), np.uint8)
        image[:, :10] = 255
        return True, image

    def release(self) -> None: ...


@pytest.fixture
def one_camera(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    named = [NamedCamera(7, "Studio Camera")]
    monkeypatch.setattr("tracker.cli.camera_flags.list_cameras", lambda: named)
    yield
    FakeCapture.opened.clear()


def test_a_camera_by_name_says_what_was_really_granted(one_camera: None) -> None:
    flags = ["studio", "--size", "1920x1080", "--fps", "60", "--mirror"]
    arguments = build_parser().parse_args(flags)
    source = open_asked_source("studio", arguments)
    assert isinstance(source, ChosenCamera)
    assert FakeCapture.opened == [7]
    assert str(source) == "camera 7: 1280x720 at 30 fps, not 1920x1080 at 60 fps as asked"
    frame = next(iter(source))
    assert not frame.image[:, :10].any()
    assert frame.image[:, -10:].all()  # as in a mirror
    plain = ChosenCamera(0, CameraWish())
    assert str(plain) == "camera 0: 1280x720 at 30 fps"
    assert next(iter(plain)).image[:, :10].all()


def test_flags_of_cameras_are_for_cameras(one_camera: None, tmp_path: Path) -> None:
    arguments = build_parser().parse_args(["x", "--mirror"])
    clip = tmp_path / "clip.mp4"
    clip.touch()
    with pytest.raises(FaceTrackError, match="for cameras"):
        open_asked_source(str(clip), arguments)
    for wrong in (["--size", "big"], ["--size", "0x5"], ["--fps", "0"]):
        with pytest.raises(SystemExit):
            build_parser().parse_args(["0", *wrong])


def light(level: float) -> np.ndarray:
    return np.full((64, 64, 3), round(255 * level), np.uint8)


def test_the_status_says_when_frames_are_late_or_the_exposure_hunts() -> None:
    good, slow, hunting, brighter = (CameraHealth(30) for _ in range(4))
    for index in range(60):
        good.add(index / 30, light(0.5))
        hunting.add(index / 30, light(0.5 + 0.1 * np.sin(index / 5)))
        brighter.add(index / 30, light(0.3 + index / 300))
    for index in range(20):
        slow.add(index / 10, light(0.5))
    assert str(good) == str(brighter) == ""
    assert str(slow) == "camera 10 of 30 fps"
    assert str(hunting) == "light unsteady"


class Screen:
    """What OpenCV would show, and the keys that somebody presses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys: list[str] = []
        self.shown: list[np.ndarray] = []
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setattr(cv2, "imshow", lambda _, image: self.shown.append(image.copy()))
        monkeypatch.setattr(cv2, "waitKey", lambda _: ord(self.keys.pop(0)) if self.keys else -1)
        monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
        monkeypatch.setattr(cv2, "destroyWindow", lambda _: None)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    return Screen(monkeypatch)


def test_keys_change_what_the_window_shows(screen: Screen) -> None:
    window = WindowSink("x", IBUG_68, ellipses=False, raw=False)
    face = plain_face()

    def shown_after(key: str) -> np.ndarray:
        screen.keys.append(key)
        window.write(frame_of(), [face])
        window.write(frame_of(), [face])
        return screen.shown[-1][150:]  # below the figures, whose numbers change

    plain = shown_after("?")
    with_ellipses = shown_after("e")
    assert (plain != with_ellipses).any()
    assert (shown_after("e") == plain).all()
    mirrored = shown_after("m")
    away = np.abs(mirrored[:, ::-1].astype(int) - plain).max(-1) > 60
    assert away.sum() < 0.2 * (plain.max(-1) > 60).sum()  # but for the id, which can be read
    shown_after("m")
    helped = shown_after("h")
    assert (helped != plain).any()
    window.close()
    screen.keys.append("q")
    with pytest.raises(WindowClosed):
        window.write(frame_of(), [])


def test_the_window_shows_how_the_head_is_turned(screen: Screen) -> None:
    window = WindowSink("x", IBUG_68, ellipses=False, raw=False)
    face = analysed_face(turned("y", 40))  # to the person's right: the nose points to the left
    window.write(frame_of(), [face])
    screen.keys.append("p")
    window.write(frame_of(), [face])
    window.write(frame_of(), [face])
    added = (screen.shown[0] != screen.shown[-1]).any(-1)
    blue = added & (screen.shown[0][..., 0] > 200) & (screen.shown[0][..., 2] < 120)
    origin = face.landmarks.mean[[36, 45]].mean(0)
    columns = np.nonzero(blue[150:])[1]
    assert columns.size
    assert columns.mean() < origin[0] - 10
    window.close()


@pytest.mark.parametrize(
    ("aspect", "size"), [(2.0, (480, 1280)), (0.5, (960, 640)), (1.0, (480, 640))]
)
def test_the_window_shows_pixels_that_are_not_square_as_wide_as_they_are(
    screen: Screen, aspect: float, size: tuple[int, int]
) -> None:
    window = WindowSink("x", IBUG_68, ellipses=False, raw=False)
    window.write(Frame(0, 0.0, np.zeros((480, 640, 3), np.uint8), pixel_aspect=aspect), [])
    assert screen.shown[0].shape[:2] == size
    window.close()


def test_keys_change_the_smoothing_of_the_tracker(screen: Screen) -> None:
    timed = TimedTracker(BlobLandmarker(noise_px=1.0), BlobDetector())
    steering = Steering(timed.tracker.config.smoothing, timed.set_smoothing)
    window = WindowSink("x", IBUG_68, ellipses=False, raw=False, steering=steering)
    screen.keys += list("+" * 9 + "---")
    for index in range(12):
        frame = Frame(index, index / 30, blob_frame([(160.0, 120.0)]))
        faces = timed.take(frame)
        assert [face.track_id for face in faces] == [0]
        window.write(frame, faces)
    assert timed.tracker.config.smoothing == pytest.approx(0.7)  # it ended at 1, then went back
    window.close()


def test_a_recording_keeps_every_frame_that_was_shown(
    screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    window = WindowSink("x", IBUG_68, ellipses=False, raw=False, frame_rate=30)
    screen.keys += ["v", *"x" * 6, "v"]
    for index in range(10):
        window.write(frame_of(index), [plain_face()])
    window.close()
    (recording,) = tmp_path.glob("recording-*.mp4")
    with av.open(str(recording)) as film:
        images = [picture.to_ndarray(format="rgb24") for picture in film.decode(video=0)]
    assert len(images) == 7
    assert images[0].max() > 200  # with what was found
    assert not (images[0][:30, :200] > 90).any()  # without the figures
