"""Several videos, one after the other or some at the same time, each in a thread of its own."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol

from ..errors import FaceTrackError
from .summary import RunSummary, SeveralSummary, StopRequest

TrackVideo = Callable[[Path], RunSummary]
"""Tracks one video; called in any thread."""
_POLL_INTERVAL_S = 0.1
"""Ctrl-C comes through between two waits of this length, on Windows too."""


class Report(Protocol):
    """Receives how each video ended; always in the thread of `track_several`."""

    def end(self, video: Path, run: RunSummary) -> None:
        """One more video came to its end."""

    def fail(self, video: Path, error: str) -> None:
        """One more video ended by an error, whose message names it."""


def track_several(
    videos: list[Path], track: TrackVideo, workers: int, report: Report, request: StopRequest
) -> SeveralSummary:
    """Track all videos; one that fails is named and does not stop the others, a request does.

    Args:
        videos: Started in this order.
        track: Raises where a video fails.
        workers: So many at the same time.
        report: Shows how they end.
        request: Ends all of them; both its events are set when anything else is raised.
    """
    summary, started = SeveralSummary(len(videos)), time.perf_counter()
    with ThreadPoolExecutor(workers) as threads:
        runs = {threads.submit(_attempt, track, video, request): video for video in videos}
        try:
            for run in _as_they_end(set(runs), request):
                _note(runs[run], run, summary, report)
        except BaseException:
            request.stop.set()
            request.abort.set()
            threads.shutdown(cancel_futures=True)
            raise
    summary.interrupted = request.stop.is_set()
    summary.seconds = time.perf_counter() - started
    return summary


def _attempt(track: TrackVideo, video: Path, request: StopRequest) -> RunSummary | None:
    """None where it was not begun any more."""
    return None if request.stop.is_set() else track(video)


def _as_they_end(
    runs: set[Future[RunSummary | None]], request: StopRequest
) -> Iterator[Future[RunSummary | None]]:
    """Those that were begun; after a request to stop no more are."""
    while runs:
        ended, runs = wait(runs, _POLL_INTERVAL_S, FIRST_COMPLETED)
        if request.stop.is_set():
            runs = {run for run in runs if not run.cancel()}
        yield from ended


def _note(
    video: Path, run: Future[RunSummary | None], summary: SeveralSummary, report: Report
) -> None:
    """Add one run to the summary, and report how it went."""
    error = run.exception()
    if error is None:
        done = run.result()
        if done:
            summary.add(done)
            report.end(video, done)
        return
    if not isinstance(error, Exception):  # of the interpreter's own end
        raise error
    summary.failed += 1
    message = str(error)
    if not isinstance(error, FaceTrackError | OSError):  # unforeseen: the others may still go well
        message = f"{type(error).__name__}: {message}"
    report.fail(video, message if str(video) in message else f"{video}: {message}")
