"""Videos as people have them: late, uneven, of several streams, by any name or address."""

import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import av
import fsspec
import numpy as np
import pytest
from drawn_videos import EVEN, corner_frame, milliseconds, read, red_corner, write
from PIL import Image as Pictures

from tracker.errors import SourceError
from tracker.io.live_stream import LiveStream
from tracker.io.reading import Reading
from tracker.io.sources import open_source
from tracker.io.video_reader import Video

ROOT = Path(__file__).parents[1]
UNEVEN = [0, 40, 50, 300, 12_000, 12_040, 13_000]


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".webm"])
def test_uneven_times_and_long_rests_stay(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "mpeg4"
    path = write(tmp_path / f"x{suffix}", UNEVEN, codec=codec)
    assert milliseconds(read(path)) == UNEVEN


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_picture_that_begins_after_the_sound_is_late(tmp_path: Path, suffix: str) -> None:
    late = [8000 + tick for tick in EVEN]
    path = write(tmp_path / f"x{suffix}", late, begins_with_sound=True)
    np.testing.assert_allclose(milliseconds(read(path)), late, atol=30)


def test_frames_without_stamps_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "x.h264", EVEN, codec="libx264")
    times = np.array([frame.time_s for frame in read(path)])
    assert len(times) == len(EVEN)
    np.testing.assert_allclose(np.diff(times), 0.04, atol=1e-3)


def test_one_of_several_picture_streams_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    with av.open(str(path), "w") as film:
        streams = [film.add_stream("mjpeg", 25) for _ in range(2)]
        for stream, size in zip(streams, [(64, 48), (32, 24)], strict=True):
            stream.width, stream.height, stream.pix_fmt = *size, "yuvj420p"
        for index in range(4):
            for stream in streams:
                image = corner_frame(index, (stream.width, stream.height))
                shown = av.VideoFrame.from_ndarray(image, format="rgb24")
                film.mux(stream.encode(shown.reformat(format="yuvj420p")))
    assert [frame.image.shape[1] for frame in read(path, stream=0)] == [64] * 4
    assert [frame.image.shape[1] for frame in read(path, stream=1)] == [32] * 4
    with pytest.raises(SourceError, match=r"x\.mkv: has 2 picture streams.*no stream 2"):
        open_source(path, stream=2)


@pytest.mark.parametrize(
    "name", [b"cam-2024-05-01-12:30:11.mp4", b"caf\xe9 \xff.mp4", b"%d %s?.mp4", b"http:x.mp4"]
)
def test_any_name_that_a_file_system_allows(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    write(tmp_path / "x.mp4", EVEN).rename(path)
    with open_source(path) as video:
        assert video.name == path.name
        assert len(list(video)) == len(EVEN)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    content = write(tmp_path / "x.mkv", EVEN).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(content), daemon=True).start()
    with open_source(pipe) as video:
        assert milliseconds(list(video)) == EVEN
        with pytest.raises(SourceError, match="can be read only once"):
            list(video)


def test_the_standard_input_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mkv", EVEN)
    script = "from tracker import open_source; print(len(list(open_source('-'))))"
    with path.open("rb") as content:
        done = subprocess.run(
            [sys.executable, "-c", script], stdin=content, capture_output=True, text=True,
            check=True, cwd=ROOT,
        )  # fmt: skip
    assert done.stdout == f"{len(EVEN)}\n"


def test_videos_and_pictures_of_a_remote_store(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp4", EVEN)
    Pictures.fromarray(corner_frame(0)).save(tmp_path / "x.png")
    store = fsspec.filesystem("memory")
    for name in ("x.mp4", "x.png"):
        store.pipe(f"/reading/{name}", (tmp_path / name).read_bytes())
    assert milliseconds(read("memory://reading/x.mp4")) == EVEN
    assert milliseconds(read(f"local://{path}")) == EVEN
    (picture,) = read("memory://reading/x.png")
    assert picture.name == "x.png"
    assert red_corner(picture.image) == "top left"
    with pytest.raises(SourceError, match=r"memory://reading/none\.mp4: cannot be read"):
        open_source("memory://reading/none.mp4")
    with pytest.raises(SourceError, match=r"bogus://x/y\.mp4: cannot be read"):
        open_source("bogus://x/y.mp4")


def test_a_live_stream_that_breaks_off_is_followed_again_and_its_end_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, calls = write(tmp_path / "x.mkv", EVEN), itertools.count()

    def connect() -> Video:
        if next(calls) not in (0, 2):
            raise SourceError("rtsp://camera: no frame can be decoded")
        return Video("camera", lambda: av.open(str(path)), Reading(), is_live=True)

    with LiveStream(connect, reconnect_s=1.5) as stream:
        frames = list(stream)
        assert stream.losses.breaks == 1
    assert [frame.index for frame in frames] == list(range(2 * len(EVEN)))
    steps = np.diff([frame.time_s for frame in frames])
    assert steps.min() >= 0
    assert steps.argmax() == len(EVEN) - 1
    assert steps.max() > 0.9  # two tries, half a second each
    assert f"camera: the stream ended after {len(frames)} frames" in caplog.text
