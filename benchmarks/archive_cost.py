"""Reckons what an archive takes, from the rates that `benchmarks.latency` kept.

python -m benchmarks.archive_cost --hours 100000 --core-hour 0.04

Prices are the reader's own: without --core-hour no cost is printed.
"""

import argparse
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.harness import (
    RESULTS,
    Json,
    argument_parser,
    markdown_table,
    read_json,
    run_command,
)
from benchmarks.soak.endurance import write_clip
from models import load_landmarker
from tracker.face_tracker import FaceTracker
from tracker.io.parquet_table import ParquetSink
from tracker.io.sources import open_source

_READ_TIMES = 3
"""Each video is read for its plan, for its pieces and for its hash."""


def main() -> None:
    """Print the table."""
    parser = argument_parser("archive_cost", __doc__)
    parser.add_argument("--hours", type=float, default=100_000.0)
    parser.add_argument("--fps", type=float, default=25.0, help="of the videos")
    parser.add_argument("--megabits", type=float, default=4.0, help="of a second of video")
    parser.add_argument("--days", type=float, default=7.0, help="until all is done")
    parser.add_argument("--cores", type=int, default=32, help="of each machine")
    parser.add_argument("--overlap", type=float, default=30.0, help="seconds, in every ten minutes")
    parser.add_argument("--core-hour", type=float, help="its price")
    run_command(parser, _reckon)


def _reckon(asked: argparse.Namespace) -> None:
    rates = read_json(RESULTS / "latency.json")
    rows = [
        ["frames", f"{asked.hours:,.0f} hours, {asked.fps:g} a second", f"{_frames(asked):.2e}"],
        *_work(asked, rates["fps"], "one face, 640x480"),
        *_work(asked, rates["fps_four_faces"], "four faces, 1280x720"),
        *_data(asked),
    ]
    print(f"Rates: {rates['machine']}")  # noqa: T201
    print("\n".join(markdown_table(["", "reckoned as", ""], rows, text=2)))  # noqa: T201


def _frames(asked: argparse.Namespace) -> float:
    return float(3600 * asked.hours * asked.fps)


def _work(asked: argparse.Namespace, rate: float, what: str) -> list[list[str]]:
    share = 1 + asked.overlap / 600
    hours = 2 * share * _frames(asked) / rate / 3600
    machines = hours / (asked.cores * 24 * asked.days)
    work = [
        [f"core-hours, {what}", f"{rate:.0f} frames a second on two cores, x {share:.2f}: overlaps",
         f"{hours:,.0f}"],
        [f"machines of {asked.cores} cores, {what}", f"done in {asked.days:g} days",
         f"{machines:.1f}"],
    ]  # fmt: skip
    if asked.core_hour is not None:
        price = f"{asked.core_hour:g} a core-hour, a price that is assumed"
        work.append([f"cost, {what}", price, f"{hours * asked.core_hour:,.0f}"])
    return work


def _data(asked: argparse.Namespace) -> list[list[str]]:
    row_bytes = _bytes_of_a_row()
    written = _frames(asked) * row_bytes / 1e12
    read = _READ_TIMES * asked.hours * 3600 * asked.megabits / 8 / 1e6
    mean = read * 1e3 / (86_400 * asked.days)
    return [
        ["rows, TB", f"one face, {row_bytes:.0f} bytes a row, compressed", f"{written:.1f}"],
        ["reading, TB", f"{asked.megabits:g} Mbit/s, {_READ_TIMES} times", f"{read:,.0f}"],
        ["reading, GB/s", f"mean of {asked.days:g} days", f"{mean:.2f}"],
    ]


def _bytes_of_a_row() -> float:
    """Of a clip with one face, as an archive stores it."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "x.parquet"
        sink = ParquetSink(table, raw=False)
        clip = write_clip(Path(folder) / "x.mp4")
        with open_source(clip) as video, FaceTracker(load_landmarker()) as faces:
            for frame in video:
                sink.write(frame, faces.update(frame.image, frame.time_s))
        sink.close()
        stored: Json = pq.read_metadata(table).to_dict()
    groups = stored["row_groups"]
    sizes = [column["total_compressed_size"] for group in groups for column in group["columns"]]
    return float(sum(sizes) / stored["num_rows"])


if __name__ == "__main__":
    main()
