"""A small copy of 300W: every picture cut around its face, reduced, and encoded anew.

    python -m train.pack --data 300w --output packed

The copy has the folders, names and annotations of the original, so that everything which reads
300W reads it, and holds out the same photographs. It is for taking the training to a machine to
which little can be sent; it is data of 300W, and under its terms.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from tracker.crop import crop_from_square, transform, warp_crop

from .datasets import DataError, Sample, open_data_set

_AROUND = 1.9
"""Side of the cut over the landmarks' box: what training's random crops reach."""


def pack(sample: Sample, path: Path, side_px: int, quality: int) -> int:
    """Write one face and its `.pts` beside it; returns the bytes of both."""
    center_x, center_y, side = sample.square(_AROUND)
    size = min(side_px, round(side))
    matrix = crop_from_square(center_x, center_y, side, size)
    cut = warp_crop(sample.read_image(), matrix, size)
    _, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(cut, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".jpg").write_bytes(jpeg.tobytes())
    annotation = _pts(transform(matrix, sample.points))
    path.with_suffix(".pts").write_text(annotation)
    return len(jpeg) + len(annotation)


def _pts(points: np.ndarray) -> str:
    """As iBUG writes it: 1-based."""
    lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points + 1)
    return f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n"


def main() -> None:
    """Parse flags and pack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--side-px", type=int, default=320, help="largest side of a picture")
    parser.add_argument("--quality", type=int, default=88, help="of the JPEG, up to 100")
    arguments = parser.parse_args()
    try:
        data = open_data_set(arguments.data)
        if data.name != "300W":
            raise DataError(f"{arguments.data}: only 300W can be packed, this is {data.name}")
        total = 0
        for sample in track(data.split("train"), "faces"):
            place = arguments.output / sample.image_path.relative_to(arguments.data)
            total += pack(sample, place, arguments.side_px, arguments.quality)
    except (DataError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    Console().print(f"{arguments.output}: {total / 2**20:.1f} MiB", highlight=False)


if __name__ == "__main__":
    main()
