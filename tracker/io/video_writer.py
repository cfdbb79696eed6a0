"""Overlay videos, by FFmpeg: H.264 or MPEG-4, at the source's own times, with its sound.

MP4 and MOV are written in fragments of at most a second, each of which plays by itself, and are
turned into a plain file at the end; so whatever ends the run, what was written plays.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType

from ..errors import SinkError
from ..types import Face, Frame, Image
from .output_file import OutputFile
from .sound import DEFAULT_CLOCK, SourceClock

_LOGGER = logging.getLogger(__name__)

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi"}
"""Suffixes, and the names of FFmpeg's formats."""
CODECS = ("h264", "mpeg4")
_H264 = "libx264"
BEST_QUALITY, WORST_QUALITY = 0, 51
_LONGEST_SIDE = 4096
_KEY_FRAME_EVERY_S = 0.5
"""So much at most is lost when the process is killed, besides what no encoder has given back."""
_FRAGMENTS = {"movflags": "hybrid_fragmented+frag_keyframe+delay_moov+default_base_moof"}
_OPTIONS: dict[str, dict[str, str]] = {
    ".mp4": _FRAGMENTS,
    ".mov": _FRAGMENTS,
    ".mkv": {"cluster_time_limit": "500", "flush_packets": "1"},
    ".avi": {"flush_packets": "1"},
}
_WAIT_FOR_SOUND = {"max_interleave_delta": "100000"}
"""Microseconds: pictures wait no longer for sound that has a gap or ended."""
_QUANTIZERS = 31
"""Of MPEG-4, from 1, best."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a video is compressed."""

    codec: Literal["h264", "mpeg4"] = "h264"
    quality: int = 23
    """From 0, best, to 51, as x264's constant rate factor."""


@dataclass(frozen=True, slots=True)
class SoundOf:
    """The video whose clock and sound an overlay takes over."""

    path: Path
    stream: int | None = None
    """Of several picture streams the one that is shown."""


