"""The picture on top of README: an overlay with ellipses, and raw landmarks against filtered ones.

    python -m benchmarks.result_picture --output docs/result.png

All of it comes from tracking the demo's clip: a public-domain portrait in a simulated camera.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import models
from tracker.cli.demo import demo_camera
from tracker.crop import crop_from_square, transform, transform_covariance
from tracker.detection.boxes import box_around
from tracker.face_tracker import FaceTracker
from tracker.io.drawing import draw_estimate
from tracker.types import Face, Image, LandmarkEstimate

_STILL = slice(30, 120)
"""Frames in which the portrait is still and the filter has settled."""
_SHOWN = 150
"""Frame of the overlay, in which the portrait moves."""
_LANDMARK = 36
"""Outer corner of the right eye."""
_SIDE_PX = 480
_RAW, _FILTERED = "#ff6e5a", "#2f9e44"


def main() -> None:
    """Track the demo's clip and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("docs/result.png"))
    arguments = parser.parse_args()
    camera, raw, filtered, moved = demo_camera(), [], [], []
    overlay: Image | None = None
    with FaceTracker(models.load_landmarker()) as tracker:
        for frame in camera:
            (face,) = tracker.update(frame.image, frame.time_s)
            assert face.measured is not None
            raw.append(face.measured.mean[_LANDMARK])
            filtered.append(face.landmarks.mean[_LANDMARK])
            moved.append(camera.path(frame.time_s))
            if frame.index == _SHOWN:
                overlay = _enlarged(frame.image, face)
    assert overlay is not None
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.1, 1, 1.5))
    _show(left, overlay)
    _scatter(middle, np.array(raw)[_STILL], np.array(filtered)[_STILL])
    photograph = transform(np.linalg.inv(moved[0]), np.mean(filtered[_STILL], 0))
    truth = np.array([transform(matrix, photograph) for matrix in moved])
    _course(right, np.array(raw), np.array(filtered), truth, camera.frame_rate)
    figure.savefig(arguments.output, dpi=88)
    print(f"wrote {arguments.output}")  # noqa: T201


def _enlarged(image: Image, face: Face) -> Image:
    """The face alone, enlarged before anything is drawn on it."""
    box = box_around(face.landmarks.mean)
    matrix = crop_from_square(box.center_x, box.center_y, 1.5 * box.side, _SIDE_PX)
    landmarks = LandmarkEstimate(
        transform(matrix, face.landmarks.mean),
        transform_covariance(matrix, face.landmarks.covariance),
    )
    crop = cv2.warpAffine(image, matrix[:2], (_SIDE_PX, _SIDE_PX), flags=cv2.INTER_CUBIC)
    draw_estimate(crop, landmarks, face.layout, (80, 220, 100), ellipses=True)
    return crop


def _show(axes: Axes, overlay: Image) -> None:
    axes.imshow(overlay)
    axes.set_title("68 landmarks, each with its 95 % ellipse", fontsize=10)
    axes.axis("off")


def _scatter(axes: Axes, raw: np.ndarray, filtered: np.ndarray) -> None:
    """Where a still eye corner is found in three seconds."""
    center = filtered.mean(0)
    for track, colour, name in ((raw, _RAW, "raw"), (filtered, _FILTERED, "filtered")):
        away = track - center
        axes.plot(away[:, 0], away[:, 1], ".", color=colour, markersize=5, label=name)
    axes.set_title("a still eye corner, 90 frames", fontsize=10)
    axes.set_xlabel("pixels")
    axes.set_aspect("equal", "datalim")
    axes.invert_yaxis()
    axes.legend(fontsize=9, loc="lower right")


def _course(
    axes: Axes, raw: np.ndarray, filtered: np.ndarray, truth: np.ndarray, rate: float
) -> None:
    """The error over the whole clip: still for four seconds, then moving."""
    times = np.arange(len(raw)) / rate
    for track, colour, name in ((raw, _RAW, "raw"), (filtered, _FILTERED, "filtered")):
        axes.plot(times, (track - truth)[:, 0], color=colour, linewidth=1, label=name)
    axes.axvline(4.0, color="grey", linewidth=0.8, linestyle=":")
    axes.set_title("its horizontal error: still, then moving from 4 s on", fontsize=10)
    axes.set_xlabel("seconds")
    axes.set_ylabel("pixels")


if __name__ == "__main__":
    main()
