"""Frames through threads: what comes out is what a plain loop writes, in bounded memory."""

import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from fakes import BlobDetector, BlobLandmarker, blob_frame, write_video
from rich.console import Console

from tracker.cli.progress import watch_on
from tracker.errors import SinkError, SourceError
from tracker.io.comparison import SideBySide
from tracker.io.read_losses import Losses
from tracker.io.sinks import Sink
from tracker.io.sources import Source, open_source
from tracker.io.tables import CsvSink, JsonLinesSink
from tracker.io.video_writer import VideoSink
from tracker.io.window import WindowClosed, WindowSink
from tracker.layouts import IBUG_68
from tracker.run.loop import READ_AHEAD, WRITE_BEHIND, Follower, run, run_offline
from tracker.run.offline import smoothed_faces
from tracker.run.summary import StopRequest
from tracker.run.timed_tracker import TimedTracker
from tracker.types import Face, Frame, Image

TIMEOUT_S = 10.0
"""Nothing waits this long unless it is broken."""
QUIET = watch_on(Console(quiet=True))


def faces_of_blobs() -> TimedTracker:
    return TimedTracker(BlobLandmarker(noise_px=0.5), BlobDetector())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two faces, one of which leaves and comes back."""
    images = []
    for i in range(24):
        centers = [(70.0 + 2 * i, 120.0)] + [(250.0, 80.0)] * (not 6 <= i < 14)
        images.append(blob_frame(centers, radius=25))
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", images)


class Frames:
    """A source of dark frames, made when asked for."""

    name, frame_count, frame_rate, holds_stills = "frames", None, 30.0, False

    def __init__(self, count: int, *, is_live: bool = False) -> None:
        self.is_live, self._count, self.losses = is_live, count, Losses()
        self.made, self.alive, self.most_alive = 0, 0, 0
        self.changed = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._count):
            yield Frame(index, index / 30, self._image())
        with self.changed:
            self.made += 1  # the end, too, has been seen
            self.changed.notify_all()

    def _image(self) -> Image:
        image = blob_frame([(60.0, 60.0)], size=(128, 128))
        with self.changed:
            self.made += 1
            self.alive += 1
            self.most_alive = max(self.most_alive, self.alive)
            self.changed.notify_all()
        weakref.finalize(image, self._gone)
        return image

    def _gone(self) -> None:
        with self.changed:
            self.alive -= 1

    def wait_until_made(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.made >= count, TIMEOUT_S)


class Notes:
    """A sink that notes frames, and does something at each."""

    def __init__(self, also=lambda frame: None) -> None:
        self.indices: list[int] = []
        self.threads: set[threading.Thread] = set()
        self._also = also

    def write(self, frame: Frame, faces: list[Face]) -> None:
        self._also(frame)
        self.indices.append(frame.index)
        self.threads.add(threading.current_thread())

    def close(self) -> None:
        pass


def stages_at_work() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name in ("ReadAhead", "WriteBehind")]


def plain_loop(source: Source, follower: Follower, sinks: list[Sink]) -> None:
    for frame in source:
        faces = follower.take(frame)
        for sink in sinks:
            sink.write(frame, faces)


def outputs(folder: Path) -> list[Sink]:
    folder.mkdir()
    panels = SideBySide(IBUG_68, ellipses=True)
    return [
        CsvSink(folder / "filtered.csv", IBUG_68, by_name=False, raw=False),
        CsvSink(folder / "raw.csv", IBUG_68, by_name=False, raw=True),
        JsonLinesSink(folder / "filtered.jsonl", raw=False),
        VideoSink(folder / "compare.avi", 30.0, panels, panels.size),
    ]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_those_of_a_plain_loop_byte_for_byte(film: Path, tmp_path: Path) -> None:
    plain, overlapped = outputs(tmp_path / "plain"), outputs(tmp_path / "overlapped")
    with open_source(str(film)) as source:
        plain_loop(source, faces_of_blobs(), plain)
    with open_source(str(film)) as source:
        run(source, faces_of_blobs(), overlapped, QUIET, StopRequest())
    for sink in plain + overlapped:
        sink.close()
    written = contents(tmp_path / "overlapped")
    assert written["raw.csv"].count(b"\n") > 24 + 8
    assert written == contents(tmp_path / "plain")


class Recorder(Notes):
    """Keeps the faces of every frame."""

    def __init__(self) -> None:
        super().__init__()
        self.times_s: list[float] = []
        self.faces: list[list[Face]] = []

    def write(self, frame: Frame, faces: list[Face]) -> None:
        super().write(frame, faces)
        self.times_s.append(frame.time_s)
        self.faces.append(faces)


def test_a_short_offline_run_is_smoothed_as_a_whole(film: Path) -> None:
    timed, plain, offline = faces_of_blobs(), Recorder(), Recorder()
    with open_source(str(film)) as source:
        plain_loop(source, timed, [plain])
    expected = smoothed_faces(plain.times_s, plain.faces, timed.tracker.head_filter)
    with open_source(str(film)) as source, open_source(str(film)) as ahead:
        run_offline(source, ahead, faces_of_blobs(), [offline], QUIET, StopRequest())
    assert offline.times_s == plain.times_s
    for found, wanted in zip(offline.faces, expected, strict=True):
        assert [face.track_id for face in found] == [face.track_id for face in wanted]
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one.landmarks.mean, other.landmarks.mean)


def test_memory_stays_flat_behind_a_slow_sink() -> None:
    source = Frames(60)
    waiting = READ_AHEAD + WRITE_BEHIND
    # In a hand each: the writer's, the tracker's, the reader's.
    slow = Notes(lambda frame: source.wait_until_made(min(frame.index + waiting + 3, 60)))
    run(source, faces_of_blobs(), [slow], QUIET, StopRequest())
    assert slow.indices == list(range(60))
    assert source.most_alive <= waiting + 3


def test_a_camera_that_is_too_fast_loses_its_oldest_frames(tmp_path: Path) -> None:
    source, notes = Frames(50, is_live=True), Notes()

    class Slow(TimedTracker):
        def take(self, frame: Frame) -> list[Face]:
            source.wait_until_made(51)
            return super().take(frame)

    summary = run(source, Slow(BlobLandmarker(), BlobDetector()), [notes], QUIET, StopRequest())
    assert notes.indices[-1] == 49
    assert len(notes.indices) <= 2  # and the one that was taken before all had come
    assert summary.dropped == 50 - len(notes.indices)
    assert summary.ages


class StopsAtFive(TimedTracker):
    """Is interrupted while it tracks the fifth frame."""

    request = StopRequest()

    def tracked(self, frame: Frame) -> list[Face]:
        if frame.index == 4:
            self.request.stop.set()
        return super().tracked(frame)


@pytest.mark.parametrize(("abort_at", "most"), [(None, 5), (1, 4)])
def test_offline_writes_what_was_tracked_before_ctrl_c_unless_that_comes_again(
    film: Path, abort_at: int | None, most: int
) -> None:
    timed = StopsAtFive(BlobLandmarker(), BlobDetector())
    timed.request = request = StopRequest()

    def aborts(frame: Frame) -> None:
        if frame.index == abort_at:
            request.abort.set()

    notes = Notes(aborts)
    with open_source(str(film)) as source, open_source(str(film)) as ahead:
        summary = run_offline(source, ahead, timed, [notes], QUIET, request)
    assert notes.indices == list(range(len(notes.indices)))
    assert len(notes.indices) == 5 if abort_at is None else len(notes.indices) <= 5
    assert summary.interrupted
    assert not stages_at_work()


def test_a_source_that_breaks_off_keeps_what_was_tracked() -> None:
    class Broken(Frames):
        def __iter__(self) -> Iterator[Frame]:
            yield from super().__iter__()
            raise SourceError("camera 0: stopped giving frames")

    notes = Notes()
    with pytest.raises(SourceError, match="stopped giving frames"):
        run(Broken(20), faces_of_blobs(), [notes], QUIET, StopRequest())
    assert notes.indices == list(range(20))
    assert not stages_at_work()


def test_a_pipe_that_breaks_ends_all_threads_and_names_the_frame() -> None:
    def breaks(frame: Frame) -> None:
        if frame.index == 7:
            raise BrokenPipeError("Broken pipe")

    notes = Notes(breaks)
    with pytest.raises(SinkError, match="frame 7: an output cannot be written any more"):
        run(Frames(10_000), faces_of_blobs(), [notes], QUIET, StopRequest())
    assert notes.indices == list(range(7))
    assert not stages_at_work()


class ClosedAtFive(WindowSink):
    """A window without a display."""

    def __init__(self) -> None:
        self.threads: set[threading.Thread] = set()

    def write(self, frame: Frame, faces: list[Face]) -> None:
        self.threads.add(threading.current_thread())
        if frame.index == 5:
            raise WindowClosed


def test_a_window_stays_on_the_main_thread_and_ends_the_run() -> None:
    window, notes = ClosedAtFive(), Notes()
    summary = run(Frames(10_000), faces_of_blobs(), [window, notes], QUIET, StopRequest())
    assert window.threads == {threading.main_thread()}
    assert threading.main_thread() not in notes.threads
    assert notes.indices == list(range(5))
    assert not summary.interrupted
    assert not stages_at_work()


def test_a_frames_age_counts_from_its_arrival() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    first, second = Frame(0, 0.0, image), Frame(1, 0.1, image)
    assert first.arrived_s <= second.arrived_s
