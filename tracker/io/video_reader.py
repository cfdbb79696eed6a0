"""Video files and streams, by FFmpeg: frames upright, at the file's own times."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Self

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import SourceError
from ..types import Frame, Image
from .decoding import Decoding
from .deinterlacing import deinterlaced
from .read_losses import Losses
from .reading import Reading, too_large
from .stream_times import FrameTimes, clock_zero_s
from .upright import UprightPictures

_FASTEST = 1000.0
"""Frames per second from which a container states its clock, not its rate."""
_USUAL_RATE = 30.0
_SLACK_FRAMES = 2.5
"""A file is cut off if it ends by more before what it announces."""
OpenContainer = Callable[[], InputContainer]


class Video:
    """A video that FFmpeg decodes.

    Args:
        name: For the user.
        open_container: Opens it, anew each time.
        reading: Which stream, and how large its frames may be.
        is_live: It waits for nobody, and has no end.
        rewinds: Can be opened again.
        advice: Ends the message where nothing can be decoded.

    Raises:
        SourceError: If no frame can be decoded, or frames are too large.
    """

    holds_stills = False

    def __init__(
        self,
        name: str,
        open_container: OpenContainer,
        reading: Reading,
        *,
        is_live: bool = False,
        rewinds: bool = True,
        advice: str = "check the address",
    ) -> None:
        self.name, self.is_live, self.losses = name, is_live, Losses()
        self._open, self._how, self._rewinds = open_container, reading, rewinds and not is_live
        self._advice, self._reading = advice, threading.Lock()
        self._container: InputContainer | None = None
        self._frames = self._begun()
        try:
            self._first = next(self._frames, None)
        except BaseException:
            self.close()
            raise
        if self._first is None:
            self.close()
            raise SourceError(f"{name}: no frame can be decoded: {self._advice}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file or connection."""
        # One that hangs in a read cannot be closed: it goes with the process.
        if self._reading.acquire(blocking=False):
            self._frames.close()
            if self._container is not None:
                self._container.close()
            self._reading.release()

    def __iter__(self) -> Iterator[Frame]:
        """From the first frame on, every time.

        Raises:
            SourceError: If it was read before and cannot be opened again.
        """
        if self._first is None:
            if not self._rewinds:
                raise SourceError(f"{self.name}: can be read only once")
            self.close()
            self.losses = Losses()
            self._frames = self._begun()
            self._first = self._next()
        while self._first is not None:
            frame, self._first = self._first, None
            yield frame
            del frame  # or it would live until the next is read
            self._first = self._next()

    def _next(self) -> Frame | None:
        with self._reading:
            return next(self._frames, None)

    def _begun(self) -> Generator[Frame]:
        """Open the container, and read it to its end."""
        self._container = container = self._opened()
        stream = picture_stream(container, self.name, self._how)
        self._check_size(stream.width, stream.height)
        if not stream.width:  # so are the sizes of pictures that the decoder refuses
            self._advice += (
                f"; beyond {self._how.max_megapixels:g} megapixels --max-megapixels helps"
            )
        rate = stream.average_rate or stream.guessed_rate or 0
        self.frame_rate = float(rate) if 0 < rate < _FASTEST else _USUAL_RATE
        self.frame_count = None if self.is_live else _announced(container, stream, self.frame_rate)
        # On a live stream a frame must not wait for the next ones to be decoded.
        stream.thread_type = "SLICE" if self.is_live else "AUTO"
        decoding = Decoding(container, stream, self.losses, self._how.most_pixels)
        times = FrameTimes(1 / self.frame_rate, clock_zero_s(container))
        pictures, aspect = UprightPictures(), float(stream.sample_aspect_ratio or 1) or 1.0
        for index, shown in enumerate(deinterlaced(self._whole(decoding), stream)):
            stamp = None if shown.pts is None or not shown.time_base else shown.time
            pixel_aspect = pictures.pixel_aspect(shown, aspect)
            picture = self._picture(pictures, shown)
            yield Frame(index, times.time_of(stamp), picture, pixel_aspect=pixel_aspect)
            del picture  # or it would live until the next is read
        self._sum_up(decoding, container, stream)

    def _picture(self, pictures: UprightPictures, frame: VideoFrame) -> Image:
        try:
            return pictures.picture(frame)
        except av.FFmpegError as error:
            raise SourceError(
                f"{self.name}: pictures of the format {frame.format.name} cannot be converted "
                f"({error.strerror}): convert it with ffmpeg"
            ) from error

    def _opened(self) -> InputContainer:
        try:
            return self._open()
        except av.FFmpegError as error:
            raise SourceError(
                f"{self.name}: no frame can be decoded ({error.strerror}): {self._advice}"
            ) from error
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.name}: cannot be opened ({error})") from error

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._how.most_pixels:
            raise SourceError(too_large(self.name, width, height, self._how))

    def _whole(self, decoding: Decoding) -> Iterator[VideoFrame]:
        """All frames, the last ones too if they are lost when a decoder with threads is emptied."""
        yield from decoding.frames()
        if not self._rewinds or decoding.last_sent <= decoding.last_given:
            return
        with suppress(av.FFmpegError), self._open() as again:
            stream = again.streams[decoding.stream.index]
            assert isinstance(stream, VideoStream)
            stream.codec_context.thread_count = 1
            again.seek(max(decoding.last_given, 0), stream=stream)
            after, lost = decoding.last_given, Losses()
            for frame in Decoding(again, stream, lost, self._how.most_pixels).frames():
                if frame.pts is not None and frame.pts > after:
                    self.losses.frames += 1
                    self.losses.marred += frame.is_corrupt
                    yield frame

    def _sum_up(self, decoding: Decoding, container: InputContainer, stream: VideoStream) -> None:
        """See what of the video is missing."""
        decoding.count_losses()
        self.losses.broke_off = decoding.has_failed and "://" in container.name
        announced_s = _announced_end_s(container, stream)
        if announced_s is None or decoding.end_s >= announced_s - _SLACK_FRAMES / self.frame_rate:
            return
        share = announced_s / max(decoding.end_s, 1 / self.frame_rate)
        estimate = stream.frames or round(share * self.losses.frames)
        self.losses.announced = max(estimate, self.losses.frames + 1)
        self.losses.passed_over = 0  # they are among those that are missing


class NoDecoderError(SourceError):
    """FFmpeg knows the file, but cannot decode its pictures."""


def picture_stream(container: InputContainer, name: str, reading: Reading) -> VideoStream:
    """The stream that is read.

    Args:
        container: Open.
        name: For the user.
        reading: Says which.

    Raises:
        SourceError: If it is not there, or cannot be decoded.
    """
    streams, wanted = container.streams.video, reading.stream
    if wanted is not None and wanted >= len(streams):
        raise SourceError(
            f"{name}: has {len(streams)} picture streams, counted from 0: there is no "
            f"stream {wanted}"
        )
    stream = streams[wanted] if wanted is not None else container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise SourceError(f"{name}: no frame can be decoded: it has no pictures")
    if stream.codec_context is None:
        raise NoDecoderError(f"{name}: no decoder of its pictures is there: convert it")
    return stream


def _announced(container: InputContainer, stream: VideoStream, rate: float) -> int | None:
    """Frames, by what the container states."""
    if stream.frames:
        return stream.frames
    duration_s = _duration_s(container, stream)
    return round(duration_s * rate) or None if duration_s else None


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _announced_end_s(container: InputContainer, stream: VideoStream) -> float | None:
    """By the file's clock."""
    if stream.duration and stream.time_base:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    if container.duration:
        return ((container.start_time or 0) + container.duration) / av.time_base
    return None
