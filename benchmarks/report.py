"""Print the figures of README from `benchmarks/results/`, and put them there.

python -m benchmarks.report                    # rewrites README.md between its two marks
python -m benchmarks.report --page all.html    # and a page of everything that is stored
"""

import argparse
from pathlib import Path

from train.whole_file import write_whole

from .harness import RESULTS, Json, argument_parser, markdown_table, read_json, run_command
from .jitter.figure_tables import README_COLUMNS, filled
from .jitter.score.brief_scores import readme_table
from .stored_page import stored_page

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- figures: python -m benchmarks.report -->", "<!-- end of figures -->"


def figures() -> str:
    """The tables as Markdown."""
    accuracy, latency = _stored("accuracy"), _stored("latency")
    portrait, start = _stored("still_portrait"), latency["start"]
    exact, whole = _held_out(accuracy, "truth"), _held_out(accuracy, "detector")
    jitter = (portrait[f"{kind}_jitter_percent"] for kind in ("raw", "filtered"))
    rows = [
        ("NME, exact crop, % of the outer eye distance", f"{exact['nme_percent']:.2f}"),
        ("NME in pictures, detector included", f"{whole['nme_percent']:.2f}"),
        ("faces missed", f"{whole['missed']} of {whole['faces']}"),
        ("frames per second, 640x480, one face, overlay and CSV", f"{latency['fps']:.0f}"),
        ("the same, 1280x720, four faces", f"{latency['fps_four_faces']:.0f}"),
        ("of a frame, the network alone, ms", f"{latency['network']:.1f}"),
        ("start to the first row on disk, s", f"{start['first_result_s']:.1f}"),
        ("peak memory, MB", f"{start['peak_memory_mb']:.0f}"),
        (
            f"jitter of one still portrait, median of {portrait['seeds']} seeds of noise, "
            "raw → filtered, % of the eye distance",
            " → ".join(f"{percent:.3f}" for percent in jitter),
        ),
        ("lag of the moving portrait, frames", f"{portrait['filtered_lag_frames']:.2f}"),
    ]
    table = markdown_table(("`lite`, on faces and clips that were never trained on", ""), rows)
    lines = [*table, "", f"Machine: {latency['machine']}.", ""]
    return "\n".join(
        [
            *lines,
            *_rivals(latency["rivals"]),
            *(_stability(_stored("stability")) if _is_stored("stability") else ()),
            *(_real_films(_stored("real_films")) if _is_stored("real_films") else ()),
            *_filters(_stored("jitter")),
        ]
    )


def _stored(name: str) -> Json:
    return read_json(RESULTS / f"{name}.json")


def _is_stored(name: str) -> bool:
    return (RESULTS / f"{name}.json").is_file()


def _held_out(accuracy: Json, crop: str) -> Json:
    rows = [row for row in accuracy["rows"] if (row["split"], row["crop"]) == ("held-out", crop)]
    return dict(rows[0])


def _rivals(rows: list[Json]) -> list[str]:
    """Frames per second of every tracker on every clip."""
    clips = list(dict.fromkeys(row["clip"] for row in rows if "clip" in row))
    fps = {(row["tracker"], row["clip"]): row["fps"] for row in rows if "clip" in row}
    table = [
        (name, *(f"{fps[name, c]:.0f}" if (name, c) in fps else "absent" for c in clips))
        for name in dict.fromkeys(row["tracker"] for row in rows)
    ]
    return [
        "Detection and landmarks alone, on the same clips, interleaved "
        "(`python -m benchmarks.latency --rivals`); frames per second:",
        "",
        *markdown_table(("tracker", *clips), table),
        "",
    ]


def _stability(scores: Json) -> list[str]:
    kit = scores["kit"]
    return [
        f"Trackers and filters on the stability kit: {kit['clips']} clips of {kit['people']} "
        f"people, {kit['heads']} of them of rendered heads, all free to give away, kit version "
        f"{kit['version']}, seed {kit['seed']}; means over clips, with 95 % intervals by bootstrap "
        f"over clips; what each figure is stands on the page of rules (`{scores['command']}`):",
        "",
        *readme_table(scores),
        "",
        f"Machine: {scores['machine']}.",
        "",
    ]


def _real_films(ranks: Json) -> list[str]:
    rows = [
        (
            pair["title"],
            f"{len(pair['methods'])}",
            f"{pair['spearman']:.2f} ({pair['spearman_low']:.2f} to {pair['spearman_high']:.2f})",
        )
        for pair in ranks["pairs"]
    ]
    return [
        "Do virtual clips rank trackers and filters as real films do? Rank correlations of methods "
        f"on the kit and on {len(ranks['films'])} films, {ranks['with_truth']} of them annotated, "
        f"the first {ranks['seconds']:g} s of each, with 95 % intervals by bootstrap over clips "
        f"and films (`{ranks['command']}`):",
        "",
        *markdown_table(("figures compared", "methods", "Spearman"), rows),
        "",
    ]


def _filters(jitter: Json) -> list[str]:
    return [
        "Our filter and others over the same clips and the same raw landmarks "
        "(`python -m benchmarks.jitter`; `default` is ours; medians over the clips; lengths in % "
        "of the eye distance; factors against the raw landmarks; Face Mesh is measured on its own "
        "points):",
        "",
        *markdown_table(*filled(jitter, README_COLUMNS)),
        "",
        f"{jitter['clips']} clips of {jitter['faces']} faces, {jitter['videos']} videos; "
        f"{len(jitter['lost'])} more clips were left out, for the face was not followed; machine: "
        f"{jitter['machine']}.",
    ]


def with_figures(readme: str) -> str:
    """The README with the stored figures between its marks."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{figures()}\n\n{END}{after}"


def rewrite(arguments: argparse.Namespace) -> None:
    """Rewrite README.md, and write the page where it is asked for."""
    path = ROOT / "README.md"
    path.write_text(with_figures(path.read_text(encoding="utf-8")), encoding="utf-8")
    if arguments.page is not None:
        write_whole(arguments.page, stored_page().encode())


def main() -> None:
    """Parse the flags and write."""
    parser = argument_parser("report", __doc__)
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="all that is stored")
    run_command(parser, rewrite)


if __name__ == "__main__":
    main()
