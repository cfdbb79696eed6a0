"""How long from `run_tracker.py CLIP --save-csv F` to the first row on disk, and how much memory.

Every start is a new process; all but the first read from the disk cache.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import FaceTrackError

_ROOT = Path(__file__).parents[2]
_POLL_INTERVAL_S = 0.005
_LEAST_LINES = 2
"""The head of the CSV and its first row."""


@dataclass(frozen=True, slots=True)
class Startup:
    """Of one process."""

    first_result_s: float
    """From its start to the first row on disk."""
    peak_memory_mb: float | None
    """Resident, until it had written the last row; None where the system does not report it."""


def time_startup(clip: Path, weights: str) -> Startup:
    """Track a clip in a new process and watch it.

    Raises:
        FaceTrackError: If it fails.
    """
    with tempfile.TemporaryDirectory() as name:
        table, log_path = Path(name) / "out.csv", Path(name) / "log.txt"
        program = [sys.executable, str(_ROOT / "run_tracker.py"), str(clip)]
        flags = ["--device", "cpu", "--weights", weights, "--save-csv", str(table)]
        with log_path.open("w") as log:
            began = time.perf_counter()
            process = subprocess.Popen([*program, *flags], stdout=log, stderr=log)
            start = _watch(process, table, began)
        if process.returncode or start is None:
            last = log_path.read_text().strip().splitlines()[-1:]
            raise FaceTrackError(f"run_tracker.py {clip}: ended without a result: {''.join(last)}")
    return start


def _watch(process: subprocess.Popen[bytes], table: Path, began: float) -> Startup | None:
    first_s, peak_mb = None, None
    while process.poll() is None:
        if first_s is None and _has_row(table):
            first_s = time.perf_counter() - began
        peak_mb = _peak_mb(process.pid) or peak_mb
        time.sleep(_POLL_INTERVAL_S)
    if first_s is None and _has_row(table):
        first_s = time.perf_counter() - began
    return None if first_s is None else Startup(first_s, peak_mb)


def _has_row(table: Path) -> bool:
    with suppress(FileNotFoundError), table.open("rb") as lines:
        return sum(line.endswith(b"\n") for line in lines) >= _LEAST_LINES
    return False


def _peak_mb(pid: int) -> float | None:
    """The peak so far, from Linux; that of `resource` would include the parent's."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))
    return None
