"""What counts as one source, and what as several videos."""

from pathlib import Path

import pytest

from tracker.cli.inputs import several_videos
from tracker.errors import SourceError


def made(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_a_folder_of_videos_is_its_videos_by_name(tmp_path: Path) -> None:
    (tmp_path / "b_folder.mp4").mkdir()
    made(tmp_path, "c.MP4", "a.mkv", "notes.txt", "a.csv", "._a.mkv")
    assert several_videos([str(tmp_path)]) == [tmp_path / "a.mkv", tmp_path / "c.MP4"]


def test_videos_and_folders_come_in_the_order_they_are_named(tmp_path: Path) -> None:
    first, second = made(tmp_path / "z", "1.mp4", "2.mp4"), made(tmp_path / "a", "3", "4.mov")
    named = [first, second / "3", second / "4.mov"]
    expected = [first / "1.mp4", first / "2.mp4", *named[1:]]
    assert several_videos([str(path) for path in named]) == expected


@pytest.mark.parametrize("name", ["clip.mp4", "picture.png", "nowhere.mp4", ".", "0", "demo"])
def test_one_name_is_one_source_unless_it_is_a_folder_of_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    made(tmp_path, "picture.png")
    for folder in ("0", "demo"):  # a camera and the demo all the same
        made(tmp_path / folder, "clip.mp4")
    monkeypatch.chdir(tmp_path)
    assert several_videos([name]) == []


def test_a_folder_of_videos_and_pictures_asks_which(tmp_path: Path) -> None:
    made(tmp_path, "a.avi", "b.avi", "c.png")
    with pytest.raises(SourceError, match=r"videos \(2\) and pictures \(1\): name .*\*\.avi"):
        several_videos([str(tmp_path)])


@pytest.mark.parametrize(
    ("other", "says"),
    [
        pytest.param("nowhere.mp4", "no such file or folder", id="missing"),
        pytest.param("0", "no such file or folder", id="camera"),
        pytest.param("demo", "no such file or folder", id="demo"),
        pytest.param("face.png", "is a picture", id="picture"),
        pytest.param("pictures", "holds no videos", id="pictures"),
    ],
)
def test_what_is_no_video_among_several_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str, says: str
) -> None:
    made(tmp_path, "a.mp4", "face.png", "0")
    made(tmp_path / "pictures", "face.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=f"{other}: {says}.*: several inputs must all be videos"):
        several_videos(["a.mp4", other])
