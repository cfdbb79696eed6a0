"""The tables and sentences of `benchmarks.latency`."""

from rich.console import Console

from ..harness import Json, rich_table


def print_tables(result: Json, console: Console) -> None:
    """Print everything that was measured."""
    console.print(f"{result['machine']}; load average {result['load_average']}")
    console.print(
        rich_table(
            ("run_tracker.py", "frames per second", "faces per frame"),
            [_throughput(row["clip"], row) for row in result["clips"]],
            caption=f"file in, CSV and overlay out; medians of {result['runs']} runs",
        )
    )
    console.print(
        rich_table(
            ("stage", "in % of frames", "p50, ms", "p95, ms", "p99, ms"),
            [_stage(row) for row in result["stages"]],
            title=f"{result['clips'][0]['clip']}, one stage after the other",
            caption="network: decoding of the heat maps included",
        )
    )
    memory = result["start"]["peak_memory_mb"]
    console.print(
        f"Start to the first row on disk: {result['start']['first_result_s']:.2f} s; peak memory: "
        + ("not reported by this system" if memory is None else f"{memory:.0f} MB")
    )
    print_glass(result["glass_to_packet"], console)
    if "rivals" in result:
        _print_rivals(result["rivals"], console)
    console.print(arithmetic_sentence(result["arithmetic"]))
    if result["gpu"]:
        headings = ("faces at once", "ms", "faces per second", "% of the arithmetic peak")
        rows = [_batch(row) for row in result["gpu"]]
        console.print(rich_table(headings, rows, title="network, GPU"))
    else:
        console.print("No GPU here.")


def print_filter(rows: list[Json], console: Console) -> None:
    """Print what the filter takes of the processor."""
    cells = [[str(row["faces"]), f"{row['p50']:.2f}", f"{row['p95']:.2f}"] for row in rows]
    caption = "of a frame: landmarks expected, measured ones taken in, faces reported"
    headings = ("faces", "p50, ms of the processor", "p95")
    console.print(rich_table(headings, cells, title="the filter alone", caption=caption))


def print_glass(glass: Json, console: Console) -> None:
    """Print how old what a packet tells is when it comes."""
    rows = [
        [name, f"{glass[key]['p50']:.1f}", f"{glass[key]['p95']:.1f}"]
        for name, key in (
            ("glass to packet", "glass_ms"),
            ("frame's arrival to packet", "frame_ms"),
        )
    ]
    caption = (
        f"{glass['packets']} packets of a camera of 30 frames a second, each exposed for 33.3 ms; "
        f"{100 * glass['read_surely']:.0f} % tell surely which frame they saw, "
        f"{glass['frames_missed']} frames were dropped to stay live"
    )
    console.print(rich_table(("640x480, one face", "p50, ms", "p95, ms"), rows, caption=caption))


def _throughput(name: str, row: Json) -> list[str]:
    return [name, f"{row['fps']:.1f}", f"{row['faces_per_frame']:.2f}"]


def _stage(row: Json) -> list[str]:
    times = (f"{row[key]:.2f}" for key in ("p50", "p95", "p99"))
    return [row["stage"], f"{100 * row['of_frames']:.0f}", *times]


def _batch(row: Json) -> list[str]:
    figures = f"{row['ms']:.2f}", f"{row['faces_per_s']:.0f}", f"{100 * row['share']:.1f}"
    return [str(row["batch"]), *figures]


def _print_rivals(rows: list[Json], console: Console) -> None:
    present = [
        [row["clip"], *_throughput(row["tracker"], row)] for row in rows if "absent" not in row
    ]
    headings = ("clip", "tracker", "frames per second", "faces per frame")
    caption = "detection and landmarks of each frame; no reading, drawing or writing"
    console.print(rich_table(headings, present, caption=caption, text=2))
    for line in absences(rows):
        console.print(line, markup=False)


def absences(rows: list[Json]) -> list[str]:
    """A sentence for each tracker that is not installed."""
    return [f"Absent: {row['tracker']}: {row['absent']}" for row in rows if "absent" in row]


def arithmetic_sentence(arithmetic: Json) -> str:
    """The network's rate beside the arithmetic peak."""
    line = (
        f"Network: {arithmetic['gflop']:.2f} GFLOP per face in {arithmetic['ms']:.1f} ms at best "
        f"are {arithmetic['gflop_per_s']:.0f} GFLOP/s, {100 * arithmetic['share']:.0f} % of the "
        f"{arithmetic['peak_gflop_per_s']:.0f} of a matrix product on {arithmetic['threads']} "
        "threads"
    )
    if arithmetic["share"] > 1:
        line += "; above 100 %: other load slowed the matrix product, so measure on an idle machine"
    return line + "."
