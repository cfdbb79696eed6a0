from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import blob_frame, write_video

from tracker.errors import SourceError
from tracker.io.picture_reader import read_picture
from tracker.io.sources import open_source


def frames_of(address: Path) -> list:
    with open_source(str(address)) as source:
        return list(source)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".avi", ".webm", ".mpg"])
def test_every_frame_of_a_video_comes_with_its_time(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    rate = 25.0
    write_video(path, [blob_frame([(60.0 + 4 * i, 120.0)]) for i in range(12)], rate)
    frames = frames_of(path)
    assert [frame.index for frame in frames] == list(range(12))
    times = np.array([frame.time_s for frame in frames])
    np.testing.assert_allclose(np.diff(times), 1 / rate, atol=2e-3)
    column = frames[-1].image[120, :, 0] > 128
    assert abs(np.flatnonzero(column).mean() - 104) < 3


def test_pictures_come_by_name_in_rgb(tmp_path: Path) -> None:
    red = np.zeros((8, 9, 3), np.uint8)
    red[..., 2] = 200
    cv2.imwrite(str(tmp_path / "b.png"), red)
    cv2.imwrite(str(tmp_path / "a.png"), red[..., ::-1])
    (tmp_path / "notes.txt").write_text("no picture")
    frames = frames_of(tmp_path)
    assert [frame.name for frame in frames] == ["a.png", "b.png"]
    assert frames[1].image[0, 0].tolist() == [200, 0, 0]


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param((1, 1, 3), id="one-pixel"),
        pytest.param((40, 30), id="grey"),
        pytest.param((40, 30, 4), id="alpha"),
    ],
)
def test_pictures_of_any_kind_become_rgb(tmp_path: Path, shape: tuple[int, ...]) -> None:
    cv2.imwrite(str(tmp_path / "x.png"), np.full(shape, 90, np.uint8))
    image = read_picture(tmp_path / "x.png")
    assert image.shape == (*shape[:2], 3)
    assert image.dtype == np.uint8


def test_a_broken_picture_does_not_end_a_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "a.jpg").write_bytes(b"not a picture")
    (tmp_path / "c.jpg").touch()
    assert [frame.name for frame in frames_of(tmp_path)] == ["a.jpg", "b.png", "c.jpg"]
    assert "a.jpg: is not a readable picture" in caplog.text


def _text(path: Path) -> None:
    path.write_text("I am no film")


def _cut(path: Path) -> None:
    write_video(path, [blob_frame([(60.0, 60.0)])] * 5)
    path.write_bytes(path.read_bytes()[:300])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(Path.touch, "is empty", id="empty"),
        pytest.param(_text, "no frame can be decoded", id="text"),
        pytest.param(_cut, "no frame can be decoded", id="cut"),
    ],
)
def test_a_file_that_is_no_video_is_named(tmp_path: Path, make, says: str) -> None:
    path = tmp_path / "clip.mp4"
    make(path)
    with pytest.raises(SourceError, match=rf"clip\.mp4: {says}"):
        open_source(str(path))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        open_source(str(tmp_path / "nothing.mp4"))
    with pytest.raises(SourceError, match="holds neither pictures"):
        open_source(str(tmp_path))
    with pytest.raises(SourceError, match="camera 97: cannot be opened"):
        open_source("97")