class VideoSink:
    """A painted video, every frame at the source's own time.

    Args:
        path: With the suffix of a container: .mp4, .mov, .mkv or .avi.
        frame_rate: Frames per second, nominal.
        paint: Makes the picture of a frame and its faces.
        size: Width and height; None takes those of the first picture.
        encoding: Codec and quality.
        sound_of: The video whose clock and sound are taken over.
        overwrite: A file that exists may be replaced.
    """

    def __init__(  # noqa: PLR0913
        self,
        path: Path,
        frame_rate: float,
        paint: Callable[[Frame, list[Face]], Image],
        size: tuple[int, int] | None = None,
        *,
        encoding: Encoding | None = None,
        sound_of: SoundOf | None = None,
        overwrite: bool = True,
    ) -> None:
        if path.suffix.lower() not in CONTAINERS:
            raise SinkError(f"{path}: is no video name: end it in {', '.join(CONTAINERS)}")
        self._path, self._paint, self._size = path, paint, size
        self._rate, self._encoding = frame_rate, encoding or Encoding()
        self._file = OutputFile(path, overwrite=overwrite)
        self._clock = _clock_of(sound_of)
        self._container: OutputContainer | None = None
        self._stream: av.VideoStream | None = None
        self._offset_s = self._key_frame_s = 0.0
        self._last_tick, self._last_s = -(2**62), 0.0

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Draw and encode one frame."""
        try:
            if self._stream is None:
                self._begin(frame)
            picture = self._timed_picture(frame, self._paint(frame, faces))
            self._last_s = frame.time_s + self._offset_s
            self._put(picture, self._last_s)
        except av.FFmpegError as error:
            raise self._failure(error) from error

    def _begin(self, first: Frame) -> None:
        """Open the container when the size is known."""
        self._size = self._size or _encodable(first.image)
        suffix = self._path.suffix.lower()
        self._container = container = av.open(
            self._file,
            "w",
            format=CONTAINERS[suffix],
            container_options=_OPTIONS[suffix] | _WAIT_FOR_SOUND,
        )
        rate = Fraction(self._rate).limit_denominator(1001)
        self._stream = stream = _encoder(container, rate, self._encoding, self._path)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        aspect = Fraction(first.pixel_aspect).limit_denominator(255)
        stream.codec_context.sample_aspect_ratio = aspect
        stream.codec_context.colorspace, stream.codec_context.color_range = 6, 1
        # AVI counts frames; MPEG-4 has a clock of 16 bits.
        keeps_rate = suffix == ".avi" or stream.codec_context.name == "mpeg4"
        time_base = self._clock.time_base if self._clock else DEFAULT_CLOCK
        if keeps_rate:
            time_base = 1 / rate if suffix == ".avi" else Fraction(1, 60_000)
        stream.time_base = stream.codec_context.time_base = time_base
        self._offset_s = self._clock.offset_s if self._clock else -first.time_s
        self._key_frame_s = -2 * _KEY_FRAME_EVERY_S + first.time_s + self._offset_s
        left_out = self._clock.copy_into(container) if self._clock else []
        if left_out:
            _LOGGER.warning(
                "%s: %s cannot hold sound of %s, which is left out: end the name in .mkv",
                self._path, suffix, ", ".join(left_out),
            )  # fmt: skip

    def _timed_picture(self, frame: Frame, painted: Image) -> av.VideoFrame:
        assert self._stream is not None
        assert self._size is not None
        time_base = self._stream.codec_context.time_base
        assert time_base is not None
        fitted = _fitted(painted, self._size)
        planes = np.asarray(cv2.cvtColor(fitted, cv2.COLOR_RGB2YUV_I420), np.uint8)
        picture = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")
        time_s = frame.time_s + self._offset_s
        self._last_tick = max(round(time_s / time_base), self._last_tick + 1)
        picture.pts, picture.time_base = self._last_tick, time_base
        if time_s - self._key_frame_s >= _KEY_FRAME_EVERY_S:
            picture.pict_type, self._key_frame_s = PictureType.I, time_s
        return picture

    def _put(self, picture: av.VideoFrame | None, time_s: float) -> None:
        """Encode and write a picture, None for the last, and the sound up to its time."""
        assert self._stream is not None
        assert self._container is not None
        if self._clock:
            for packet in self._clock.packets_until(time_s):
                self._container.mux(packet)
        self._container.mux(self._stream.encode(picture))
        self._file.flush()

    def _failure(self, error: av.FFmpegError) -> SinkError:
        size = f" at {self._size[0]}x{self._size[1]}" if self._size else ""
        return SinkError(f"{self._path}: cannot be encoded{size} ({error.strerror})")

    def close(self) -> None:
        """Finish the file so that it plays, and see that it is there."""
        try:
            if self._container is not None:
                self._finish(self._container)
        finally:
            self._container = None
            if self._clock:
                self._clock.close()
            self._file.close()

    def _finish(self, container: OutputContainer) -> None:
        assert self._stream is not None
        try:
            if not self._file.has_failed:
                self._put(None, self._last_s)
        except av.FFmpegError as error:
            raise self._failure(error) from error
        finally:
            self._close(container)

    def _close(self, container: OutputContainer) -> None:
        try:
            container.close()
        except av.FFmpegError as error:
            # After an error of the file, closing frees memory alone: nothing more reaches it.
            if not self._file.has_failed:
                raise self._failure(error) from error


def _clock_of(source: SoundOf | None) -> SourceClock | None:
    if source is None:
        return None
    try:
        return SourceClock(source.path, source.stream)
    except av.FFmpegError:  # read by other means than FFmpeg: no sound is known of it
        return None


def _encoder(
    container: OutputContainer, rate: Fraction, encoding: Encoding, path: Path
) -> av.VideoStream:
    if encoding.codec == "h264":
        options = {"preset": "ultrafast", "tune": "zerolatency", "crf": str(encoding.quality)}
        try:
            stream = container.add_stream(_H264, rate, options=options)
        except (av.codec.codec.UnknownCodecError, ValueError):
            _LOGGER.warning("%s: no encoder of H.264 is there: MPEG-4 is written instead", path)
        else:
            assert isinstance(stream, av.VideoStream)
            return stream
    share = (encoding.quality - BEST_QUALITY) / (WORST_QUALITY - BEST_QUALITY)
    quantizer = str(1 + round(share * (_QUANTIZERS - 1)))
    stream = container.add_stream("mpeg4", rate, options={"qmin": quantizer, "qmax": quantizer})
    assert isinstance(stream, av.VideoStream)
    return stream


def _encodable(image: Image) -> tuple[int, int]:
    """The picture's own size within what codecs store: even sides from 16 to 4096."""
    height, width = image.shape[:2]
    shrink = min(_LONGEST_SIDE / max(width, height), 1.0)
    return max(int(width * shrink) // 2 * 2, 16), max(int(height * shrink) // 2 * 2, 16)


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """Scaled into the size with its shape kept, black around it; untouched where it fits."""
    width, height = size
    if image.shape[0] - height in (0, 1) and image.shape[1] - width in (0, 1):
        return image[:height, :width]
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        image, inner, interpolation=cv2.INTER_AREA
    )
    return canvas
