"""Does every person keep one id, and does no id go on with another person?

    python -m benchmarks.identity
    python -m benchmarks.identity --scenes "two cross,cut and back" --film /tmp/scenes

Virtual scenes with held-out people of YouTube Faces: half of them, whom no threshold was set on;
`--people tune` takes the others. HOTA, IDF1, switches and fragmentations are TrackEval's; "mixed
ids" are ids that were on two people. Faces that are half covered count neither way; faces that are
only predicted are not counted.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from models import load_face_detector, load_landmarker
from tracker import AnyRollDetector, FaceTracker, TrackerConfig, draw_faces
from tracker.errors import FaceTrackError
from tracker.types import Face

from ..harness import (
    RESULTS,
    argument_parser,
    machine,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from .identity_scenes import scenes_from
from .identity_scores import Boxes, Scores, SeenFrame, overlaps_of, scores_of
from .identity_stage import RATE, StagedShot, drawn
from .people import HALVES

_UNSURE = 0.3
"""Overlap with a half covered face from which an answer counts neither way."""


def main(command: list[str] | None = None) -> None:
    """Parse flags, track all scenes, print and keep the scores."""
    parser = argument_parser("identity", __doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), metavar="DIR")
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    parser.add_argument("--remember", type=float, metavar="S", help="seconds, as run_tracker's")
    parser.add_argument("--people", choices=HALVES, default=HALVES[0], help="default: %(default)s")
    parser.add_argument("--scenes", help="names, with commas between (default: all)")
    parser.add_argument("--film", type=Path, metavar="DIR", help="write every scene with its ids")
    parser.add_argument("--json", type=Path, default=RESULTS / "identity.json", metavar="F")
    run_command(parser, _run, command)


def _run(arguments: argparse.Namespace) -> None:
    scenes = scenes_from(arguments.data, arguments.people)
    names = arguments.scenes.split(",") if arguments.scenes else list(scenes)
    if unknown := [name for name in names if name not in scenes]:
        raise FaceTrackError(f"--scenes {unknown[0]}: known are {', '.join(scenes)}")
    remember = {} if arguments.remember is None else {"remember_s": arguments.remember}
    config = TrackerConfig(max_faces=24, **remember)
    landmarker = load_landmarker(arguments.weights, "cpu")
    tracked = []
    with AnyRollDetector(load_face_detector()) as detector:
        for name in names:
            tracker = FaceTracker(landmarker, detector, config)
            film = arguments.film and arguments.film / f"{name.replace(' ', '_')}.mp4"
            tracked.append(_tracked(scenes[name], tracker, film))
    rows = dict(zip([*names, "all"], scores_of(tracked), strict=True))
    _show(rows)
    is_whole = len(names) == len(scenes) and arguments.people == HALVES[0]
    described = {
        "machine": machine(), "weights": Path(arguments.weights).name, "scenes": rows,
        "people": arguments.people, "remember_s": config.remember_s,
    }  # fmt: skip
    save_json(arguments.json if is_whole else None, described, digits=4)


def _tracked(
    shots: list[StagedShot], tracker: FaceTracker, film: Path | None
) -> tuple[list[SeenFrame], list[SeenFrame]]:
    """Truth and answer of every frame of a scene."""
    truth, answer = [], []
    writer = None
    for index, frame in enumerate(drawn(shots)):
        faces = tracker.update(frame.image, index / RATE)
        truth.append(frame.truth)
        answer.append(_seen(faces, frame.truth.boxes, frame.unsure))
        if film is not None:
            if writer is None:
                film.parent.mkdir(parents=True, exist_ok=True)
                size = frame.image.shape[1::-1]
                writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"mp4v"), RATE, size)
            writer.write(cv2.cvtColor(draw_faces(frame.image, faces), cv2.COLOR_RGB2BGR))
    if writer is not None:
        writer.release()
    return truth, answer


def _seen(faces: list[Face], sure: Boxes, unsure: Boxes) -> SeenFrame:
    """The answer without predictions and without what lies on half covered faces."""
    seen = [face for face in faces if not face.is_predicted]
    corners = [[*f.landmarks.mean.min(0), *f.landmarks.mean.max(0)] for f in seen]
    boxes = np.array(corners).reshape(-1, 4)
    doubtful = overlaps_of(boxes, unsure).max(1, initial=0)
    counts = (doubtful < _UNSURE) | (overlaps_of(boxes, sure).max(1, initial=0) > doubtful)
    return SeenFrame([f.track_id for f, c in zip(seen, counts, strict=True) if c], boxes[counts])


def _show(rows: dict[str, Scores]) -> None:
    headings = ["scene", *next(iter(rows.values()))]
    cells = [
        [name, *(f"{v}" if isinstance(v, int) else f"{v:.3f}" for v in row.values())]
        for name, row in rows.items()
    ]
    wide_console().print(rich_table(headings, cells, title="identity on virtual scenes"))


if __name__ == "__main__":
    main()
