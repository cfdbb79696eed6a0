"""The sound of a video, copied packet by packet without being decoded."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer

from .stream_times import clock_zero_s

_FAR_S = 10.0
"""A clock that starts later than this is set back, or players would show nothing until then."""
_FINEST_CLOCK = 1_000_000
_COARSEST_CLOCK = 10
DEFAULT_CLOCK = Fraction(1, 90_000)


class SourceClock:
    """What an overlay takes from the file it shows: the clock of its pictures and its sound.

    Args:
        path: Of the video.
        stream: Of several picture streams the one that is shown; None is the usual one.

    Raises:
        av.FFmpegError: If it cannot be opened.
    """

    def __init__(self, path: Path, stream: int | None = None) -> None:
        # A scheme keeps a colon in a name from being read as one.
        self._input: InputContainer = av.open(f"file:{path}", metadata_errors="ignore")
        shown = self._input.streams.video
        pictures = self._input.streams.best("video") if stream is None else shown[stream]
        base = (pictures.time_base if pictures else None) or DEFAULT_CLOCK
        is_usable = base.numerator == 1 and _COARSEST_CLOCK <= base.denominator <= _FINEST_CLOCK
        self.time_base = base if is_usable else DEFAULT_CLOCK
        """Seconds of a tick."""
        zero_s = clock_zero_s(self._input)
        start_s = (self._input.start_time or 0) / av.time_base - zero_s
        self.offset_s = -start_s if start_s > _FAR_S else 0.0
        """What to add to the times of frames."""
        self._set_back_s = zero_s - self.offset_s
        """What to take from those of the sound."""
        self._packets: Iterator[av.Packet] = iter(())
        self._next: av.Packet | None = None
        self._copies: dict[int, av.AudioStream] = {}

    def copy_into(self, output: OutputContainer) -> list[str]:
        """Add the sound's streams to the output; the names of codecs it cannot hold."""
        left_out = []
        for stream in self._input.streams.audio:
            name = stream.codec_context.name if stream.codec_context else "unknown"
            if name in output.supported_codecs:
                self._copies[stream.index] = output.add_stream_from_template(stream, opaque=True)
            else:
                left_out.append(name)
        if self._copies:
            wanted = [s for s in self._input.streams.audio if s.index in self._copies]
            self._packets = self._input.demux(wanted)
            self._next = self._following()
        return left_out

    def packets_until(self, time_s: float) -> Iterator[av.Packet]:
        """Sound up to a time of the output, and one packet beyond, ready to be written."""
        while (packet := self._next) is not None:
            self._next = self._following()
            tick = packet.time_base
            begins_s = float((packet.dts or 0) * tick) - self._set_back_s
            shift = round(self._set_back_s / tick)
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.stream = self._copies[packet.stream_index]
            yield packet
            if begins_s > time_s:
                return

    def _following(self) -> av.Packet | None:
        with suppress(av.FFmpegError):  # damaged or cut off: the sound ends there
            for packet in self._packets:
                if packet.dts is not None and packet.size:
                    return packet
        return None

    def close(self) -> None:
        """Close the file."""
        self._input.close()
