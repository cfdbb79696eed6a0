r"""Training on a GPU that is lent for minutes: pack the data, train, measure, join the weights.

    python -m train.lease pack packed --data 300w --labels ytf68.npz       # here
    python -m train.lease train --out OUT --minutes 9 -- --data packed/300w \
        --config star-300w --images 1500000 --precision bf16 --run-folder runs/full   # there
    python -m train.lease join OUT full.safetensors                        # here

`train/lease.sh` does all of it for the family.

The packed copy of 300W has every picture cut around its face, reduced and encoded anew, with the
folders, names and annotations of the original, so that it holds out the same photographs. It is
data of 300W, and under its terms.

What follows `--` goes to `train.fit`. Give the same command again for the next minutes: while the
machine keeps its run folder it goes on there. OUT then holds the best weights in pieces, the log,
the report and the times of one forward pass; when the folder was lost, the joined weights start
the next run with `--start-from`.
"""

import argparse
import json
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from models.checkpoint import CheckpointError, load_checkpoint
from models.crop_reader import fold_batch_norm
from tracker.crop import crop_from_square, transform, warp_crop
from tracker.errors import FaceTrackError

from .datasets import (
    DataError,
    Sample,
    open_data_set,
    read_pseudo_labels,
    write_pseudo_labels,
)
from .datasets.own import ANNOTATIONS, write_own
from .fit import train
from .fit_flags import build_parser as fit_parser
from .processes import Processes
from .run_folder import environment

PIECE_BYTES = 15 * 2**20
_BATCHES = (1, 2, 8, 32, 128)
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
_REPEATS = 30
_AROUND = 1.9
"""Side of the cut over the landmarks' box: what training's random crops reach."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How faces are made small enough to travel."""

    side_px: int = 320
    """Largest side of a picture."""
    quality: int = 88
    """Of the encoding, up to 100."""

    def write(self, sample: Sample, path: Path) -> Sample:
        """Write one face; `path` says in its suffix how.

        Returns:
            The same face on the picture that was written.
        """
        center_x, center_y, side = sample.square(_AROUND)
        size = min(self.side_px, round(side))
        matrix = crop_from_square(center_x, center_y, side, size)
        cut = warp_crop(sample.read_image(), matrix, size)
        flag = cv2.IMWRITE_JPEG_QUALITY if path.suffix == ".jpg" else cv2.IMWRITE_WEBP_QUALITY
        bgr = cv2.cvtColor(cut, cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode(path.suffix, bgr, [flag, self.quality])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.tobytes())
        return replace(
            sample,
            image_path=path,
            points=transform(matrix, sample.points),
            first_pixel=sample.first_pixel * size / side,
        )


def _pts(points: np.ndarray) -> str:
    """As iBUG writes it: 1-based."""
    lines = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points + 1)
    return f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n"


def pack_labels(labels: Path, output: Path, packing: Packing) -> None:
    """Write a small copy of machine-labelled faces: `output/NAME.npz` and the pictures in `NAME`.

    Args:
        labels: NAME.npz, as `train.teacher` and `train.screening` write it.
        output: Folder to write.
        packing: How small.

    Raises:
        DataError: If the file or a picture cannot be read.
    """
    folder = output / labels.stem
    packed = [
        packing.write(
            sample, folder / sample.image_path.parent.name / f"{sample.image_path.stem}.webp"
        )
        for sample in track(read_pseudo_labels(labels), labels.stem)
    ]
    if len({sample.image_path for sample in packed}) < len(packed):
        raise DataError(f"{labels}: two pictures have the same name in folders of the same name")
    write_pseudo_labels(output / labels.name, packed)


def pack_data_set(data: Path, output: Path, packing: Packing) -> None:
    """Write a small copy of the training part of 300W, or of annotations of one's own.

    Args:
        data: Folder of the data set.
        output: Folder to write.
        packing: How small.

    Raises:
        DataError: If the data set is another one, or a picture cannot be read.
    """
    annotated = open_data_set(data)
    is_own = (data / ANNOTATIONS).exists()
    if annotated.name != "300W" and not is_own:
        raise DataError(f"{data}: only 300W and one's own can be packed, not {annotated.name}")
    faces = []
    for sample in track(annotated.split("train"), annotated.name):
        name = sample.image_path.relative_to(data).with_suffix(".jpg")
        packed = packing.write(sample, output / name)
        if is_own:
            faces.append(packed)
        else:
            (output / name).with_suffix(".pts").write_text(_pts(packed.points))
    if is_own:
        write_own(output / ANNOTATIONS, faces)


