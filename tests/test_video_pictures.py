"""How frames of videos become pictures: turned, of several sizes, HDR, interlaced, in RGB."""

import gc
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.codec.context import Flags
from drawn_videos import EVEN, corner_frame, read, red_corner, write

from tracker.errors import SourceError
from tracker.io.sources import open_source


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


@pytest.mark.parametrize("turned_deg", [90, -90, 180])
def test_pictures_stand_as_other_players_turn_them(tmp_path: Path, turned_deg: int) -> None:
    path = write(tmp_path / "x.mp4", EVEN, turned_deg=turned_deg)
    by_opencv = cv2.VideoCapture(str(path))
    for frame in read(path):
        is_there, image = by_opencv.read()
        assert is_there
        assert np.abs(image[..., ::-1].astype(int) - frame.image).max() <= 2
    if shutil.which("ffmpeg"):
        size = frame.image.shape
        done = subprocess.run(
            ["ffmpeg", "-v", "error", "-autorotate", "1", "-i", str(path), "-f", "rawvideo",
             "-pix_fmt", "rgb24", "-"], capture_output=True, check=True,
        )  # fmt: skip
        last = np.frombuffer(done.stdout, np.uint8).reshape(-1, *size)[-1]
        assert np.abs(last.astype(int) - frame.image).max() <= 2


@pytest.mark.parametrize(("codec", "form"), [("libx264", "yuv420p"), ("mjpeg", "yuvj420p")])
def test_pictures_that_are_kept_stay_what_they_were(tmp_path: Path, codec: str, form: str) -> None:
    path = write(tmp_path / "x.mkv", EVEN, codec=codec, size=(322, 242))
    kept = [frame.image[10:] for frame in read(path)]
    with av.open(str(path)) as film:
        for image, frame in zip(kept, film.decode(video=0), strict=True):
            assert frame.format.name == form
            assert np.array_equal(image, frame.to_ndarray(format="rgb24")[10:])
