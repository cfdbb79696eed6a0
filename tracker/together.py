"""Several videos, one after the other or some at the same time, each in a thread of its own."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event

from rich.console import Console

from .errors import FaceTrackError
from .terminal import RunSummary, Watch, interruption
from .terminal_several import SeveralSummary, SeveralVideos, progress_of_several

Track = Callable[[Path, Watch], RunSummary]
"""Tracks one video; called in any thread."""
_GLANCE_S = 0.1
"""Ctrl-C comes through between two waits of this length, on Windows too."""


def track_several(
    videos: list[Path], track: Track, together: int, console: Console
) -> SeveralSummary:
    """Track all videos; one that fails is named and does not stop the others, Ctrl-C does.

    Args:
        videos: Started in this order.
        track: Raises FaceTrackError or OSError where a video fails; anything else ends all.
        together: So many at the same time.
        console: Where progress is shown.
    """
    summary, started = SeveralSummary(len(videos)), time.perf_counter()
    abandoned = Event()
    with (
        interruption() as interrupted,
        progress_of_several(len(videos), interrupted, abandoned, console) as shown,
        ThreadPoolExecutor(together) as threads,
    ):
        runs = {
            threads.submit(_attempt, track, video, shown, interrupted): video for video in videos
        }
        try:
            for run in _as_they_end(set(runs), interrupted):
                _note(runs[run], run, summary, shown)
        except BaseException:
            interrupted.set()
            abandoned.set()
            threads.shutdown(cancel_futures=True)
            raise
    summary.interrupted = interrupted.is_set()
    summary.seconds = time.perf_counter() - started
    return summary


def _attempt(
    track: Track, video: Path, shown: SeveralVideos, interrupted: Event
) -> RunSummary | None:
    """None where it was not begun any more."""
    return None if interrupted.is_set() else track(video, shown.watch)


def _as_they_end(
    runs: set[Future[RunSummary | None]], interrupted: Event
) -> Iterator[Future[RunSummary | None]]:
    """Those that were begun; after an interruption no more are."""
    while runs:
        ended, runs = wait(runs, _GLANCE_S, FIRST_COMPLETED)
        if interrupted.is_set():
            runs = {run for run in runs if not run.cancel()}
        yield from ended


def _note(
    video: Path, run: Future[RunSummary | None], summary: SeveralSummary, shown: SeveralVideos
) -> None:
    """Add one run to the summary, and say how it went."""
    try:
        done = run.result()
    except (FaceTrackError, OSError) as error:
        summary.failed += 1
        shown.fail(str(error) if str(video) in str(error) else f"{video}: {error}")
        return
    if done:
        summary.add(done)
        shown.end(done)
