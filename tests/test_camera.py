"""Cameras that give nothing, hang, change their size, go away and come back."""

import itertools
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from fakes import BlobDetector, DescribingLandmarker, blob_frame

from tracker.errors import SourceError
from tracker.face_tracker import FaceTracker
from tracker.io.camera import Camera, Device
from tracker.types import Image


class FakeDevice:
    """Gives pictures, an empty read for None, hangs on an event; in the end gives nothing."""

    def __init__(self, plan: list[Image | threading.Event | None]) -> None:
        self._plan, self.is_released = iter(plan), False

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, propId: int, /) -> float:  # noqa: N803
        return 25.0

    def read(self) -> tuple[bool, Image | None]:
        step = next(self._plan, None)
        if isinstance(step, threading.Event):
            step.wait(20)
            return False, None
        return step is not None, step

    def release(self) -> None:
        self.is_released = True


class Absent(FakeDevice):
    """Is not plugged in."""

    def isOpened(self) -> bool:  # noqa: N802
        return False


def in_turn(*devices: FakeDevice) -> Callable[[], Device]:
    """Connects to the first, then to the next, and to none after the last."""
    left = itertools.chain(devices, itertools.repeat(Absent([])))
    return lambda: next(left)


def shades(*levels: int) -> list[Image]:
    return [np.full((24, 32, 3), level, np.uint8) for level in levels]


def levels_of(camera: Camera) -> Iterator[int]:
    for frame in camera:
        yield int(frame.image[0, 0, 0])


def test_an_empty_frame_is_passed_over() -> None:
    one, two, three = shades(1, 2, 3)
    broken = np.zeros((0, 0, 3), np.uint8)
    device = FakeDevice([one, None, two, broken, None, three])
    with Camera("camera 0", in_turn(device), reconnect_s=0.0) as camera:
        found = levels_of(camera)
        assert [next(found) for _ in range(3)] == [1, 2, 3]
        with pytest.raises(SourceError, match="camera 0: stopped giving frames after 3: is it"):
            next(found)
    assert camera.losses.breaks == 0


def test_a_camera_that_comes_back_is_followed_again_and_time_goes_on() -> None:
    first, second = FakeDevice(shades(1, 2)), FakeDevice([*shades(3), *shades(4)])
    connect = in_turn(first, Absent([]), Absent([]), second)
    with Camera("camera 0", connect, reconnect_s=10.0) as camera:
        frames = list(itertools.islice(camera, 4))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 3, 4]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert np.all(np.diff([frame.time_s for frame in frames]) >= 0)
    assert frames[2].time_s - frames[1].time_s > 1
    assert camera.losses.breaks == 1
    assert str(camera.losses) == "it was away and came back: 1 times"
    assert first.is_released


def test_a_camera_that_hangs_is_left_and_opened_anew() -> None:
    hang = threading.Event()
    first, second = FakeDevice([*shades(1), hang]), FakeDevice(shades(2))
    with Camera("camera 0", in_turn(first, second), 10.0, stall_s=0.2) as camera:
        found = levels_of(camera)
        assert [next(found), next(found)] == [1, 2]
        assert not first.is_released  # nobody touches what hangs
        hang.set()


def test_the_end_of_a_camera_that_stays_away_is_said() -> None:
    with Camera("camera 3", in_turn(FakeDevice(shades(1))), 1.5) as camera:
        found = levels_of(camera)
        assert next(found) == 1
        with pytest.raises(SourceError, match="camera 3: stopped giving frames after 1"):
            next(found)


def test_a_camera_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceError, match="camera 7: cannot be opened"):
        Camera("camera 7", in_turn(), 0.0)


def test_a_camera_can_be_closed_while_it_is_away() -> None:
    camera = Camera("camera 0", in_turn(FakeDevice(shades(1))), 60.0)
    found = levels_of(camera)
    assert next(found) == 1
    threading.Timer(0.3, camera.close).start()
    assert list(found) == []


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_a_face_is_the_same_when_the_picture_changes_its_size(scale: float) -> None:
    small, large = (320, 240), (round(320 * scale), round(240 * scale))
    faces = FaceTracker(DescribingLandmarker(), BlobDetector())
    seen = []
    for index in range(20):
        grown, size = (scale, large) if index >= 10 else (1.0, small)
        image = blob_frame([(200 * grown, 140 * grown)], size, radius=30 * grown)
        (face,) = faces.update(image, index / 25)
        seen.append(face.track_id)
        centre = face.landmarks.mean.mean(0) / grown
        np.testing.assert_allclose(centre, [200, 140], atol=2)
        spread = np.ptp(face.landmarks.mean[:, 0]) / grown
        np.testing.assert_allclose(spread, 60, atol=4)
    assert seen == [0] * 20
