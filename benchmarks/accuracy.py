"""How far off are the landmarks, detector included, on faces that were never trained on?

    python -m benchmarks.accuracy --data 300w

Every held-out picture goes through the whole tracker as a still; the face nearest to the
annotation is compared with it. "Exact crop" leaves the detector out, as published tables do.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from rich.table import Table

import models
from tracker.detection import MediaPipeDetector
from tracker.layouts import LAYOUTS, Layout
from tracker.pipeline import FaceTracker
from tracker.types import Frame
from train.augment import exact_crop
from train.datasets import HELD_OUT_SEED, HELD_OUT_SHARE, Sample, hold_out, read_300w
from train.metrics import failure_rate, normalised_mean_error

from .measure import machine

_FAR = 0.5
"""A face whose mean is further from the annotation's than this, in eye distances, is another."""


def on_exact_crops(
    landmarker: models.HeatmapLandmarker, samples: list[Sample], layout: Layout
) -> Float[np.ndarray, " faces"]:
    """Error of every face in the crop that its annotation asks for."""
    size, margin = landmarker.input_px, landmarker.margin
    views = [exact_crop(sample.read_image(), sample.points, size, margin) for sample in samples]
    predicted = np.concatenate([landmarker(crop[None]).mean for crop, _ in views])
    return normalised_mean_error(predicted, np.stack([points for _, points in views]), layout)


def whole_tracker(
    tracker: FaceTracker, samples: list[Sample]
) -> tuple[Float[np.ndarray, " found"], list[Sample]]:
    """Error of every face that was found, and the samples whose face was not."""
    errors, missed = [], []
    for sample in track(samples, "held-out pictures"):
        tracker.reset()
        faces = tracker.step(Frame(0, 0.0, sample.read_image()))
        away = [_away(face.landmarks.mean, sample, tracker) for face in faces]
        if not away or min(away) > _FAR:
            missed.append(sample)
            continue
        nearest = faces[int(np.argmin(away))].landmarks.mean
        errors.append(normalised_mean_error(nearest[None], sample.points[None], tracker.layout)[0])
    return np.array(errors), missed


def _away(points: np.ndarray, sample: Sample, tracker: FaceTracker) -> float:
    distance = np.linalg.norm(points.mean(0) - sample.points.mean(0))
    return float(distance / tracker.layout.interocular(sample.points))


def _summary(nme: Float[np.ndarray, " faces"], missed: int) -> dict[str, float]:
    return {
        "faces": len(nme),
        "missed": missed,
        "nme_percent": round(100 * float(nme.mean()), 2),
        "p90_percent": round(100 * float(np.quantile(nme, 0.9)), 2),
        "over_8_percent": round(100 * failure_rate(nme, 0.08), 2),
    }


def main() -> None:
    """Print both rows, for all folders and for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--weights", default="lite", help="name or path")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    arguments = parser.parse_args()
    landmarker = models.load_landmarker(arguments.weights, "cpu")
    layout = LAYOUTS[landmarker.layout_name]
    _, held_out = hold_out(read_300w(arguments.data), HELD_OUT_SHARE, HELD_OUT_SEED)
    exact = on_exact_crops(landmarker, held_out, layout)
    found, missed = whole_tracker(FaceTracker(landmarker, MediaPipeDetector()), held_out)
    rows = {
        "exact crop": _summary(exact, 0),
        "detector included": _summary(found, len(missed)),
    }
    table = Table("held-out part of 300W", *rows["exact crop"], title=machine())
    for name, row in rows.items():
        table.add_row(name, *map(str, row.values()))
    console = Console()
    console.print(table)
    for sample in missed:
        console.print(f"missed: {sample.image_path}", highlight=False)
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine(), **rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
