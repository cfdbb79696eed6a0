"""How good are head pose and expression, and what do they cost?

    python -m benchmarks.analysis --data ../shared/data [--face-landmarker FILE] [--weights W]

Rendered heads that the linear face was not learned from, each in its own picture; the tracker's
landmarks and, as the best case, the true ones. "Centred" takes the mean rotation out that lies
between Face Landmarker's idea of straight ahead and the renderer's. The rendered eyes are white, so
irises are drawn in to measure gaze. Then blinks, virtual ones and those of rendered clips, the
still portrait with noise, and the time of a frame with and without the analysis, in turns.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

import models
from models.loading import load_landmarker
from tracker.analysis.analysis_networks import read_for_analysis
from tracker.analysis.face_analyser import FaceAnalyser
from tracker.cli.asked_networks import load_analysis_networks
from tracker.face_tracker import FaceTracker
from tracker.io.picture_reader import read_picture
from tracker.layouts import IBUG_68
from tracker.types import Face
from train.datasets import is_held_out, person_of
from train.face_model import find_faces, true_landmarks
from train.rendered_heads import RenderedHeads, heads_folder, read_rendered_heads

from ..harness import argument_parser, machine, rich_table, run_command, save_json, wide_console
from .clip_scores import BlinkScore, clip_scores, film_blinks, virtual_blinks
from .face_landmarker import FaceLandmarker
from .gaze_scores import GazeScore, gaze_scores
from .head_scores import (
    FOLLOWED,
    HeadReading,
    Readings,
    centered,
    coefficient_rows,
    correlations,
    pose_rows,
)
from .still_head import still_portrait


class Table(NamedTuple):
    """What is printed and kept."""

    columns: tuple[str, ...]
    rows: list[list[str]]


def read_heads(
    heads: RenderedHeads, folder: Path, faces: Sequence[Face | None], *, stated: bool,
    by_networks: bool = True,
) -> Readings:  # fmt: skip
    """What the analyser makes of each head, with or without its field of view, or its networks."""
    side = round(2 * heads.center_px + 1)
    readings: list[HeadReading | None] = []
    readers = load_analysis_networks(models) if by_networks else None
    for focal_px, picture, face in zip(heads.focal_px, heads.pictures, faces, strict=True):
        fov_deg = float(np.degrees(2 * np.arctan(side / 2 / focal_px))) if stated else None
        analyser = FaceAnalyser(side, side, fov_deg=fov_deg)
        found = [face] if face else []
        read = read_for_analysis(read_picture(folder / picture), found, readers)
        analysed = analyser.analyse(found, 0.0, eyes=read.eyes, expressions=read.expressions)
        analysis = analysed[0].analysis if face else None
        if analysis is None:
            readings.append(None)
            continue
        said = {name: estimate.value for name, estimate in analysis.expression.items()}
        deviation = np.sqrt(np.diagonal(analysis.pose.covariance)[:3])
        readings.append(HeadReading(analysis.pose.rotation, said, deviation))
    return readings


def read_by_rival(heads: RenderedHeads, folder: Path, path: Path) -> Readings:
    """What Face Landmarker makes of each head."""
    readings: list[HeadReading | None] = []
    with FaceLandmarker(path, video=False) as rival:
        for picture in heads.pictures:
            found = rival(read_picture(folder / picture))
            readings.append(HeadReading(*found) if found else None)
    return readings


def table_of_gaze(scores: dict[str, GazeScore]) -> list[list[str]]:
    """A row for each way to find pupils and heads."""
    return [
        [name, f"{one.eyes} of {one.drawn}", f"{one.median_deg:.1f}", f"{one.p95_deg:.1f}",
         f"{100 * one.within_90:.0f}"]
        for name, one in scores.items()
    ]  # fmt: skip


def table_of_blinks(scores: dict[str, BlinkScore]) -> list[list[str]]:
    """A row for each kind of clip."""
    return [
        [name, f"{one.found} of {one.true}", f"{one.false} in {one.minutes:.1f} min"]
        for name, one in scores.items()
    ]


def heads_to_read(data: Path, *, unseen_by_network: bool) -> RenderedHeads:
    """Those that the linear face was not learned from, or those that no network was trained on."""
    heads = read_rendered_heads(heads_folder(data) / "landmarks.csv")
    if not unseen_by_network:
        return heads[np.flatnonzero(heads.is_held_out)]
    unseen = [is_held_out(person_of(Path(picture))) for picture in heads.pictures]
    return heads[np.flatnonzero(unseen)]


def measure(arguments: argparse.Namespace) -> dict[str, Table]:
    """Everything that is asked for, as tables by their title."""
    heads = heads_to_read(arguments.data, unseen_by_network=arguments.unseen_by_network)
    methods = read_by_all(heads, arguments)
    followed = {name: correlations(read, heads) for name, read in methods.items()}
    tables = {
        "Head pose, error": Table(
            ("method", "yaw", "found", "median, °", "P95, °", "90 % holds"),
            [[name, *row] for name, read in methods.items() for row in pose_rows(read, heads)],
        ),
        "All coefficients, correlation with the truth": Table(
            ("coefficient", *methods), coefficient_rows(methods, heads)
        ),
    }
    if not arguments.only_heads:
        tables |= measure_films(heads, arguments, followed)
    tables["Correlation with the truth"] = Table(
        ("method", *FOLLOWED),
        [[name, *(f"{value:.2f}" for value in r.values())] for name, r in followed.items()],
    )
    return tables


def read_by_all(heads: RenderedHeads, arguments: argparse.Namespace) -> dict[str, Readings]:
    """What each method makes of the heads."""
    folder, path = heads_folder(arguments.data), arguments.face_landmarker
    found = find_faces(heads, folder, arguments.weights)
    true = [
        Face(0, 1.0, seen, seen, layout=IBUG_68)
        for seen in (true_landmarks(heads, head) for head in range(len(heads)))
    ]
    methods = {
        "ours": read_heads(heads, folder, found, stated=False),
        "ours, field of view stated": read_heads(heads, folder, found, stated=True),
        "ours, stated, landmarks alone": read_heads(
            heads, folder, found, stated=True, by_networks=False
        ),
        "ours, true landmarks, stated": read_heads(heads, folder, true, stated=True),
    }
    if path:
        rival = read_by_rival(heads, folder, path)
        methods |= {"Face Landmarker": rival, "Face Landmarker, centred": centered(rival, heads)}
    return methods


def measure_films(
    heads: RenderedHeads, arguments: argparse.Namespace, followed: dict[str, dict[str, float]]
) -> dict[str, Table]:
    """Gaze, blinks and the still portrait; the correlations in clips go to `followed`."""
    tables, path, readers = {}, arguments.face_landmarker, load_analysis_networks(models)
    with ExitStack() as opened:
        irises = opened.enter_context(FaceLandmarker(path, video=False)).irises if path else None
        folder = heads_folder(arguments.data)
        gaze = gaze_scores(heads, folder, arguments.weights, readers.eyes, irises)
    columns = ("head and pupils", "eyes", "median, °", "P95, °", "90 % holds")
    tables["Gaze, error, irises drawn in"] = Table(columns, table_of_gaze(gaze))
    with FaceTracker(load_landmarker(arguments.weights)) as tracker:
        rendered, in_clips = clip_scores(arguments.data / "free" / "head_clips", tracker, readers)
        blinks = {
            "virtual, photographs": virtual_blinks(arguments.data, tracker, readers),
            "rendered clips": rendered,
        }
        if arguments.videos:
            films = film_blinks(arguments.videos, tracker, readers)
            tables["Blinks said of films, to be judged by eye"] = Table(
                ("film", "minutes", "blinks end at, s"), films
            )
    tables["Blinks"] = Table(("clips", "found", "false"), table_of_blinks(blinks))
    followed["ours, clips over time"] = in_clips
    tables["Still portrait, change from frame to frame"] = Table(
        ("", "yaw, °", "pitch, °", "roll, °"), still_portrait(arguments.weights, path)
    )
    return tables


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure, print, write."""
    tables, console = measure(arguments), wide_console()
    for title, (columns, rows) in tables.items():
        console.print(rich_table(columns, rows, title=title, text=2))
    console.print(machine())
    named = {
        title: [dict(zip(columns, row, strict=False)) for row in rows]
        for title, (columns, rows) in tables.items()
    }
    save_json(arguments.json, {"machine": machine(), "weights": arguments.weights, **named})


def main(command: list[str] | None = None) -> None:
    """Read the flags and run."""
    parser = argument_parser("analysis", __doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds free/")
    parser.add_argument("--weights", default="lite", help="of the network (default: lite)")
    parser.add_argument(
        "--face-landmarker", type=Path, metavar="FILE", help="Face Landmarker's .task file"
    )
    parser.add_argument(
        "--unseen-by-network", action="store_true",
        help="heads that no landmark network was trained on; most made the linear face",
    )  # fmt: skip
    parser.add_argument(
        "--only-heads", action="store_true", help="pose and coefficients of single pictures alone"
    )
    parser.add_argument("--videos", type=Path, metavar="DIR", help="films: which blinks are said")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    run_command(parser, benchmark, command)


if __name__ == "__main__":
    main()
