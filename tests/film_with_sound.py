"""A small film with sound and uneven times, made by FFmpeg."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tracker.types import Image

CLOCK = Fraction(1, 12_800)


def write_film(
    path: Path,
    pictures: list[Image],
    ticks: list[int],
    *,
    sound: str = "aac",
    sound_s: float | None = None,
) -> Path:
    """Pictures at times in ticks of 1/12,800 s, and a tone of 440 Hz."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("mpeg4", 25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = CLOCK
        tone = film.add_stream(sound, 48_000)
        for picture, tick in zip(pictures, ticks, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = tick, CLOCK
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
        samples = round((sound_s or float(ticks[-1] * CLOCK)) * 48_000)
        wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(samples) / 48_000)).astype(np.float32)
        for start in range(0, samples, 1024):
            part = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "fltp", "mono")
            part.pts, part.sample_rate, part.time_base = start, 48_000, Fraction(1, 48_000)
            film.mux(tone.encode(part))
        film.mux(tone.encode(None))
    return path


def sound_packets(path: Path) -> list[tuple[float, bytes]]:
    """Times in seconds and contents."""
    with av.open(str(path)) as film:
        return [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in film.demux(audio=0)
            if packet.size
        ]


def picture_times(path: Path) -> list[float]:
    """Of all pictures that can be decoded, seconds."""
    with av.open(str(path)) as film:
        return [float(frame.pts * frame.time_base) for frame in film.decode(video=0)]
