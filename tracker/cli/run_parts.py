"""What one source and several videos share: opened outputs, and the run from start to end."""

import argparse
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from ..io.sinks import Sink
from ..io.sources import Source
from ..io.video_reader import Video
from ..io.video_writer import SoundOf
from ..run.loop import run, run_offline
from ..run.summary import RunSummary, StopRequest, Watch
from ..run.timed_tracker import TimedTracker

SinkKind = TypeVar("SinkKind", bound=Sink)


def go_on(request: StopRequest) -> None:
    """Raises KeyboardInterrupt where the run is to end before it began."""
    if request.stop.is_set():
        raise KeyboardInterrupt


def run_frames(
    source: Source,
    ahead: Source | None,
    timed: TimedTracker,
    sinks: list[Sink],
    watch: Watch,
    request: StopRequest,
) -> RunSummary:
    """As frames come; or smoothed, with a second reader of the source ahead."""
    if ahead is None:
        return run(source, timed, sinks, watch, request)
    with ahead:
        return run_offline(source, ahead, timed, sinks, watch, request)


def sound_of(source: Source, origin: Path | None, arguments: argparse.Namespace) -> SoundOf | None:
    """What an overlay takes its sound and its clock from."""
    if origin is None or not isinstance(source, Video):
        return None
    return SoundOf(origin, arguments.stream)


def closed_later(opened: ExitStack, sinks: Iterable[SinkKind]) -> list[SinkKind]:
    """The sinks; what was open before the next fails to open is closed, too."""
    kept = []
    for sink in sinks:
        opened.callback(sink.close)
        kept.append(sink)
    return kept
