"""Small videos of drawn pictures, made by FFmpeg, and what is read of them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tracker.io.sources import open_source
from tracker.types import Frame, Image

CLOCK = Fraction(1, 1000)
EVEN = list(range(0, 800, 40))
"""Milliseconds."""


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
