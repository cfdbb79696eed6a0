"""A batch that is killed, or whose disk is full, at random moments: what is left, what resumes.

A disk of two megabytes is a `tmpfs`, which only root may mount.
"""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from benchmarks.harness import Json
from tracker.errors import FaceTrackError

ROOT = Path(__file__).parents[2]
_LONGEST_S = 300.0


def batch(clips: Path, out: Path) -> list[str]:
    """The command that is disturbed."""
    folder = str(out)
    outputs = ("--save-csv", "--save-jsonl", "--save-video", "--save-parquet", "--report")
    flags = [part for flag in outputs for part in (flag, folder)]
    return [sys.executable, str(ROOT / "run_tracker.py"), str(clips), *flags, "--resume"]


def run_whole(clips: Path, out: Path) -> tuple[int, float, str]:
    """Exit status, seconds and standard error of an undisturbed run."""
    started = time.monotonic()
    done = subprocess.run(
        batch(clips, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, timeout=_LONGEST_S, check=False,
    )  # fmt: skip
    return done.returncode, time.monotonic() - started, done.stderr


def contents(out: Path) -> dict[str, bytes]:
    """All files but the manifest, whose lines tell of the runs."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.jsonl"
    }


def torn_files(out: Path) -> list[str]:
    """Outputs that are not readable up to their last row, whole page or last second."""
    torn = []
    for path in sorted(out.iterdir()):
        if path.suffix in (".csv", ".jsonl"):
            text = path.read_bytes()
            is_whole = not text or text.endswith(b"\n")
            if path.suffix == ".jsonl":
                is_whole = is_whole and all(json.loads(line) for line in text.splitlines()[-3:])
        elif path.suffix == ".html":
            is_whole = path.read_bytes().endswith(b"</html>\n")
        elif path.suffix == ".mp4":
            is_whole = _plays(path)
        else:
            continue
        if not is_whole:
            torn.append(path.name)
    return torn


def _plays(path: Path) -> bool:
    """Whether each picture in it decodes; of an empty file there is none."""
    if path.stat().st_size < 2000:  # a head without a picture
        return True
    try:
        with av.open(str(path)) as film:
            return any(True for _ in film.decode(video=0))
    except av.FFmpegError:
        return False


def killed(clips: Path, folder: Path, times: int, seed: int) -> Json:
    """Kill a batch at random moments, each time from the beginning, and go on with it."""
    whole = folder / "undisturbed"
    status, seconds, message = run_whole(clips, whole)
    if status:
        raise FaceTrackError(f"the undisturbed run failed: {message}")
    expected, moments = contents(whole), random.Random(seed)
    torn, other, failed = [], [], []
    for number in range(times):
        out, moment_s = folder / f"killed{number}", moments.uniform(0, seconds)
        with subprocess.Popen(
            batch(clips, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            time.sleep(moment_s)
            process.send_signal(signal.SIGKILL)
        torn += torn_files(out) if out.exists() else []
        status, _, message = run_whole(clips, out)
        failed += [message] if status else []
        found = contents(out)
        other += [name for name in expected | found if expected.get(name) != found.get(name)]
    return {"kills": times, "torn": torn, "resumed_fail": failed, "resumed_differ": other}


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of this size."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        raise FaceTrackError(f"{folder}: no small disk can be mounted ({mounted.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def filled(clips: Path, folder: Path, times: int, seed: int) -> Json:
    """Let a batch run out of disk at random moments: one line, status 2, and nothing is torn."""
    needed = sum(map(len, contents(folder / "undisturbed").values())) // 1024
    sizes = random.Random(seed)
    torn, statuses, traces = [], [], []
    for number in range(times):
        kilobytes = sizes.randrange(40, max(9 * needed // 10, 41))
        with small_disk(folder / f"full{number}", kilobytes) as out:
            status, _, message = run_whole(clips, out)
            torn += torn_files(out)
        statuses.append(status)
        traces += [message] if "Traceback" in message else []
    return {
        "full_disks": times, "torn": torn, "tracebacks": traces,
        "not_status_2": [status for status in statuses if status != 2],
    }  # fmt: skip
