"""From the packets of a container to the frames of one of its streams, whatever is damaged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from .lost_frames import LostFrames
from .read_losses import Losses

_DEAD_AFTER = 20
"""Errors of a container in a row, after which it is over."""
_HIDE_FRAMES = ("vp8", "vp9", "av1", "libdav1d", "mpeg4", "theora", "gif")
"""Codecs whose packets do not all give a frame."""


_UNKNOWN = -(2**62)
"""Before all stamps."""


@dataclass(slots=True)
class Decoding:
    """Decodes one stream from its beginning to its end.

    Args:
        container: Open.
        stream: One of its.
        losses: Where what is damaged is counted.
        most_pixels: Frames of more are passed over.
    """

    container: InputContainer
    stream: VideoStream
    losses: Losses
    most_pixels: int
    end_s: float = field(default=0.0, init=False)
    """Where the last packet of any stream ends, by the file's clock."""
    has_failed: bool = field(default=False, init=False)
    """Reading ended with an error, not with the end."""
    last_sent: int = field(default=_UNKNOWN, init=False)
    """The latest stamp that a packet has, and that a frame has."""
    last_given: int = field(default=_UNKNOWN, init=False)
    _sent: int = field(default=0, init=False)
    _errors: int = field(default=0, init=False)
    _lost: LostFrames = field(init=False)

    def __post_init__(self) -> None:
        base, rate = self.stream.time_base, self.stream.average_rate
        is_matroska = "matroska" in self.container.format.name
        self._lost = LostFrames(base or Fraction(1), rate if base else None, is_matroska)

    def frames(self) -> Iterator[VideoFrame]:
        """All that can be decoded, in the order in which they are shown."""
        for packet in self._packets():
            if packet.stream.index != self.stream.index:
                continue
            if packet.size and not packet.is_discard:
                self._sent += 1
                self.last_sent = max(self.last_sent, _known(packet.pts))
            for frame in self._decoded(packet):
                if frame.width * frame.height > self.most_pixels:
                    self._errors += 1
                    continue
                self._lost.see_frame(frame.pts)
                self.last_given = max(self.last_given, _known(frame.pts))
                self.losses.frames += 1
                if frame.is_corrupt:
                    self.losses.marred += 1
                    self._lost.see_damage()
                yield frame

    def count_losses(self) -> None:
        """See how many frames are missing; once all are read."""
        missing = max(self._errors, self._lost.count)
        if (missing or self.losses.marred) and self.stream.codec_context.name not in _HIDE_FRAMES:
            missing = max(missing, self._sent - self.losses.frames)
        self.losses.passed_over = missing

    def _packets(self) -> Iterator[Packet]:
        """Of all streams, past what is damaged."""
        errors = 0
        while errors < _DEAD_AFTER:
            try:
                for packet in self.container.demux():
                    errors = 0
                    self._note_end(packet)
                    self._lost.see_packet(packet)
                    yield packet
            except (av.ExitError, ConnectionError, TimeoutError):
                break
            except av.FFmpegError:
                errors += 1
                self._lost.see_damage()
            else:
                return
        self.has_failed = True
        flush = Packet()
        flush.stream = self.stream
        yield flush

    def _note_end(self, packet: Packet) -> None:
        if packet.size and packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self.end_s = max(self.end_s, float(end))

    def _decoded(self, packet: Packet) -> list[VideoFrame]:
        try:
            return self.stream.decode(packet)
        except av.BlockingIOError:  # stuck after an earlier error
            self.stream.codec_context.flush_buffers()
        except av.EOFError:  # flushed before
            return []
        except (av.FFmpegError, MemoryError):
            pass
        self._errors += 1
        self._lost.see_damage()
        return []


def _known(stamp: int | None) -> int:
    return _UNKNOWN if stamp is None else stamp
