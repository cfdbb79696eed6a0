"""Overlay videos: times, sound, and what is left of them when something goes wrong."""

import os
import resource
import signal
import subprocess
import sys
from itertools import accumulate
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
import pytest
from fakes import blob_frame
from film_with_sound import CLOCK, picture_times, sound_packets, write_film

from tracker.errors import SinkError
from tracker.io.video_writer import Encoding, SoundOf, VideoSink
from tracker.types import Face, Frame, Image

ROOT = Path(__file__).parents[1]
UNEVEN = list(accumulate([512, 300, 1024, 512, 40, 4000, 512] * 10))


def as_it_is(frame: Frame, _faces: list[Face]) -> Image:
    return frame.image


def moving_blobs(count: int) -> list[Image]:
    return [blob_frame([(60.0 + index % 200, 120.0)]) for index in range(count)]


def frames(ticks: list[int]) -> list[Frame]:
    times = [float(tick * CLOCK) for tick in ticks]
    pictures = moving_blobs(len(ticks))
    return [
        Frame(index, time_s, picture)
        for index, (time_s, picture) in enumerate(zip(times, pictures, strict=True))
    ]


def write_all(sink: VideoSink, images: list[Image]) -> None:
    for index, image in enumerate(images):
        sink.write(Frame(index, index / 25, image), [])


def written(path: Path, film: Path, encoding: Encoding | None = None) -> Path:
    sink = VideoSink(path, 25.0, as_it_is, sound_of=SoundOf(film), encoding=encoding)
    for frame in frames(UNEVEN):
        sink.write(frame, [])
    sink.close()
    return path


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", moving_blobs(len(UNEVEN)), UNEVEN)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
def test_sound_is_copied_byte_for_byte_and_in_time(
    tmp_path: Path, film: Path, suffix: str, codec: Literal["h264", "mpeg4"]
) -> None:
    overlay = written(tmp_path / f"overlay{suffix}", film, Encoding(codec))
    before, after = sound_packets(film), sound_packets(overlay)
    assert [content for _, content in after] == [content for _, content in before]
    assert len(before) > 100
    late = np.array([a[0] - b[0] for a, b in zip(after, before, strict=True)])
    shown = np.array(picture_times(overlay)) - np.array(picture_times(film))
    assert np.abs(late - shown[0]).max() < 1.5e-3
    with av.open(str(overlay)) as container:
        assert container.streams.video[0].codec_context.name == codec


@pytest.mark.parametrize("name", ["overlay.mp4", "a:b?.mp4"])
def test_every_picture_keeps_the_sources_time(tmp_path: Path, film: Path, name: str) -> None:
    assert picture_times(written(tmp_path / name, film)) == picture_times(film)


def test_a_picture_keeps_its_colours(tmp_path: Path) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:] = (200, 60, 30)
    sink = VideoSink(tmp_path / "x.mp4", 25.0, as_it_is)
    sink.write(Frame(0, 0.0, image), [])
    sink.close()
    with av.open(str(tmp_path / "x.mp4")) as container:
        shown = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(shown.astype(int) - image).max() < 8


def test_sound_that_the_container_cannot_hold_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    film = write_film(tmp_path / "film.mkv", moving_blobs(10), UNEVEN[:10], sound="libopus")
    sink = VideoSink(tmp_path / "overlay.avi", 25.0, as_it_is, sound_of=SoundOf(film))
    for frame in frames(UNEVEN[:10]):
        sink.write(frame, [])
    sink.close()
    assert "cannot hold sound of opus, which is left out" in caplog.text
    assert len(picture_times(tmp_path / "overlay.avi")) == 10