def cut(weights: Path, out: Path) -> list[Path]:
    """Pieces of a file, in the order of their names."""
    content = weights.read_bytes()
    pieces = []
    for index, first in enumerate(range(0, len(content), PIECE_BYTES)):
        pieces.append(out / f"{weights.name}.{index:02d}")
        pieces[-1].write_bytes(content[first : first + PIECE_BYTES])
    return pieces


def join(folder: Path, output: Path) -> None:
    """Put the pieces of a weight file together; its own SHA-256 says whether all are there.

    Raises:
        CheckpointError: If there are none, or they do not make a whole file.
    """
    pieces = sorted(folder.glob("*.safetensors.[0-9][0-9]"))
    if not pieces:
        raise CheckpointError(f"{folder}: no pieces of a weight file there")
    output.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    load_checkpoint(output)


@torch.inference_mode()
def forward_times(weights: Path, device: torch.device) -> list[dict[str, float | str]]:
    """Median milliseconds of one forward pass by precision and number of faces."""
    network, info = load_checkpoint(weights)
    folded = fold_batch_norm(network).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    rows: list[dict[str, float | str]] = []
    for precision, dtype in _DTYPES.items():
        for faces in _BATCHES if device.type == "cuda" else _BATCHES[:1]:
            crops = torch.zeros(faces, 3, info.input_px, info.input_px, device=device)
            times = []
            for _ in range(_REPEATS):
                started = time.perf_counter()
                with torch.autocast(device.type, dtype, enabled=precision != "fp32"):
                    folded(crops).landmarks.cpu()  # waits for the device
                times.append(1e3 * (time.perf_counter() - started))
            median = statistics.median(times[_REPEATS // 3 :])
            rows.append({"precision": precision, "faces": faces, "median_ms": round(median, 3)})
    return rows


def train_and_collect(arguments: argparse.Namespace) -> None:
    """Train for the minutes that are left, then bring the results to `--out`."""
    asked = ["--device", arguments.device, "--minutes", str(arguments.minutes), *arguments.fit]
    options = fit_parser().parse_args(asked)
    device = torch.device(arguments.device)
    train(options, Processes(device))
    folder: Path = options.run_folder
    arguments.out.mkdir(parents=True, exist_ok=True)
    cut(folder / "best.safetensors", arguments.out)
    for name in ("log.jsonl", "report.md", "samples.png"):
        (arguments.out / name).write_bytes((folder / name).read_bytes())
    times = {**environment(), "forward": forward_times(folder / "best.safetensors", device)}
    (arguments.out / "forward.json").write_text(json.dumps(times, indent=1) + "\n")
    Console().print(times["forward"])


def main() -> None:
    """Parse flags and pack, train or join."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, dest="command")
    there = commands.add_parser("train", help="train and measure")
    there.add_argument("--out", type=Path, required=True, help="folder for what is brought back")
    there.add_argument("--minutes", type=float, required=True)
    there.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    there.add_argument("fit", nargs="*", metavar="-- FLAGS", help="for train.fit")
    packing = commands.add_parser("pack", help="make a small copy of a data set")
    packing.add_argument("--data", type=Path, help="folder of 300W, or of your own")
    packing.add_argument("output", type=Path, help="folder to write")
    packing.add_argument("--labels", type=Path, nargs="*", default=[], help="machine-made labels")
    packing.add_argument("--side-px", type=int, default=320, help="largest side of a picture")
    packing.add_argument("--quality", type=int, default=88, help="of the encoding, up to 100")
    here = commands.add_parser("join", help="put the pieces of the weights together")
    here.add_argument("folder", type=Path)
    here.add_argument("output", type=Path)
    arguments = parser.parse_args()
    try:
        if arguments.command == "join":
            join(arguments.folder, arguments.output)
        elif arguments.command == "pack":
            packing_as = Packing(arguments.side_px, arguments.quality)
            if arguments.data is not None:
                name = arguments.data.name
                pack_data_set(arguments.data, arguments.output / name, packing_as)
            for labels in arguments.labels:
                pack_labels(labels, arguments.output, packing_as)
            total = sum(path.stat().st_size for path in arguments.output.rglob("*.*"))
            Console().print(f"{arguments.output}: {total / 2**20:.1f} MiB", highlight=False)
        else:
            train_and_collect(arguments)
    except (FaceTrackError, CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
