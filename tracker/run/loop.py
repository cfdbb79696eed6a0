"""Frames out of a source, through a tracker, into sinks: one run from its first frame to its last.

Reading and writing overlap with tracking.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Protocol

from ..errors import SinkError
from ..io.sinks import Sink
from ..io.sources import Source
from ..io.window import WindowClosed, WindowSink
from ..streams.stream_sink import StreamSink
from ..tracker_config import Tally
from ..types import Face, Frame
from .offline import LookAhead, NothingFollows
from .queues import ReadAhead, WriteBehind
from .result_age import ResultAges
from .summary import RunSummary, StopRequest, Watch
from .timed_tracker import TimedTracker

READ_AHEAD, WRITE_BEHIND = 2, 4
"""Frames that wait before and after the tracker; before it one of a camera, the freshest."""


class Follower(Protocol):
    """What follows the faces of a source."""

    @property
    def tally(self) -> Tally: ...

    @property
    def seconds(self) -> dict[str, float]:
        """Spent in each stage so far."""

    def take(self, frame: Frame) -> list[Face]:
        """The faces of the next frame."""


def run(
    source: Source, follower: Follower, sinks: list[Sink], watch: Watch, request: StopRequest
) -> RunSummary:
    """Every frame of the source through the tracker into every sink, until the end or a request.

    Windows stay in this thread: OpenCV wants the main one. Streams have a thread each, and get
    faces before files do.

    Args:
        source: Open.
        follower: A `TimedTracker`.
        sinks: Open.
        watch: Shows how it goes.
        request: Ends the run between two frames.

    Raises:
        SourceError: If the source fails.
        SinkError: If an output cannot be written any more.
    """
    summary, started = RunSummary(source.name, follower.tally), time.perf_counter()
    streams = [sink for sink in sinks if isinstance(sink, StreamSink)]
    summary.packets = {stream.name: stream.ages for stream in streams}
    prompt: list[Sink] = [*streams]
    prompt += [sink for sink in sinks if isinstance(sink, WindowSink)]
    files = [sink for sink in sinks if sink not in prompt]
    room = 1 if source.is_live else READ_AHEAD
    with (
        watch(source, summary) as frame_done,
        WriteBehind(partial(_write, files), WRITE_BEHIND) as writer,
        ReadAhead(source, room, drop_oldest=source.is_live, stopped=request.stop) as frames,
        suppress(WindowClosed, NothingFollows),
    ):
        for frame in frames:
            faces = follower.take(frame)
            summary.ages.add(time.monotonic() - frame.arrived_s)
            _write(prompt, (frame, faces))
            writer.put((frame, faces))
            summary.dropped = frames.dropped if source.is_live else None
            frame_done(len(faces))
    summary.interrupted = request.stop.is_set() and not source.is_live  # which ends no other way
    summary.seconds = time.perf_counter() - started
    summary.losses = source.losses
    summary.stage_seconds = dict(follower.seconds)
    summary.read_seconds, summary.output_seconds = frames.seconds, writer.seconds
    return summary


def _write(sinks: Iterable[Sink], result: tuple[Frame, list[Face]]) -> None:
    frame, faces = result
    try:
        for sink in sinks:
            sink.write(frame, faces)
    except OSError as error:
        raise SinkError(
            f"frame {frame.index}: an output cannot be written any more ({error}): "
            "what was written before is kept; free some space"
        ) from error


def run_offline(
    source: Source,
    ahead: Source,
    timed: TimedTracker,
    sinks: list[Sink],
    watch: Watch,
    request: StopRequest,
) -> RunSummary:
    """Track a video file some seconds ahead of the outputs, and smooth with what follows.

    Where tracking is interrupted, what was tracked so far is smoothed and written.

    Args:
        source: For the outputs.
        ahead: The same file once more, for the tracker.
        timed: Not used before.
        sinks: As in `run`.
        watch: As in `run`.
        request: As in `run`; it stops the tracker first.
    """
    with ReadAhead(ahead, READ_AHEAD, stopped=request.stop) as frames:
        follower = LookAhead(iter(frames), timed)
        summary = run(source, follower, sinks, watch, StopRequest(request.abort))
        summary.read_seconds += frames.seconds
    summary.ages = ResultAges()  # results are late by intention
    summary.interrupted |= request.stop.is_set()
    return summary
