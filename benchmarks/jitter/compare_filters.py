"""How much does a still face jitter, how late is a moving one, and how do other filters compare?

    python -m benchmarks.jitter compare --data 300w --clips videos --plot jitter.png

Virtual clips of the portrait, and of faces that were never trained on, go through the tracker
once; its raw measurements are kept and every filter smooths the same ones. Videos have no truth:
they show how smooth a filter is, not how accurate. Figures are medians over the clips.
"""

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path

from rich.progress import track

from train.synthetic.kinds import CLIPS
from train.whole_file import write_whole

from ..harness import argument_parser, run_command, save_json, wide_console
from .figure_tables import for_storage, sentences, tables
from .figures import FigureRow, measure
from .methods import BASELINE, METHODS, RAW
from .plots import draw
from .recordings import FOLDER, Recording
from .results import Material, result_of, with_ratios
from .virtual_clips import RecordingCache, Subject, recordings_of, subjects, videos_in

_LEAST_MEASURED = 0.5
"""Share of a clip's frames that must be measured for filters to be compared on it."""
_QUICK = ("still", "pan", "step", "blink")
_QUICK_EVERY = 8
"""A quick curve has each n-th of its points."""


def gather(
    cache: RecordingCache, faces: Sequence[Subject], kinds: Sequence[str], videos: list[Path]
) -> Material:
    """Every recording; those that rarely have a measurement are named, not used."""
    made = list(recordings_of(cache, faces, kinds))
    lost = [f"{r.name} {r.kind}" for r in made if r.is_measured.mean() < _LEAST_MEASURED]
    clips = [r for r in made if r.is_measured.mean() >= _LEAST_MEASURED]
    recorded = [cache.video(path) for path in track(videos, "videos")]
    return Material(clips, [r for r in recorded if r.is_measured.any()], lost)


def face_mesh_rows(
    cache: RecordingCache, faces: Sequence[Subject], clips: list[Recording]
) -> list[FigureRow]:
    """MediaPipe's own landmarks on the same clips; nothing where it is not installed."""
    try:
        from . import face_mesh  # noqa: PLC0415 - mediapipe may be missing or without it
    except ImportError:
        return []
    rows = []
    known = {(r.name, r.kind): r for r in clips}
    raw, one_euro = METHODS[RAW], METHODS[BASELINE]
    wanted = [(s, kind) for s in faces for kind in face_mesh.KINDS if (s.name, kind) in known]
    for subject, kind in track(wanted, "Face Mesh"):
        alone, video = face_mesh.record_face_mesh(cache, subject, kind)
        if alone.is_measured.mean() < _LEAST_MEASURED:
            continue
        for method, recording, output in (
            (face_mesh.ALONE, alone, raw.smooth(alone, None)),
            (face_mesh.VIDEO, video, raw.smooth(video, None)),
            (face_mesh.SMOOTHED, video, one_euro.smooth(video, one_euro.setting)),
        ):
            found = measure(recording, output, known[subject.name, kind])
            rows.append(FigureRow(method, subject.name, kind, found))
    return with_ratios(rows, face_mesh.ALONE, face_mesh.METHODS)


def benchmark(arguments: argparse.Namespace) -> None:
    """Record, filter, measure, print and write.

    Raises:
        FaceTrackError: If the data set or a video cannot be read.
    """
    quick = arguments.quick
    cache = RecordingCache(
        weights=arguments.weights,
        folder=arguments.cache,
        fresh=arguments.fresh,
        seconds=arguments.seconds or (2.0 if quick else 4.0),
        video_s=arguments.video_s,
    )
    faces = subjects(None if quick else arguments.data, arguments.faces)
    kinds = _QUICK if quick else tuple(arguments.kinds or CLIPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over clips without a figure
        material = gather(cache, faces, kinds, videos_in(arguments.clips))
        extra = [] if quick else face_mesh_rows(cache, faces, material.clips)
        result, curves, settings = result_of(material, extra, every=_QUICK_EVERY if quick else 1)
    console = wide_console()
    for table in tables(result):
        console.print(table)
    for line in sentences(result):
        console.print(line)
    save_json(arguments.json, for_storage(result))
    if arguments.plot:
        write_whole(arguments.plot, draw(curves, material.clips, settings))


def main(command: Sequence[str] | None = None) -> None:
    """Parse the flags and measure."""
    parser = argument_parser("jitter compare", __doc__)
    parser.add_argument("--clips", type=Path, metavar="DIR", help="videos without a truth, too")
    parser.add_argument("--data", type=Path, metavar="DIR", help="faces: the part held out of 300W")
    parser.add_argument("--faces", type=int, default=4, help="so many of them (default: 4)")
    parser.add_argument("--kinds", nargs="+", choices=list(CLIPS), help="of clips (default: all)")
    parser.add_argument("--seconds", type=float, help="per clip (default: 4, quick: 2)")
    parser.add_argument("--video-s", type=float, default=10.0, help="of each video (default: 10)")
    parser.add_argument("--quick", action="store_true", help="the portrait and four kinds only")
    parser.add_argument("--fresh", action="store_true", help="record again what is in the cache")
    parser.add_argument("--cache", type=Path, default=FOLDER, help="(default: runs/recordings)")
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw the trade-off and some clips"
    )
    run_command(parser, benchmark, command)
