"""What `benchmarks.latency` found, as tables and sentences."""

from typing import Any

from rich.console import Console
from rich.table import Table


def tell(result: dict[str, Any], console: Console) -> None:
    """Print everything that was measured."""
    console.print(f"{result['machine']}; load average {result['load_average']}")
    console.print(_speed(result))
    console.print(_stages(result))
    start = result["start"]
    memory = start["peak_memory_mb"]
    console.print(
        f"Start to the first row on disk: {start['first_result_s']:.2f} s; peak memory: "
        + ("not told by this system" if memory is None else f"{memory:.0f} MB")
    )
    if "rivals" in result:
        console.print(_rivals(result["rivals"]))
        for line in absences(result["rivals"]):
            console.print(line, markup=False)
    console.print(_roof_line(result["roof"]))
    console.print(_forward(result["forward"]) if result["forward"] else "No GPU here.")


def _speed(result: dict[str, Any]) -> Table:
    caption = f"file in, CSV and overlay out; medians of {result['runs']} runs"
    table = Table("run_tracker.py", "frames per second", "faces per frame", caption=caption)
    for row in result["clips"]:
        table.add_row(row["clip"], f"{row['fps']:.1f}", f"{row['faces_per_frame']:.2f}")
    return table


def _stages(result: dict[str, Any]) -> Table:
    table = Table(
        "stage", "in % of frames", "p50, ms", "p95, ms", "p99, ms",
        title=f"{result['clips'][0]['clip']}, one stage after the other",
        caption="network: decoding of the heat maps included",
    )  # fmt: skip
    for row in result["stages"]:
        shares = (f"{row[key]:.2f}" for key in ("p50", "p95", "p99"))
        table.add_row(row["stage"], f"{100 * row['of_frames']:.0f}", *shares)
    return table


def _rivals(rows: list[dict[str, Any]]) -> Table:
    table = Table(
        "clip", "tracker", "frames per second", "faces per frame",
        caption="detection and landmarks of each frame; no reading, drawing or writing",
    )  # fmt: skip
    for row in rows:
        if "absent" not in row:
            numbers = f"{row['fps']:.1f}", f"{row['faces_per_frame']:.2f}"
            table.add_row(row["clip"], row["tracker"], *numbers)
    return table


def absences(rows: list[dict[str, Any]]) -> list[str]:
    """A sentence for each tracker that was not there."""
    return [f"Absent: {row['tracker']}: {row['absent']}" for row in rows if "absent" in row]


def _roof_line(roof: dict[str, float]) -> str:
    line = (
        f"Network: {roof['gflop']:.2f} GFLOP a face in {roof['ms']:.1f} ms at best are "
        f"{roof['gflop_per_s']:.0f} GFLOP/s, {100 * roof['share']:.0f} % of the "
        f"{roof['roof_gflop_per_s']:.0f} of a matrix multiplication on {roof['threads']} threads"
    )
    busy = "; more than all: other work slowed the multiplication, so measure on a quiet machine"
    return line + (busy if roof["share"] > 1 else "") + "."


def _forward(rows: list[dict[str, float]]) -> Table:
    table = Table("faces at once", "ms", "faces per second", "% of the roof", title="network, GPU")
    for row in rows:
        numbers = f"{row['ms']:.2f}", f"{row['faces_per_s']:.0f}", f"{100 * row['share']:.1f}"
        table.add_row(str(row["batch"]), *numbers)
    return table
