"""Where do people annotate? How far right of where a mirror image puts landmarks.

    python -m benchmarks.mirror_axis --data 300w

A look at a face and a look at its mirror image have one mean, and in that mean right and left are
equal, whatever the network learnt. If annotations lie right of it, by as many pixels in small faces
as in large ones, they count pixels from elsewhere: that number is their `first_pixel`, by
which training mirrors its pictures, or the network learns two truths.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.checkpoint import CheckpointError
from models.inference import HeatmapLandmarker, load_landmarker
from tracker.errors import FaceTrackError
from tracker.layouts import find_layout
from train.datasets import DataError, Sample, hold_out, open_data_set
from train.predict import MultiCrop, predict

_PARTS = 3
"""Groups of faces by size, equally many in each."""


def too_far_right(
    landmarker: HeatmapLandmarker, faces: list[Sample]
) -> Float[np.ndarray, "faces 2"]:
    """Distance between the eyes, and how far right of both looks the annotation lies, in pixels."""
    landmarker.info = replace(landmarker.info, mirror_offset=0.0)
    found = predict(landmarker, track(faces, "faces"), MultiCrop(flips=True)).mean
    true = np.stack([face.points for face in faces])
    eyes = find_layout(landmarker.layout_name, landmarker.layout_table).interocular(true)
    return np.stack([eyes, (true - found)[..., 0].mean(1)], -1)


def table_of(seen: Float[np.ndarray, "faces 2"]) -> Table:
    """All faces, then small ones to large ones."""
    table = Table("distance between the eyes, px", "faces", "too far right, px")
    by_size = seen[np.argsort(seen[:, 0])]
    for group in [by_size, *np.array_split(by_size, _PARTS)]:
        low, high = group[[0, -1], 0]
        offset = group[:, 1]
        uncertainty = offset.std() / np.sqrt(len(offset))
        table.add_row(
            f"{low:.0f} to {high:.0f}", str(len(group)), f"{offset.mean():.2f} ± {uncertainty:.2f}"
        )
    return table


def main() -> None:
    """Parse flags, look, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--weights", default="lite", help="a name or a path")
    arguments = parser.parse_args()
    try:
        landmarker = load_landmarker(arguments.weights, "cpu")
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
        console.print(table_of(too_far_right(landmarker, training)))
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
