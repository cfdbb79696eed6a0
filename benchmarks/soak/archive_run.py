"""An archive on two workers, one of which is killed, against a plain run of the same videos."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from benchmarks.harness import Json
from tracker.archive.archive_store import id_of
from tracker.errors import FaceTrackError

from .endurance import write_clip

ROOT = Path(__file__).parents[2]
_LONGEST_S = 3600.0
_LENGTHS = 8
"""Different clips; the others are copies under other names."""


def archived(folder: Path, clips: int) -> Json:
    """Track so many short clips, and lose a worker when a quarter of them is whole.

    Returns:
        How often videos came, and how many of their tables are the plain run's.
    """
    videos = list(_clips(folder / "archived", clips))
    listed = folder / "archived.txt"
    listed.write_text("".join(f"{video}\n" for video in videos))
    plain, out = folder / "plain", folder / "archive"
    _ran(subprocess.Popen(_command(str(videos[0].parent), "--save-parquet", str(plain))))
    command = _command("archive", str(listed), "--output", str(out), "--workers", "2")
    process = subprocess.Popen(command)
    killed = _kill_one(process, out / "manifest.jsonl", clips // 4)
    _ran(process)
    lines = (out / "manifest.jsonl").read_text().splitlines()
    noted = Counter(json.loads(line)["video"] for line in lines)
    table = ds.dataset(out / "data", partitioning="hive").to_table()
    rows = Counter(table["video"].to_pylist())
    equal, apart_px = 0, 0.0
    for video in videos:
        ours = pq.read_table(out / "data" / f"video={id_of(video)}" / "rows.parquet")
        theirs = pq.read_table(plain / f"{video.stem}.parquet")
        equal += ours.equals(theirs)
        apart_px = max(apart_px, _apart_px(ours, theirs))
    return {
        "videos": clips, "workers_killed": killed, "in_manifest": len(noted),
        "more_than_once": sum(count > 1 for count in noted.values()),
        "in_data_set": len(rows), "rows": table.num_rows, "equal_to_plain": equal,
        "most_apart_px": round(apart_px, 6),
    }  # fmt: skip


def _command(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "run_tracker.py"), *words]


def _clips(folder: Path, count: int) -> Iterator[Path]:
    folder.mkdir()
    for number in range(count):
        path = folder / f"clip{number:03d}.mp4"
        if number < _LENGTHS:
            write_clip(path, 0.4 + 0.2 * number)
        else:
            path.write_bytes((folder / f"clip{number % _LENGTHS:03d}.mp4").read_bytes())
        yield path


def _ran(process: subprocess.Popen[bytes]) -> None:
    if process.wait(_LONGEST_S):
        raise FaceTrackError(f"a run ended with status {process.returncode}: its error is above")


def _kill_one(process: subprocess.Popen[bytes], manifest: Path, whole: int) -> int:
    """Once so many videos are whole; says how many were killed."""
    while process.poll() is None:
        if manifest.exists() and len(manifest.read_text().splitlines()) >= whole:
            for number in ray_workers(process.pid)[:1]:
                os.kill(number, signal.SIGKILL)
                return 1
        time.sleep(0.05)
    return 0


def ray_workers(process_id: int) -> list[int]:
    """Processes of Ray's workers that were started by a process, or by what it started."""
    parents, found = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
            title = (folder / "cmdline").read_bytes()
        except OSError:  # ended since
            continue
        parents[int(folder.name)] = int(status.rpartition(")")[2].split()[1])
        if title.startswith(b"ray::_Worker"):
            found.append(int(folder.name))
    return [one for one in found if process_id in _ancestors(one, parents)]


def _ancestors(process_id: int, parents: dict[int, int]) -> Iterator[int]:
    while process_id in parents:
        process_id = parents[process_id]
        yield process_id


def _apart_px(ours: pa.Table, theirs: pa.Table) -> float:
    """The most that a landmark lies apart; infinite where rows are not the same."""
    names = ("frame", "face_id", "success")
    if any(ours[name].to_pylist() != theirs[name].to_pylist() for name in names):
        return float("inf")
    differences = [
        np.abs(np.subtract(one, other)).max()
        for name in ("x", "y")
        for one, other in zip(ours[name].to_pylist(), theirs[name].to_pylist(), strict=True)
        if one
    ]
    return float(max(differences, default=0.0))
