"""Several runs at the same time: who fails, who goes on, who is not begun."""

import os
import signal
import threading
from contextlib import nullcontext
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from test_progress import COLUMNS, Film

from tracker.cli.interruption import signals_stop
from tracker.cli.progress_of_several import progress_of_several
from tracker.errors import SourceError
from tracker.run.several_videos import track_several
from tracker.run.summary import RunSummary, SeveralSummary, StopRequest
from tracker.tracker_config import Tally

TIMEOUT_S = 10.0
"""Nothing waits this long unless it is broken."""
VIDEOS = [Path(f"{name}.mp4") for name in "abcde"]


class Runs:
    """Stands in for tracking; notes what was begun and how many ran at once."""

    def __init__(self) -> None:
        self.request = StopRequest()
        self.begun: list[Path] = []
        self.most, self._now = 0, 0
        self._changed = threading.Condition()

    def __call__(self, video: Path) -> RunSummary:
        with self._changed:
            self.begun.append(video)
            self._now += 1
            self.most = max(self.most, self._now)
            self._changed.notify_all()
        try:
            return self.run(video)
        finally:
            with self._changed:
                self._now -= 1

    def run(self, video: Path) -> RunSummary:
        summary = RunSummary(video.name, Tally(frames=3, ids=1), seconds=1.0)
        summary.interrupted = self.request.stop.is_set()
        return summary

    def wait_until_begun(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.begun) >= count, TIMEOUT_S)


def tracked(runs: Runs, *, with_ctrl_c: bool = False) -> tuple[SeveralSummary, str]:
    console = Console(file=StringIO(), width=COLUMNS)
    requests = signals_stop() if with_ctrl_c else nullcontext(StopRequest())
    with requests as runs.request, progress_of_several(VIDEOS, console) as shown:
        summary = track_several(VIDEOS, runs, 2, shown, runs.request)
    return summary, console.file.getvalue()


def test_so_many_run_at_once_and_each_is_reported() -> None:
    class Meeting(Runs):
        def run(self, video: Path) -> RunSummary:
            self.wait_until_begun(2)
            return super().run(video)

    runs = Meeting()
    summary, printed = tracked(runs)
    assert runs.most == 2
    assert runs.begun == VIDEOS
    assert (summary.done, summary.failed, summary.frames, summary.faces) == (5, 0, 15, 5)
    assert not summary.interrupted
    for video in VIDEOS:
        assert f"{video.name}: 3 frames, 3.0 fps, faces by id: 1" in printed


@pytest.mark.parametrize(
    ("error", "says"),
    [
        pytest.param(SourceError("b.mp4: is empty"), "error: b.mp4: is empty\n", id="source"),
        pytest.param(OSError("disk full"), "error: b.mp4: disk full\n", id="nameless"),
        pytest.param(
            ZeroDivisionError("by zero"),
            "error: b.mp4: ZeroDivisionError: by zero\n",
            id="unforeseen",
        ),
    ],
)
def test_one_that_fails_is_named_and_the_others_go_on(
    error: Exception, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(Runs):
        def run(self, video: Path) -> RunSummary:
            if video.stem == "b":
                raise error
            return super().run(video)

    summary, _ = tracked(Failing())
    assert (summary.done, summary.failed, summary.videos) == (4, 1, 5)
    assert capsys.readouterr().err == says


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process")
def test_after_ctrl_c_what_runs_comes_to_its_end_and_no_more_is_begun() -> None:
    class Interrupted(Runs):
        def run(self, video: Path) -> RunSummary:
            self.wait_until_begun(2)
            if video.stem == "a":
                os.kill(os.getpid(), signal.SIGINT)
            assert self.request.stop.wait(TIMEOUT_S)
            return super().run(video)

    runs, before = Interrupted(), signal.getsignal(signal.SIGINT)
    summary, printed = tracked(runs, with_ctrl_c=True)
    assert sorted(runs.begun) == VIDEOS[:2]
    assert summary.interrupted
    assert (summary.done, summary.failed, summary.frames) == (0, 0, 6)
    assert "a.mp4: interrupted after 3 frames" in printed
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a process")
def test_a_second_ctrl_c_ends_even_what_still_writes() -> None:
    class Writing(Runs):
        def run(self, video: Path) -> RunSummary:
            if video.stem == "a":
                os.kill(os.getpid(), signal.SIGINT)
                assert self.request.stop.wait(TIMEOUT_S)
                assert not self.request.abort.is_set()
                os.kill(os.getpid(), signal.SIGINT)
            assert self.request.abort.wait(TIMEOUT_S)
            return RunSummary("", Tally())

    with pytest.raises(KeyboardInterrupt):
        tracked(Writing(), with_ctrl_c=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal to a process")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_stop_as_ctrl_c_does(number: int) -> None:
    before = signal.getsignal(number)
    with signals_stop() as request:
        os.kill(os.getpid(), number)
        assert request.stop.wait(TIMEOUT_S)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_stop() as request:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not request.stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_is_left_alone_outside_the_main_thread() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def enter() -> None:
        with signals_stop() as request:
            seen.append((request.stop.is_set(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join(TIMEOUT_S)
    assert seen == [(False, before)]


def test_there_is_a_line_for_all_and_one_for_each_in_80_columns() -> None:
    console = Console(
        file=StringIO(), force_terminal=True, width=COLUMNS, height=20, color_system=None
    )
    film, other = Film(12_000, is_live=False), Film(None, is_live=False)
    summary = RunSummary(film.name, Tally())
    with (
        progress_of_several(VIDEOS, console) as shown,
        shown.watch(film, summary) as frame_done,
        shown.watch(other, summary) as frame_of_other_done,
    ):
        for _ in range(100):
            frame_done(2)
            frame_of_other_done(0)
        shown.end(VIDEOS[0], summary)
        shown._bar.refresh()
    lines = console.file.getvalue().splitlines()
    for parts in (
        ("all videos", "1/5", "fps"),
        ("a_film", "100/12000", "fps", "2 faces"),
        ("a_film", "100/?", "fps", "0 faces"),
    ):
        assert any(all(part in line for part in parts) for line in lines), parts
