"""How still is a still face, how late a moving one, and what do other filters make of the same?

    python -m benchmarks.jitter --data ../shared/data/300w --clips ../shared/videos --html page.html

Virtual clips of the portrait, and of faces that were never trained on, go through the tracker
once; what the network said is kept and every filter smooths the same. Films have no truth: they
say how calm a filter is, not how right. Medians over the clips count.
"""

import argparse
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from tracker.errors import FaceTrackError
from train.synthetic.kinds import CLIPS

from .jitter_clips import Studio, Subject, films_in, recordings_of, subjects
from .jitter_figures import Row, measure
from .jitter_page import page
from .jitter_result import Material, result_of, with_ratios
from .jitter_tables import tables
from .measure import wide_console
from .methods import METHODS, RAW, USUAL
from .recordings import FOLDER, Recording

_LEAST_SEEN = 0.5
"""Share of a clip's frames that must be measured for filters to be compared on it."""
_QUICK = ("still", "pan", "step", "blink")
_QUICK_EVERY = 8
"""A quick curve has each so many-th of its points."""


def gather(
    studio: Studio, faces: Sequence[Subject], kinds: Sequence[str], films: list[Path]
) -> Material:
    """Every recording; those that show the face too seldom are named, not measured."""
    made = list(recordings_of(studio, faces, kinds))
    shot = [studio.film(path) for path in track(films, "films")]
    poor = [f"{r.name} {r.kind}" for r in made if r.seen.mean() < _LEAST_SEEN]
    clips = [r for r in made if r.seen.mean() >= _LEAST_SEEN]
    return Material(clips, [r for r in shot if r.seen.any()], poor)


def face_mesh_rows(studio: Studio, faces: Sequence[Subject], clips: list[Recording]) -> list[Row]:
    """MediaPipe's own landmarks on the same clips; nothing where it is not installed."""
    try:
        from . import face_mesh  # noqa: PLC0415 - mediapipe may be missing or without it
    except ImportError:
        return []
    rows = []
    known = {(r.name, r.kind): r for r in clips}
    one_euro = METHODS[USUAL]
    wanted = [(s, kind) for s in faces for kind in face_mesh.KINDS if (s.name, kind) in known]
    for subject, kind in track(wanted, "Face Mesh"):
        alone, video = face_mesh.look(studio, subject, kind)
        if alone.seen.mean() < _LEAST_SEEN:
            continue
        for method, recording, smoothed in (
            (face_mesh.ALONE, alone, METHODS[RAW].smooth(alone, None)),
            (face_mesh.VIDEO, video, METHODS[RAW].smooth(video, None)),
            (face_mesh.SMOOTHED, video, one_euro.smooth(video, one_euro.knob)),
        ):
            found = measure(recording, smoothed, known[subject.name, kind])
            rows.append(Row(method, subject.name, kind, found))
    return with_ratios(rows, face_mesh.ALONE, face_mesh.METHODS)


def build_parser() -> argparse.ArgumentParser:
    """Every flag."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, metavar="DIR", help="films without truth, too")
    parser.add_argument("--data", type=Path, metavar="DIR", help="faces: the part held out of 300W")
    parser.add_argument("--faces", type=int, default=4, help="so many of them (default: 4)")
    parser.add_argument("--kinds", nargs="+", choices=list(CLIPS), help="of clips (default: all)")
    parser.add_argument("--seconds", type=float, help="per clip (default: 4, quick: 2)")
    parser.add_argument("--film-s", type=float, default=10.0, help="of each film (default: 10)")
    parser.add_argument("--quick", action="store_true", help="the portrait and four kinds only")
    parser.add_argument("--fresh", action="store_true", help="record again what is in the cache")
    parser.add_argument("--cache", type=Path, default=FOLDER, help="(default: runs/recordings)")
    parser.add_argument("--weights", default="lite", help="name or path")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--html", type=Path, help="write a page with pictures there")
    return parser


def run(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Record, filter, measure, print and write."""
    studio = Studio(
        weights=arguments.weights,
        folder=arguments.cache,
        fresh=arguments.fresh,
        seconds=arguments.seconds or (2.0 if arguments.quick else 4.0),
        film_s=arguments.film_s,
    )
    faces = subjects(None if arguments.quick else arguments.data, arguments.faces)
    kinds = _QUICK if arguments.quick else tuple(arguments.kinds or CLIPS)
    material = gather(studio, faces, kinds, films_in(arguments.clips))
    extra = [] if arguments.quick else face_mesh_rows(studio, faces, material.clips)
    result, knobs = result_of(material, extra, every=_QUICK_EVERY if arguments.quick else 1)
    for table in tables(result):
        console.print(table)
    for line in [*result["verdicts"], f"machine: {result['machine']}"]:
        console.print(line, highlight=False)
    if material.missed:
        console.print(f"not followed, left out: {', '.join(material.missed)}", highlight=False)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.html:
        arguments.html.write_text(page(result, material.clips, knobs), encoding="utf-8")
    return result


def main(command: Sequence[str] | None = None) -> None:
    """Parse flags and run."""
    parser = build_parser()
    arguments = parser.parse_args(command)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # means over clips without a figure
            run(arguments, wide_console())
    except FaceTrackError as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
