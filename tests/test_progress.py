from io import StringIO

from rich.console import Console

from tracker.cli.progress import closing_table, progress
from tracker.run.summary import RunSummary
from tracker.tracker_config import Tally

COLUMNS = 80


class Film:
    name, frame_rate, holds_stills = "a_film_with_a_long_name_indeed.mp4", 30.0, False

    def __init__(self, frame_count: int | None, *, is_live: bool) -> None:
        self.frame_count, self.is_live = frame_count, is_live


def summary_of(source: Film) -> RunSummary:
    summary = RunSummary(source.name, Tally(frames=1000), seconds=20.0)
    summary.dropped = 12 if source.is_live else None
    for age_ms in (30, 30, 30, 250):
        summary.ages.add(age_ms / 1000)
    return summary


def last_line(source: Film) -> str:
    console = Console(file=StringIO(), force_terminal=True, width=COLUMNS, color_system=None)
    with progress(source, summary_of(source), console) as frame_done:
        for _ in range(100):
            frame_done(2)
    lines = console.file.getvalue().splitlines()
    return next(line for line in reversed(lines) if "fps" in line)


def test_the_line_of_a_file_shows_frames_speed_latency_and_time_left_in_80_columns() -> None:
    line = last_line(Film(12_000, is_live=False))
    for part in ("a_film", "100/12000", "fps", "2 faces", "30 / 250 ms"):
        assert part in line
    assert "dropped" not in line


def test_the_line_of_a_camera_shows_what_was_dropped() -> None:
    line = last_line(Film(None, is_live=True))
    assert "30 / 250 ms  12 dropped" in line


def test_the_closing_table_keeps_latency_and_drops() -> None:
    console = Console(file=StringIO(), width=COLUMNS)
    console.print(closing_table(summary_of(Film(None, is_live=True))))
    told = console.file.getvalue()
    assert "30 / 250 ms" in told
    assert "frames dropped to stay live" in told
    assert "50.0" in told  # frames per second
