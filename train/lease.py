r"""Training on a machine that is lent for minutes: train, measure, and cut the results to size.

    python -m train.pack --data 300w --output packed                       # here
    python -m train.lease train --out OUT --minutes 9 -- --data packed \
        --config star-300w --images 1500000 --precision bf16 --run-folder runs/full   # there
    python -m train.lease join OUT full.safetensors                        # here

What follows `--` goes to `train.fit`. Give the same command again for the next minutes: while the
machine keeps its run folder it goes on there. OUT then holds the best weights in pieces, the log,
the report and the times of one forward pass; when the folder was lost, the joined weights start
the next run with `--start-from`.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from rich.console import Console

from models.checkpoint import CheckpointError, load_checkpoint
from models.crop_reader import fold_batch_norm
from tracker.errors import FaceTrackError

from .fit import build_parser as fit_parser
from .fit import train
from .processes import Processes
from .run_folder import environment

PIECE_BYTES = 15 * 2**20
_BATCHES = (1, 2, 8, 32, 128)
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
_REPEATS = 30


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


def work(arguments: argparse.Namespace) -> None:
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
    """Parse flags and work, or join."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, dest="command")
    there = commands.add_parser("train", help="train and measure")
    there.add_argument("--out", type=Path, required=True, help="folder for what is brought back")
    there.add_argument("--minutes", type=float, required=True)
    there.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    there.add_argument("fit", nargs="*", metavar="-- FLAGS", help="for train.fit")
    here = commands.add_parser("join", help="put the pieces of the weights together")
    here.add_argument("folder", type=Path)
    here.add_argument("output", type=Path)
    arguments = parser.parse_args()
    try:
        if arguments.command == "join":
            join(arguments.folder, arguments.output)
        else:
            work(arguments)
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
