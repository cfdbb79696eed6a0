"""Outputs that meet a full disk, another run, a pipe, or their own source."""

import fcntl
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tracker.errors import SinkError
from tracker.io import output_file
from tracker.io.output_file import OutputFile
from tracker.io.outputs import Outputs, check_outputs

ROOT = Path(__file__).parents[1]
HOLDS = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from tracker.io.output_file import OutputFile
file = OutputFile(Path({path!r}))
file.append(b"first\\n")
print("held", flush=True)
time.sleep(60)
"""


def test_two_processes_cannot_write_one_file_and_a_kill_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    code = HOLDS.format(root=str(ROOT), path=str(path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(SinkError, match=r"x\.csv: another run is writing it"):
            OutputFile(path, overwrite=True)
        assert path.read_text() == "first\n"
        other.kill()
        other.wait()
    mine = OutputFile(path, overwrite=True)
    mine.append(b"second\n")
    mine.close()
    assert path.read_text() == "second\n"


def test_a_file_that_came_since_the_check_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("another's")
    with pytest.raises(SinkError, match="exists already"):
        OutputFile(tmp_path / "x.csv", overwrite=False)
    assert (tmp_path / "x.csv").read_text() == "another's"


def test_the_old_content_stays_until_there_is_something_new(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old and longer than what is new\n")
    file = OutputFile(path, head=b"head\n")
    assert path.read_text() == "old and longer than what is new\n"
    file.close()
    assert path.read_text() == "old and longer than what is new\n"
    file = OutputFile(path, head=b"head\n")
    file.append(b"new\n")
    assert path.read_text() == "head\nnew\n"
    file.close()


def test_a_new_file_without_rows_has_its_head(tmp_path: Path) -> None:
    OutputFile(tmp_path / "x.csv", head=b"head\n").close()
    assert (tmp_path / "x.csv").read_text() == "head\n"


def test_on_a_full_disk_rows_are_whole_and_the_file_is_named(tmp_path: Path) -> None:
    path, row = tmp_path / "x.csv", b"0123456789\n"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    file = OutputFile(path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
        for _ in range(500 // len(row)):
            file.append(row)
        with pytest.raises(SinkError, match=r"x\.csv: cannot be written any more \(File too"):
            file.append(row)
        file.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == row * (500 // len(row))


@pytest.mark.parametrize("when", ["removed", "replaced"])
def test_what_was_written_must_be_there_in_the_end(tmp_path: Path, when: str) -> None:
    path = tmp_path / "folder" / "x.csv"
    path.parent.mkdir()
    file = OutputFile(path)
    file.append(b"row\n")
    path.rename(tmp_path / "elsewhere")
    if when == "replaced":
        path.write_text("row\n")
    with pytest.raises(SinkError, match=r"x\.csv: (is not whole|was replaced)"):
        file.close()


def test_a_file_that_vanishes_is_noticed_at_the_next_row(tmp_path: Path) -> None:
    file = OutputFile(tmp_path / "x.csv")
    file.append(b"row\n")
    (tmp_path / "x.csv").unlink()
    with pytest.raises(SinkError, match=r"x\.csv: was removed while it was written"):
        file.append(b"row\n")
    file.close()


def test_a_pipe_without_a_reader_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(output_file, "_READER_TIMEOUT_S", 0.1)
    with pytest.raises(SinkError, match="pipe: is a pipe that nobody reads"):
        OutputFile(tmp_path / "pipe")


def test_a_pipe_takes_rows_until_its_reader_leaves(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    file = OutputFile(tmp_path / "pipe", head=b"head\n")
    file.append(b"row\n")
    assert os.read(reader, 100) == b"head\nrow\n"
    os.close(reader)
    with pytest.raises(SinkError, match=r"pipe: cannot be written any more \(Broken pipe\)"):
        file.append(b"row\n")
    file.close()


def test_a_pipe_whose_reader_stalls_is_given_up_and_one_that_is_slow_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(output_file, "_STALL_TIMEOUT_S", 1.0)
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    file, rows = OutputFile(tmp_path / "pipe"), b"row\n" * 50_000
    got = bytearray()

    def read_slowly() -> None:
        while len(got) < len(rows):
            time.sleep(0.05)
            got.extend(os.read(reader, 65_536))

    thread = threading.Thread(target=read_slowly)
    thread.start()
    file.append(rows)
    thread.join(10)
    assert bytes(got) == rows
    with pytest.raises(SinkError, match="pipe: its reader took nothing for 1 s"):
        file.append(rows)
    file.close()
    os.close(reader)


def test_an_output_that_is_the_source_by_any_name_is_refused(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_text("film")
    (tmp_path / "hard.mp4").hardlink_to(film)
    (tmp_path / "symbolic.mp4").symlink_to(film)
    (tmp_path / "again").symlink_to(tmp_path)
    for name in ("film.mp4", "hard.mp4", "symbolic.mp4", "again/film.mp4"):
        outputs = Outputs(video=tmp_path / name, overwrite=True)
        with pytest.raises(SinkError, match="is already the source"):
            check_outputs(outputs, [film])
    assert film.read_text() == "film"


def test_an_output_that_is_a_picture_of_the_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("picture")
    with pytest.raises(SinkError, match="is already the source"):
        check_outputs(Outputs(csv=tmp_path / "a.png", overwrite=True), [tmp_path])


def test_a_disk_without_locks_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_descriptor: int, _how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    file = OutputFile(tmp_path / "x.csv")
    file.append(b"row\n")
    file.close()
    assert (tmp_path / "x.csv").read_text() == "row\n"
