"""Pictures of all kinds, animations, and pictures that are a video together."""

import csv
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pictures

import run_tracker
from tracker.cli.inputs import several_pictures, several_videos
from tracker.errors import SourceError
from tracker.io.picture_reader import read_picture
from tracker.io.sources import open_source
from tracker.types import Image

TURN_RIGHT = 6
"""EXIF's orientation of a picture that is to be turned by a quarter, clockwise."""


def corner(size: tuple[int, int] = (64, 48)) -> Image:
    """Red in its top left quarter, else grey."""
    image = np.full((size[1], size[0], 3), 60, np.uint8)
    image[: size[1] // 2, : size[0] // 2] = 220, 30, 30
    return image


def redness(image: Image) -> np.ndarray:
    return image[..., 0].astype(int) - image[..., 1]


@pytest.mark.parametrize(
    "suffix", [".jpg", ".jfif", ".webp", ".png", ".tif", ".avif", ".jp2", ".bmp", ".gif", ".ppm"]
)
def test_pictures_of_any_kind_are_read(tmp_path: Path, suffix: str) -> None:
    Pictures.fromarray(corner()).save(tmp_path / f"x{suffix}")
    (frame,) = open_source(tmp_path / f"x{suffix}")
    assert frame.image.shape == (48, 64, 3)
    assert redness(frame.image)[4:20, 4:28].min() > 120
    assert redness(frame.image)[28:, 36:].max() < 40
    assert frame.name == f"x{suffix}"


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".png", ".tif", ".avif"])
def test_pictures_stand_upright_as_exif_says(tmp_path: Path, suffix: str) -> None:
    exif = Pictures.Exif()
    exif[0x0112] = TURN_RIGHT
    Pictures.fromarray(corner()).save(tmp_path / f"x{suffix}", exif=exif)
    image = read_picture(tmp_path / f"x{suffix}")
    assert image.shape == (64, 48, 3)
    assert redness(image)[4:28, 28:44].min() > 120
    assert redness(image)[:, :20].max() < 40


def test_heic_is_read_with_its_extra_or_said_to_need_it(tmp_path: Path) -> None:
    (tmp_path / "x.heic").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"x\.heic: (is not a readable|HEIC needs the extra)"):
        list(open_source(tmp_path / "x.heic"))


def test_deep_and_printers_pictures_keep_their_brightness(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 48 * 64).reshape(48, 64).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "grey.png"), ramp)
    cv2.imwrite(str(tmp_path / "colour.png"), np.repeat(ramp[..., None], 3, 2))
    cv2.imwrite(str(tmp_path / "colour.tif"), np.repeat(ramp[..., None], 3, 2))
    for name in ("grey.png", "colour.png", "colour.tif"):
        image = read_picture(tmp_path / name)
        assert np.abs(image - ramp[..., None] / 257).max() <= 1.01, name
    Pictures.fromarray(corner()).convert("CMYK").save(tmp_path / "x.jpg", quality=95)
    red = read_picture(tmp_path / "x.jpg")[8:16, 8:24].astype(int)
    assert np.abs(red - (220, 30, 30)).max() < 25


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_an_animated_picture_is_a_video_with_its_own_times(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    shades = [Pictures.fromarray(np.full((48, 64, 3), 40 + 30 * i, np.uint8)) for i in range(6)]
    durations = [100, 200, 100, 50, 100, 100]
    shades[0].save(path, save_all=True, append_images=shades[1:], duration=durations, loop=0)
    with open_source(path) as video:
        assert not video.holds_stills
        for _ in range(2):
            frames = list(video)
            times = np.cumsum([0, *durations[:-1]]) / 1000
            np.testing.assert_allclose([frame.time_s for frame in frames], times, atol=2e-3)
            levels = [frame.image.mean() for frame in frames]
            np.testing.assert_allclose(levels, 40 + 30 * np.arange(6), atol=3)


def test_numbered_pictures_are_a_video_and_gaps_last(tmp_path: Path) -> None:
    for number in (7, 8, 9, 12, 10_000):
        Pictures.fromarray(corner()).save(tmp_path / f"shot_{number:04d}.png")
    (tmp_path / "shot_0010.png").write_bytes(b"damaged")
    (tmp_path / "shot_9.png").write_bytes(b"not of four digits")
    with open_source(tmp_path / "shot_%04d.png", fps=10) as video:
        assert not video.holds_stills
        times = [frame.time_s for frame in video]
        assert video.losses.passed_over == 1
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.5, 999.3])
    with pytest.raises(SourceError, match="no file is named so"):
        open_source(tmp_path / "none_%d.png")


def test_pictures_beyond_the_limit_are_refused_by_their_head(tmp_path: Path) -> None:
    Pictures.new("L", (3, 3)).save(tmp_path / "huge.png")
    content = bytearray((tmp_path / "huge.png").read_bytes())
    content[16:24] = struct.pack(">II", 30_000, 30_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    (tmp_path / "huge.png").write_bytes(content)
    with pytest.raises(SourceError, match="30000x30000 pixels are more than 64 megapixels"):
        list(open_source(tmp_path / "huge.png"))
    Pictures.fromarray(corner()).save(tmp_path / "x.png")
    with pytest.raises(SourceError, match="raise --max-megapixels"):
        list(open_source(tmp_path / "x.png", max_megapixels=0.001))


def test_a_folder_says_what_it_passes_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a.png", "b/a.png"):
        Pictures.fromarray(corner()).save(tmp_path / name)
    for name in ("x.psd", "y.psd", "readme", ".hidden"):
        (tmp_path / name).touch()
    assert [frame.name for frame in open_source(tmp_path)] == ["a.png"]
    assert "3 files are passed over, being neither pictures nor videos (.psd, no suffix)" in (
        caplog.text
    )
    assert [f.name for f in open_source(tmp_path, recursive=True)] == ["a.png", "b/a.png"]


def test_pictures_named_one_by_one_are_one_source(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("b.png", "a.png")]
    for name in names:
        Pictures.fromarray(corner()).save(name)
    assert several_pictures(names) == [Path(name) for name in names]
    assert several_videos(names) == []
    rows = tmp_path / "rows.csv"
    assert run_tracker.main([*names, "--save-csv", str(rows)]) == 0
    with rows.open() as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["b.png", "a.png"]


def test_videos_of_folders_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a.mp4", "b/c.mkv"):
        (tmp_path / name).touch()
    assert several_videos([str(tmp_path)]) == [tmp_path / "a.mp4"]
    assert several_videos([str(tmp_path)], recursive=True) == [
        tmp_path / "a.mp4", tmp_path / "b/c.mkv",
    ]  # fmt: skip
