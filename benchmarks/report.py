"""Print the figures of README from `benchmarks/results/`, and put them there.

python -m benchmarks.report          # rewrites README.md between its two marks
"""

import json
from pathlib import Path
from typing import Any

from .jitter_tables import readme_rows

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- figures: python -m benchmarks.report -->", "<!-- end of figures -->"


def _read(name: str) -> dict[str, Any]:
    return dict(json.loads((RESULTS / f"{name}.json").read_text()))


def figures() -> str:
    """The table as Markdown."""
    accuracy, latency, stability = _read("accuracy"), _read("latency"), _read("stability")
    exact, whole = _held_out(accuracy, "truth"), _held_out(accuracy, "detector")
    rows = [
        ("NME, exact crop, % of the outer eye distance", f"{exact['nme_percent']:.2f}"),
        ("NME in pictures, detector included", f"{whole['nme_percent']:.2f}"),
        ("faces missed", f"{whole['missed']} of {whole['faces']}"),
        *_speed(latency),
        (
            "jitter of the still portrait, raw → filtered, % of the eye distance",
            f"{stability['raw_jitter_percent']:.3f} → {stability['filtered_jitter_percent']:.3f}",
        ),
        ("lag of the moving portrait, frames", f"{stability['filtered_lag_frames']:.2f}"),
    ]
    lines = ["| `lite`, on faces and clips that were never trained on | |", "|---|--:|"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    lines += ["", f"Machine: {latency['machine']}.", ""]
    lines += [*_faster(latency.get("rivals", [])), *_rivals(_read("jitter"))]
    return "\n".join(lines)


def _speed(latency: dict[str, Any]) -> list[tuple[str, str]]:
    """What of it the benchmark measured when it last ran."""
    start = latency.get("start", {})
    known = [
        ("frames per second, 640x480, one face, overlay and CSV", latency.get("fps"), ".0f"),
        ("the same, 1280x720, four faces", latency.get("fps_four_faces"), ".0f"),
        ("of a frame, the network alone, ms", latency.get("network"), ".1f"),
        ("start to the first row on disk, s", start.get("first_result_s"), ".1f"),
        ("peak memory, MB", start.get("peak_memory_mb"), ".0f"),
    ]
    return [(name, format(value, form)) for name, value, form in known if value is not None]


def _faster(rows: list[dict[str, Any]]) -> list[str]:
    """Frames per second of every tracker on every clip; nothing where none was measured."""
    clips = list(dict.fromkeys(row["clip"] for row in rows if "clip" in row))
    fps = {(row["tracker"], row["clip"]): row["fps"] for row in rows if "clip" in row}
    if not clips:
        return []
    lines = [
        "Detection and landmarks alone, on the same clips, in turns "
        "(`python -m benchmarks.latency --rivals`); frames per second:",
        "",
        f"| tracker | {' | '.join(clips)} |",
        "|---|" + "--:|" * len(clips),
    ]
    for tracker in dict.fromkeys(row["tracker"] for row in rows):
        cells = [f"{fps[tracker, c]:.0f}" if (tracker, c) in fps else "absent" for c in clips]
        lines.append(f"| {tracker} | {' | '.join(cells)} |")
    return [*lines, ""]


def _rivals(jitter: dict[str, Any]) -> list[str]:
    head, *rows = readme_rows(jitter)
    rule = ["---", *["--:"] * (len(head) - 1)]
    where = f"{jitter['clips']} clips of {jitter['faces']} faces and films"
    return [
        "Our filter and others over the same clips and the same raw landmarks (`default` is ours; "
        "lengths in % of the eye distance; Face Mesh is measured on its own points):",
        "",
        *("| " + " | ".join(row) + " |" for row in (head, rule, *rows)),
        "",
        f"{where}; {len(jitter['missed'])} more were left out, for the face was not followed; "
        f"machine: {jitter['machine']}.",
    ]


def _held_out(accuracy: dict[str, Any], crop: str) -> dict[str, Any]:
    rows = [row for row in accuracy["rows"] if (row["split"], row["crop"]) == ("held-out", crop)]
    return dict(rows[0])


def with_figures(readme: str) -> str:
    """The README with today's table between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{figures()}\n\n{END}{after}"


def main() -> None:
    """Rewrite README.md."""
    path = ROOT / "README.md"
    path.write_text(with_figures(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