@pytest.mark.parametrize("codec", ["h264", "mpeg4"])
def test_better_quality_takes_more_room(tmp_path: Path, codec: Literal["h264", "mpeg4"]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    sizes = []
    for quality in (3, 51):
        sink = VideoSink(tmp_path / "x.mp4", 25.0, as_it_is, encoding=Encoding(codec, quality))
        sink.write(Frame(0, 0.0, noise), [])
        sink.close()
        sizes.append((tmp_path / "x.mp4").stat().st_size)
    assert sizes[0] > 3 * sizes[1]


def test_without_an_encoder_of_h264_mpeg4_is_written(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tracker.io.video_writer._H264", "no_such_encoder")
    overlay = written(tmp_path / "x.mp4", film)
    assert "MPEG-4 is written instead" in caplog.text
    with av.open(str(overlay)) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"


def test_a_closed_overlay_is_a_plain_file(tmp_path: Path, film: Path) -> None:
    overlay = written(tmp_path / "x.mp4", film)
    with overlay.open("rb") as file:
        kinds = []
        while head := file.read(8):
            kinds.append(head[4:].decode())
            file.seek(int.from_bytes(head[:4], "big") - 8, os.SEEK_CUR)
    assert "moof" not in kinds
    assert kinds[0] == "ftyp"
    assert cv2.VideoCapture(str(overlay)).get(cv2.CAP_PROP_FRAME_COUNT) == len(UNEVEN)


WRITER = """
import os, sys
sys.path += [{root!r}, {tests!r}]
from pathlib import Path
from test_video_writer import SoundOf, VideoSink, as_it_is, frames
ticks = [512 * i for i in range(200)]
sink = VideoSink(Path({path!r}), 25.0, as_it_is, sound_of=SoundOf(Path({film!r})))
for frame in frames(ticks):
    sink.write(frame, [])
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_after_a_kill_all_but_the_last_second_plays_with_its_sound(
    tmp_path: Path, suffix: str
) -> None:
    ticks = [512 * index for index in range(200)]
    film = write_film(tmp_path / "film.mp4", moving_blobs(200), ticks)
    overlay = tmp_path / f"overlay{suffix}"
    code = WRITER.format(
        root=str(ROOT), tests=str(ROOT / "tests"), path=str(overlay), film=str(film)
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    shown, whole = picture_times(overlay), picture_times(film)
    # Matroska knows no time before 0, where the sound's first packet begins: all is shifted.
    assert np.subtract(shown, shown[0]) == pytest.approx(whole[: len(shown)], abs=1.1e-3)
    assert whole[-1] - shown[-1] <= 1.0
    sound, all_sound = sound_packets(overlay), sound_packets(film)
    assert [p for _, p in sound] == [p for _, p in all_sound[: len(sound)]]
    assert sound[-1][0] >= whole[-1] - 1.0


@pytest.mark.skipif(os.name == "nt", reason="needs limits of a process")
@pytest.mark.parametrize("limit", [20_000, 400_000, 900_001])
def test_a_full_disk_leaves_a_video_that_plays(tmp_path: Path, limit: int) -> None:
    overlay = tmp_path / "x.mp4"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (120, 160, 3)).astype(np.uint8) for _ in range(100)]
    sink = VideoSink(overlay, 25.0, as_it_is)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        with pytest.raises(SinkError, match=r"x.mp4: cannot be written any more \(File too large"):
            write_all(sink, noise)
        sink.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert overlay.stat().st_size <= limit
    if limit > 20_000:
        assert picture_times(overlay)


@pytest.mark.skipif(os.name == "nt", reason="needs limits of a process")
def test_a_disk_that_is_full_at_the_very_end_leaves_the_fragments(tmp_path: Path) -> None:
    ticks = [512 * index for index in range(60)]

    def write(path: Path) -> VideoSink:
        sink = VideoSink(path, 25.0, as_it_is)
        for frame in frames(ticks):
            sink.write(frame, [])
        return sink

    first = write(tmp_path / "size.mp4")
    first.close()
    whole = (tmp_path / "size.mp4").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    sink = write(tmp_path / "x.mp4")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (whole - 300, hard))
        with pytest.raises(SinkError, match=r"x\.mp4"):
            sink.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(picture_times(tmp_path / "x.mp4")) >= 60 - 13
