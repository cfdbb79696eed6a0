"""How long from `run_tracker.py CLIP --save-csv F` to the first row on disk, and how much memory.

Every start is a new process; what it reads is in the disk cache but for the first.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import FaceTrackError

ROOT = Path(__file__).parents[1]
_GLANCE_S = 0.005
_LINES = 2
"""The head of the CSV and its first row."""


@dataclass(frozen=True, slots=True)
class Start:
    """What one process took."""

    first_result_s: float
    """From its start to the first row on disk."""
    peak_memory_mb: float | None
    """Resident, until it had written the last row; None where the system does not tell."""


def time_start(clip: Path, weights: str) -> Start:
    """Track a clip in a new process and watch it.

    Raises:
        FaceTrackError: If it fails.
    """
    with tempfile.TemporaryDirectory() as name:
        table, said = Path(name) / "out.csv", Path(name) / "said.txt"
        program = [sys.executable, str(ROOT / "run_tracker.py"), str(clip)]
        flags = ["--device", "cpu", "--weights", weights, "--save-csv", str(table)]
        with said.open("w") as log:
            began = time.perf_counter()
            process = subprocess.Popen([*program, *flags], stdout=log, stderr=log)
            start = _watch(process, table, began)
        if process.returncode or start is None:
            last = said.read_text().strip().splitlines()[-1:]
            raise FaceTrackError(f"run_tracker.py {clip}: ended without a result: {''.join(last)}")
    return start


def _watch(process: subprocess.Popen[bytes], table: Path, began: float) -> Start | None:
    first_s, peak_mb = None, None
    while process.poll() is None:
        if first_s is None and _has_row(table):
            first_s = time.perf_counter() - began
        peak_mb = _peak_mb(process.pid) or peak_mb
        time.sleep(_GLANCE_S)
    if first_s is None and _has_row(table):
        first_s = time.perf_counter() - began
    return None if first_s is None else Start(first_s, peak_mb)


def _has_row(table: Path) -> bool:
    with suppress(FileNotFoundError), table.open("rb") as lines:
        return sum(line.endswith(b"\n") for line in lines) >= _LINES
    return False


def _peak_mb(pid: int) -> float | None:
    """The most so far, as Linux tells it; what `resource` tells began with the parent's."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))
    return None
