"""The command line as a process: signals at any moment, and streams that are closed or full."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import blob_frame, write_video

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "film.mp4"
    return write_video(path, [blob_frame([(60.0, 60.0)])] * 12)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, str(ROOT / "run_tracker.py"), *map(str, arguments)]


def hears(process: subprocess.Popen[str], number: int) -> bool:
    """Whether the process has a handler of its own for the signal: Python itself is up."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("wait_s", [0.0, 0.4, 1.2])
def test_a_signal_while_it_starts_ends_it_without_a_traceback(
    tmp_path: Path, number: int, wait_s: float
) -> None:
    film = write_video(tmp_path / "long.mp4", [blob_frame([(60.0, 60.0)])] * 2000)
    lasting = command(film, "--save-csv", tmp_path / "x.csv")
    with subprocess.Popen(
        lasting, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509 - as in a terminal
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not hears(process, number):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(wait_s)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert "error:" not in error


def test_streams_that_are_closed_full_or_unread_end_no_run(clip: Path, tmp_path: Path) -> None:
    for number, how in enumerate([">&-", "2>&-", ">&- 2>&-", ">/dev/full 2>&1", "| true"]):
        rows = tmp_path / f"{number}.csv"
        asked = " ".join(command(clip, "--save-csv", rows))
        bash = ["bash", "-o", "pipefail", "-c", f"{asked} {how}"]
        done = subprocess.run(bash, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (how, done.stderr)
        assert "Traceback" not in done.stderr
        with rows.open() as file:
            assert len(list(csv.DictReader(file))) == 12


@pytest.fixture
def lasting(tmp_path: Path) -> Path:
    return write_video(tmp_path / "long.mp4", [blob_frame([(60.0, 60.0)])] * 3000)


def started_and_writing(film: Path, rows: Path) -> subprocess.Popen[bytes]:
    flags = ["--offline", "--detector", "any-roll", "--save-csv", rows]
    process = subprocess.Popen(command(film, *flags), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (rows.exists() and rows.read_bytes().count(b"\n") > 20):
        assert time.monotonic() < deadline, "no rows after a minute"
        time.sleep(0.05)
    return process


def frames_of(rows: Path) -> list[int]:
    with rows.open(newline="") as file:
        read = list(csv.DictReader(file))
    assert None not in read[-1].values()
    return [int(row["frame"]) for row in read]


def test_offline_a_sigterm_keeps_all_that_was_tracked(lasting: Path, tmp_path: Path) -> None:
    rows = tmp_path / "x.csv"
    process = started_and_writing(lasting, rows)
    before = len(frames_of(rows))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130
    written = frames_of(rows)
    assert written == list(range(len(written)))
    assert before < len(written) < 3000


def test_offline_rows_are_on_disk_before_the_end(lasting: Path, tmp_path: Path) -> None:
    rows = tmp_path / "x.csv"
    with started_and_writing(lasting, rows) as process:
        process.kill()
    written = frames_of(rows)
    assert written == list(range(len(written)))
    assert 20 <= len(written) < 3000
