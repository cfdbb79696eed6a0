"""How good are head pose and expression, and what do they cost?

    python -m benchmarks.analysis --data ../shared/data [--face-landmarker FILE] [--weights W]

Rendered heads that the linear face was not learned from, each in its own picture; the tracker's
landmarks and, as the best case, the true ones. "Centred" takes the mean rotation out that lies
between Face Landmarker's idea of straight ahead and the renderer's. Then the still portrait with
noise, and the time of a frame with and without the analysis, in turns.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from models.eye_reader import load_eye_reader
from models.loading import load_landmarker
from tracker.analysis.eye_reading import read_eyes
from tracker.analysis.face_analyser import FaceAnalyser
from tracker.analysis.rotations import yaw_pitch_roll_deg
from tracker.face_tracker import FaceTracker
from tracker.io.picture_reader import read_picture
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from tracker.layouts import IBUG_68
from tracker.types import Face
from train.face_model import find_faces, true_landmarks
from train.rendered_heads import RenderedHeads, heads_folder, read_rendered_heads

from ..harness import argument_parser, machine, rich_table, run_command, wide_console
from .face_landmarker import FaceLandmarker
from .head_scores import FOLLOWED, HeadReading, Readings, centered, correlations, pose_rows

_STILL_S, _SETTLED_S = 4.0, 1.0


def read_heads(
    heads: RenderedHeads, folder: Path, faces: Sequence[Face | None], *, stated: bool
) -> Readings:
    """What the analyser makes of each head, with or without its field of view."""
    side = round(2 * heads.center_px + 1)
    readings: list[HeadReading | None] = []
    reader = load_eye_reader()
    for focal_px, picture, face in zip(heads.focal_px, heads.pictures, faces, strict=True):
        fov_deg = float(np.degrees(2 * np.arctan(side / 2 / focal_px))) if stated else None
        analyser = FaceAnalyser(side, side, fov_deg=fov_deg)
        found = [face] if face else []
        eyes = read_eyes(read_picture(folder / picture), found, reader)
        analysis = analyser.analyse(found, 0.0, eyes=eyes)[0].analysis if face else None
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


def still_portrait(weights: str, path: Path | None) -> list[list[str]]:
    """Frame-to-frame standard deviation of the angles in degrees, and milliseconds a frame."""
    camera = SimulatedCamera(portrait(), still_then_moving(_STILL_S), _STILL_S)
    ours, theirs = [], []
    spent = {"without": 0.0, "with": 0.0}
    with FaceTracker(load_landmarker(weights)) as tracker, camera:
        analyser: FaceAnalyser | None = None
        reader = load_eye_reader()
        for frame in camera:
            started = perf_counter()
            faces = tracker.update(frame.image, frame.time_s)
            tracked = perf_counter()
            height, width = frame.image.shape[:2]
            analyser = analyser or FaceAnalyser(width, height)
            eyes = read_eyes(frame.image, faces, reader)
            (face,) = analyser.analyse(faces, frame.time_s, eyes=eyes)
            assert face.analysis is not None
            ours.append(yaw_pitch_roll_deg(face.analysis.pose.rotation))
            if frame.time_s >= _SETTLED_S:
                spent["without"] += tracked - started
                spent["with"] += perf_counter() - started
    if path:
        with FaceLandmarker(path, video=True) as rival, camera:
            for frame in camera:
                found = rival(frame.image, frame.time_s)
                theirs += [yaw_pitch_roll_deg(found[0])] if found else []
    settled = round(_SETTLED_S * camera.frame_rate)
    rows = [
        [name, *(f"{np.diff(np.array(angles[settled:]), axis=0).std(0)[i]:.4f}" for i in range(3))]
        for name, angles in (("ours", ours), ("Face Landmarker, video", theirs))
        if angles
    ]
    frames = len(ours) - settled
    milliseconds = [1000 * spent[name] / frames for name in ("without", "with")]
    rows.append(["frame, ms, without and with analysis", *(f"{m:.2f}" for m in milliseconds),
                 f"x {milliseconds[1] / milliseconds[0]:.2f}"])  # fmt: skip
    return rows


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    folder, console = heads_folder(arguments.data), wide_console()
    heads = read_rendered_heads(folder / "landmarks.csv")
    heads = heads[np.flatnonzero(heads.is_held_out)]
    found = find_faces(heads, folder, arguments.weights)
    true = [
        Face(0, 1.0, seen, seen, layout=IBUG_68)
        for seen in (true_landmarks(heads, head) for head in range(len(heads)))
    ]
    methods = {
        "ours": read_heads(heads, folder, found, stated=False),
        "ours, field of view stated": read_heads(heads, folder, found, stated=True),
        "ours, true landmarks, stated": read_heads(heads, folder, true, stated=True),
    }
    if arguments.face_landmarker:
        rival = read_by_rival(heads, folder, arguments.face_landmarker)
        methods |= {"Face Landmarker": rival, "Face Landmarker, centred": centered(rival, heads)}
    rows = [[name, *row] for name, read in methods.items() for row in pose_rows(read, heads)]
    columns = ["method", "yaw", "found", "median, °", "P95, °", "90 % holds"]
    console.print(rich_table(columns, rows, title="Head pose, error", text=2))
    followed = [
        [name, *(f"{value:.2f}" for value in correlations(read, heads).values())]
        for name, read in methods.items()
    ]
    console.print(rich_table(["method", *FOLLOWED], followed, title="Correlation with the truth"))
    still = still_portrait(arguments.weights, arguments.face_landmarker)
    console.print(
        rich_table(
            ["", "yaw, °", "pitch, °", "roll, °"],
            still,
            title="Still portrait, change from frame to frame",
        )
    )
    console.print(machine())


def main(command: list[str] | None = None) -> None:
    """Read the flags and run."""
    parser = argument_parser("analysis", __doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds free/")
    parser.add_argument("--weights", default="lite", help="of the network (default: lite)")
    parser.add_argument(
        "--face-landmarker", type=Path, metavar="FILE", help="Face Landmarker's .task file"
    )
    run_command(parser, benchmark, command)


if __name__ == "__main__":
    main()
