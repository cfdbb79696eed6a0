"""Videos as people have them: turned, late, uneven, damaged, cut off, of several sizes."""

import gc
import itertools
import os
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import fsspec
import numpy as np
import pytest
from av.codec.context import Flags
from PIL import Image as Pictures

from tracker.errors import SourceError
from tracker.io.live_stream import LiveStream
from tracker.io.reading import Reading
from tracker.io.sources import open_source
from tracker.io.video_reader import Video
from tracker.types import Frame, Image

ROOT = Path(__file__).parents[1]
CLOCK = Fraction(1, 1000)


def corner_frame(index: int, size: tuple[int, int] = (64, 48)) -> Image:
    """Red in its top left quarter; the rest is grey, and lighter in later frames."""
    image = np.full((size[1], size[0], 3), 40 + 4 * (index % 40), np.uint8)
    image[: size[1] // 2, : size[0] // 2] = 220, 30, 30
    return image


def red_corner(image: Image) -> str:
    """Where the red quarter is."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    redness = image[..., 0].astype(int) - image[..., 1]
    quarters = {
        "top left": redness[:height, :width], "top right": redness[:height, width:],
        "bottom left": redness[height:, :width], "bottom right": redness[height:, width:],
    }  # fmt: skip
    return max(quarters, key=lambda name: quarters[name].mean())


def write(
    path: Path,
    ticks: list[int],
    *,
    codec: str = "mpeg4",
    begins_with_sound: bool = False,
    gop: int = 12,
    aspect: Fraction | None = None,
    turned_deg: int = 0,
    size: tuple[int, int] = (64, 48),
) -> Path:
    """A video of `corner_frame`s at times in milliseconds; AVI knows multiples of 40 alone."""
    clock = Fraction(1, 25) if path.suffix == ".avi" else CLOCK
    with av.open(str(path), "w") as film:
        tone = film.add_stream("mp2", 48_000) if begins_with_sound else None
        stream = film.add_stream(codec, 25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if codec == "mjpeg":
            stream.pix_fmt = "yuvj420p"
        stream.gop_size = gop
        stream.time_base = stream.codec_context.time_base = clock
        stream.codec_context.max_b_frames = 0
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turned_deg:
            stream.set_display_rotation(turned_deg)
        if tone:
            for part in range(ticks[-1] * 48 // 1152 + 2):
                samples = np.zeros((1, 1152), np.int16)
                sound = av.AudioFrame.from_ndarray(samples, "s16", "mono")
                sound.pts, sound.sample_rate = 1152 * part, 48_000
                sound.time_base = Fraction(1, 48_000)
                film.mux(tone.encode(sound))
            film.mux(tone.encode(None))
        for index, tick in enumerate(ticks):
            picture = av.VideoFrame.from_ndarray(corner_frame(index, size), format="rgb24")
            picture = picture.reformat(format=stream.pix_fmt)
            picture.pts, picture.time_base = int(Fraction(tick, 1000) / clock), clock
            film.mux(stream.encode(picture))
        film.mux(stream.encode(None))
    return path


def read(address: str | Path, **how: object) -> list[Frame]:
    with open_source(address, **how) as video:  # type: ignore[arg-type]
        return list(video)


def milliseconds(frames: list[Frame]) -> list[int]:
    return [round(1000 * frame.time_s) for frame in frames]


EVEN = list(range(0, 800, 40))
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


@pytest.mark.parametrize(
    ("turned_deg", "corner"), [(90, "bottom left"), (-90, "top right"), (180, "bottom right")]
)
def test_what_the_file_says_to_turn_is_turned(tmp_path: Path, turned_deg: int, corner: str) -> None:
    frames = read(write(tmp_path / "x.mp4", EVEN, turned_deg=turned_deg))
    upright = (64, 48) if abs(turned_deg) == 90 else (48, 64)
    assert {frame.image.shape[:2] for frame in frames} == {upright}
    assert {red_corner(frame.image) for frame in frames} == {corner}


def test_pixels_that_are_not_square_are_stated_and_turn_with_the_picture(tmp_path: Path) -> None:
    flat = read(write(tmp_path / "a.mp4", EVEN[:3], aspect=Fraction(2)))
    assert flat[0].image.shape == (48, 64, 3)
    assert flat[0].pixel_aspect == 2
    turned = read(write(tmp_path / "b.mp4", EVEN[:3], aspect=Fraction(2), turned_deg=90))
    assert turned[0].pixel_aspect == 0.5


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


def cut_off(path: Path) -> Path:
    """With its index in front, and half of its pictures."""
    whole = path.with_name(f"whole{path.suffix}")
    path.rename(whole)
    with (
        av.open(str(whole)) as before,
        av.open(str(path), "w", container_options={"movflags": "faststart"}) as after,
    ):
        stream = after.add_stream_from_template(before.streams.video[0])
        for packet in before.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                after.mux(packet)
    content = path.read_bytes()
    media = content.index(b"mdat") if path.suffix == ".mp4" else 0
    path.write_bytes(content[: media + (len(content) - media) // 2])
    return path


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


def test_every_frame_has_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mjpeg", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        film.start_encoding()
        for index, size in enumerate([(64, 48)] * 3 + [(128, 96)] * 3 + [(32, 24)] * 3):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = *size, "yuvj420p"
            encoder.time_base = Fraction(1, 25)
            shown = av.VideoFrame.from_ndarray(corner_frame(index, size), format="rgb24")
            for packet in encoder.encode(shown.reformat(format="yuvj420p")):
                packet.stream, packet.time_base = stream, Fraction(1, 25)
                packet.pts = packet.dts = index
                film.mux(packet)
    frames = read(path)
    assert [frame.image.shape[1] for frame in frames] == [64] * 3 + [128] * 3 + [32] * 3
    assert {red_corner(frame.image) for frame in frames} == {"top left"}


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


def flat_film(path: Path, value: float, transfer: int, *, primaries: int = 9) -> Path:
    """Grey frames of 10 bits with a value of 0..1, without loss."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("ffv1", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries = transfer, primaries
        context.colorspace, context.color_range = primaries, 1
        for _ in range(2):
            frame = av.VideoFrame(64, 48, "yuv420p10le")
            for plane, level in zip(frame.planes, [64 + 876 * value, 512, 512], strict=True):
                plane.update(np.full(plane.buffer_size // 2, round(level), np.uint16).tobytes())
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("transfer", "code", "expected"),
    [
        # ITU-R BT.2408: in both a grey card has 0.38 and 26 nits, where paper white has 203; in
        # sRGB that is 100.
        pytest.param(16, 0.38, 100, id="PQ-grey-card"),
        pytest.param(18, 0.38, 100, id="HLG-grey-card"),
        pytest.param(16, 0.0, 0, id="PQ-black"),
        pytest.param(1, 0.5, 128, id="10-bit-standard-range"),
    ],
)
def test_high_dynamic_range_looks_as_on_a_screen(
    tmp_path: Path, transfer: int, code: float, expected: int
) -> None:
    primaries = 1 if transfer == 1 else 9
    frames = read(flat_film(tmp_path / "x.mkv", code, transfer, primaries=primaries))
    assert len(frames) == 2
    assert np.abs(frames[0].image.astype(int) - expected).max() <= 6


def test_interlaced_frames_are_made_whole_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "x.mpg"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg2video", 25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        stream.codec_context.max_b_frames = 0
        for index in range(10):
            image = np.full((96, 128, 3), 30, np.uint8)
            # A bar that moves by 20 pixels between the two fields of a frame.
            left = 8 * index
            image[0::2, left : left + 20] = image[1::2, left + 20 : left + 40] = 220
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts = index
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    frames = read(path)
    assert len(frames) == 10
    np.testing.assert_allclose(np.diff([f.time_s for f in frames]), 0.04, atol=1e-3)
    middle = frames[5].image[20:76, 40:80, 0].astype(int)
    comb = np.abs(np.diff(middle, axis=0)).mean()
    with av.open(str(path)) as film:
        raw = [f.to_ndarray(format="rgb24") for f in film.decode(video=0)]
    assert comb < 0.5 * np.abs(np.diff(raw[5][20:76, 40:80, 0].astype(int), axis=0)).mean()


def test_pictures_beyond_the_limit_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    huge = tmp_path / "x.y4m"
    huge.write_bytes(b"YUV4MPEG2 W30000 H30000 F25:1 C420jpeg\nFRAME\n" + bytes(1000))
    with pytest.raises(SourceError, match=r"x\.y4m: "):
        open_source(huge)
    small = write(tmp_path / "x.mp4", EVEN)
    with pytest.raises(SourceError, match="--max-megapixels"):
        open_source(small, max_megapixels=0.001)


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


def test_no_frame_waits_for_the_garbage_collector(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp4", EVEN, turned_deg=90)
    gc.collect()
    gc.disable()
    try:
        assert len(read(path)) == len(EVEN)
        waiting = [o for o in gc.get_objects() if type(o) is av.VideoFrame]
    finally:
        gc.enable()
    assert len(waiting) <= 2  # the first, whose display matrix was read
