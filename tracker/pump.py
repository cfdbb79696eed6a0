"""Frames out of a source, through a tracker, into sinks: one run from its first frame to its last.

Reading and writing overlap with tracking.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Self

from .errors import SinkError
from .latency import Latency
from .offline import Remember, Replay, smoothed_faces
from .pipeline import FaceTracker
from .sinks import Sink, WindowClosed, WindowSink
from .sources import Source, open_source
from .stages import ReadAhead, WriteBehind
from .terminal import RunSummary, Watch, Watched
from .types import Frame, TrackedFace

READ_AHEAD, WRITE_BEHIND = 2, 4
"""Frames that wait before and after the tracker; before it one of a camera, the freshest."""


def pump(
    source: Source, tracker: FaceTracker | Replay, sinks: list[Sink], watch: Watch
) -> RunSummary:
    """Every frame of the source through the tracker into every sink, until the end or Ctrl-C.

    Windows stay in this thread: OpenCV wants the main one.
    """
    summary, started = RunSummary(source.name, tracker.tally), time.perf_counter()
    windows = [sink for sink in sinks if isinstance(sink, WindowSink)]
    files = [sink for sink in sinks if sink not in windows]
    room = 1 if source.is_live else READ_AHEAD
    with (
        watch(source, summary) as (advance, interrupted, _),
        WriteBehind(partial(_write, files), WRITE_BEHIND) as writer,
        ReadAhead(source, room, drop_oldest=source.is_live, stopped=interrupted) as frames,
        suppress(WindowClosed),
    ):
        for frame in frames:
            faces = tracker.step(frame, is_still=source.holds_stills)
            summary.latency.add(time.monotonic() - frame.arrived_s)
            _write(windows, (frame, faces))
            writer.put((frame, faces))
            summary.dropped = frames.dropped if source.is_live else None
            advance(len(faces))
    summary.interrupted = interrupted.is_set() and not source.is_live  # Ctrl-C ends a camera
    summary.seconds = time.perf_counter() - started
    summary.read_seconds, summary.output_seconds = frames.seconds, writer.seconds
    return summary


def _write(sinks: Iterable[Sink], result: tuple[Frame, list[TrackedFace]]) -> None:
    frame, faces = result
    try:
        for sink in sinks:
            sink.write(frame, faces)
    except OSError as error:
        raise SinkError(
            f"frame {frame.index}: an output cannot be written any more ({error}): "
            "what was written before is kept; free some space"
        ) from error


def pump_offline(
    name: str, source: Source, tracker: FaceTracker, sinks: list[Sink], watch: Watch
) -> RunSummary:
    """Track the file once, smooth, and read it again to write the outputs.

    Where tracking is interrupted, what was tracked so far is smoothed and written.
    """
    remember = Remember()
    summary = pump(source, tracker, [remember], watch)
    faces = smoothed_faces(remember.times_s, remember.faces, tracker.layout, tracker.motion)
    with _Beginning(open_source(name), len(faces)) as again:
        second = pump(again, Replay(faces, tracker.tally), sinks, _not_ended_yet(watch))
    summary.seconds += second.seconds
    summary.read_seconds += second.read_seconds
    summary.output_seconds = second.output_seconds
    summary.latency = Latency()  # no result is there before the whole file is read
    summary.interrupted |= second.interrupted
    return summary


class _Beginning:
    """The first frames of a file."""

    is_live = holds_stills = False

    def __init__(self, source: Source, frames: int) -> None:
        self._source, self._frames = source, frames
        self.name, self.frame_rate = source.name, source.frame_rate
        self.frame_count: int | None = frames

    def __iter__(self) -> Iterator[Frame]:
        return islice(self._source, self._frames)

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.__exit__(kind, error, trace)


def _not_ended_yet(watch: Watch) -> Watch:
    """The same, but what was interrupted before does not end this run too."""

    @contextmanager
    def watch_on(source: Source, summary: RunSummary) -> Iterator[Watched]:
        with watch(source, summary) as (advance, interrupted, abandoned):
            ends = abandoned if interrupted.is_set() else interrupted
            yield Watched(advance, ends, abandoned)

    return watch_on
