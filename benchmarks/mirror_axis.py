"""How large is the systematic horizontal bias of a data set's annotations?

    python -m benchmarks.mirror_axis --data 300w

The mean of the predictions for a face and for its mirror image is symmetric, whatever the network
learnt. If annotations lie right of it, by as many pixels in small faces as in large ones, their
origin is not the centre of the first pixel: that number is their `first_pixel`, by which training
mirrors its pictures; otherwise the network would learn two contradictory targets.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.torch_landmarker import HeatmapLandmarker, load_torch_landmarker
from tracker.layouts import find_layout
from train.datasets import DataError, Sample, hold_out, open_data_set
from train.predict import MultiCrop, predict

from .harness import argument_parser, rich_table, run_command

_PARTS = 3
"""Groups of faces by size, equally many in each."""


def horizontal_bias_px(
    landmarker: HeatmapLandmarker, faces: list[Sample]
) -> Float[np.ndarray, "faces 2"]:
    """Distance between the eyes, and how far right of the prediction annotations are, in pixels."""
    landmarker.info = replace(landmarker.info, horizontal_bias=0.0)
    found = predict(landmarker, track(faces, "faces"), MultiCrop(flips=True)).mean
    true = np.stack([face.points for face in faces])
    eyes = find_layout(landmarker.layout_name, landmarker.layout_table).interocular(true)
    return np.stack([eyes, (true - found)[..., 0].mean(1)], -1)


def table_of(biases: Float[np.ndarray, "faces 2"]) -> Table:
    """All faces, then small ones to large ones."""
    rows, by_size = [], biases[np.argsort(biases[:, 0])]
    for group in [by_size, *np.array_split(by_size, _PARTS)]:
        (low, high), offset = group[[0, -1], 0], group[:, 1]
        error = offset.std() / np.sqrt(len(offset))
        rows.append(
            [f"{low:.0f} to {high:.0f}", str(len(group)), f"{offset.mean():.2f} ± {error:.2f}"]
        )
    return rich_table(("distance between the eyes, px", "faces", "horizontal bias, px"), rows)


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        FaceTrackError: If the data cannot be used.
        CheckpointError: If the weights cannot.
    """
    landmarker = load_torch_landmarker(arguments.weights, "cpu")
    data = open_data_set(arguments.data)
    if data.layout.name != landmarker.layout_name:
        raise DataError(
            f"{arguments.data}: its landmarks are {data.layout.name}, those of the weights "
            f"{landmarker.layout_name}"
        )
    training, _ = hold_out(data.split("train"))
    console = Console()
    now = ", ".join(sorted({str(face.first_pixel) for face in training}))
    console.print(f"{data.name}: pictures are mirrored about {now} px now")
    console.print(table_of(horizontal_bias_px(landmarker, training)))


def main() -> None:
    """Parse the flags and measure."""
    parser = argument_parser("mirror_axis", __doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the data set")
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    run_command(parser, benchmark)


if __name__ == "__main__":
    main()
