"""Videos that are damaged or cut off are read as far as they can be, and the rest is said."""

from pathlib import Path

import pytest
from drawn_videos import EVEN, cut_off, milliseconds, write

from tracker.io.sources import open_source


def damage(path: Path, numbers: list[int]) -> Path:
    """Wipes some pictures of Motion JPEG, not the last."""
    content = bytearray(path.read_bytes())
    starts = [i for i in range(len(content) - 2) if content[i : i + 3] == b"\xff\xd8\xff"]
    for number in numbers:
        first, last = starts[number], starts[number + 1] - 16
        content[first:last] = bytes(last - first)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("place", [0.01, 0.5, 0.97])
def test_damaged_frames_are_passed_over_and_counted(tmp_path: Path, place: float) -> None:
    path = write(tmp_path / "x.avi", list(range(0, 4000, 40)), codec="mjpeg")
    with open_source(damage(path, [int(place * 100)])) as video:
        frames = list(video)
        assert video.losses.passed_over == 1
        assert not video.losses.are_grave
        assert str(video.losses) == "1 of 100 frames are damaged, 1 of them left out"
    missing = 40 * int(place * 100)
    assert milliseconds(frames) == [t for t in range(0, 4000, 40) if t != missing]
    assert [frame.index for frame in frames] == list(range(99))


def test_much_damage_is_grave(tmp_path: Path) -> None:
    path = write(tmp_path / "x.avi", EVEN, codec="mjpeg")
    with open_source(damage(path, [4, 5, 6, 7])) as video:
        assert len(list(video)) == 16
        assert video.losses.are_grave


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_file_that_is_cut_off_is_read_to_its_end_and_said_to_be_short(
    tmp_path: Path, suffix: str
) -> None:
    path = cut_off(write(tmp_path / f"x{suffix}", list(range(0, 4000, 40))))
    with open_source(path) as video:
        frames = list(video)
        assert 10 < len(frames) < 90
        assert f"it is cut off: {len(frames)} of 100 announced frames" in str(video.losses)
        assert video.losses.are_grave
    assert milliseconds(frames) == list(range(0, 40 * len(frames), 40))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mov", ".ts"])
def test_a_whole_file_is_not_said_to_be_short(tmp_path: Path, suffix: str) -> None:
    with open_source(write(tmp_path / f"x{suffix}", EVEN, begins_with_sound=True)) as video:
        assert len(list(video)) == len(EVEN)
        assert str(video.losses) == ""


def test_frames_that_the_container_loses_are_counted_by_their_times(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mkv", list(range(0, 4000, 40)), size=(160, 120))
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 2000] = bytes(2000)
    path.write_bytes(content)
    with open_source(path) as video:
        times = milliseconds(list(video))
        lost = 100 - len(times)
        assert lost > 2
        assert video.losses.passed_over == lost
        assert video.losses.are_grave == (lost > 10)
    assert times[-1] == 3960
    assert set(times) <= set(range(0, 4000, 40))


def wiped(path: Path, place: float, size: int) -> Path:
    """With zeros at some place."""
    content = bytearray(path.read_bytes())
    at = int(place * len(content))
    content[at : at + size] = bytes(size)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "codec", "size"),
    [("x.webm", "libvpx", 600), ("x.mkv", "libx264", 600), ("x.ts", "mpeg4", 5000)],
)
def test_frames_that_go_without_an_error_are_counted(
    tmp_path: Path, name: str, codec: str, size: int
) -> None:
    path = write(
        tmp_path / name,
        list(range(0, 4000, 40)),
        codec=codec,
        begins_with_sound=name == "x.ts",
        size=(160, 120),
    )
    with open_source(wiped(path, 0.4, size)) as video:
        lost = 100 - len(list(video))
        assert 0 < lost < 60
        assert video.losses.passed_over == lost


def test_pauses_of_an_uneven_video_are_not_taken_for_losses(tmp_path: Path) -> None:
    ticks = [40 * number + 400 * (number // 3) for number in range(60)]
    path = write(tmp_path / "x.webm", ticks, codec="libvpx")
    with open_source(path) as video:
        assert len(list(video)) == 60
        assert str(video.losses) == ""
    with open_source(wiped(path, 0.5, 40)) as video:
        lost = 60 - len(list(video))
        assert video.losses.passed_over <= lost
