"""Does an id stay with its person? Virtual scenes of real people, with exact truth.

    python -m benchmarks.identity --data ../shared/data --json benchmarks/results/identity.json

People of YouTube Faces that no network was trained on, cut out of stills, stand, cross, cover each
other, leave and come back, are replaced and cut to before pictures without faces.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import models
from benchmarks.harness import (
    argument_parser,
    machine,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from tracker.detection.boxes import box_around
from tracker.face_tracker import FaceTracker
from tracker.tracker_config import TrackerConfig

from .identity_scores import Followed, scores
from .scene_list import all_scenes
from .virtual_scenes import FPS, Scene, frames_of

_MOST_FACES = 40
_HEADINGS = ("HOTA", "DetA", "AssA", "IDF1", "switches", "fragments")


def followed_in(scene: Scene, tracker: FaceTracker) -> Followed:
    """What the tracker makes of a scene; predicted faces do not count as found."""
    truth, found = [], []
    tracker.reset()
    for index, frame in enumerate(frames_of(scene)):
        faces = tracker.update(frame.image, index / FPS)
        truth.append(frame.faces)
        measured = [face for face in faces if not face.is_predicted]
        found.append({face.track_id: box_around(face.landmarks.mean) for face in measured})
    return Followed(truth, found)


def benchmark(arguments: argparse.Namespace) -> None:
    """Follow all scenes, print the table."""
    scenes = [s for s in all_scenes(arguments.data) if s.name.startswith(arguments.only or "")]
    config = TrackerConfig(max_faces=_MOST_FACES)
    by_scene: dict[str, Followed] = {}
    with FaceTracker(models.load_landmarker(arguments.weights), config=config) as tracker:
        for scene in scenes:
            by_scene[scene.name] = followed_in(scene, tracker)
    rows = {name: scores([one]) for name, one in by_scene.items()}
    rows["all"] = scores(list(by_scene.values()))
    wide_console().print(rich_table(("scene", *_HEADINGS), list(_cells(rows)), text=1))
    kept = {"machine": machine(), "weights": arguments.weights, "scenes": rows}
    save_json(arguments.json, kept, digits=4)


def _cells(rows: dict[str, dict[str, float]]) -> Iterable[list[str]]:
    for name, row in rows.items():
        shares = [f"{row[figure]:.3f}" for figure in _HEADINGS[:4]]
        yield [name, *shares, *(f"{row[figure]:.0f}" for figure in _HEADINGS[4:])]


def main(command: list[str] | None = None) -> None:
    """Parse flags and measure."""
    parser = argument_parser("identity", __doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with ytf68, backgrounds")
    parser.add_argument("--weights", default="lite", help="name or path (%(default)s)")
    parser.add_argument("--only", metavar="TEXT", help="scenes whose names begin so")
    parser.add_argument("--json", type=Path, metavar="F", help="keep the figures")
    run_command(parser, benchmark, command)


if __name__ == "__main__":
    main()
