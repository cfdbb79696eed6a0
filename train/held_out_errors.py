"""Errors of weights on every part that is held out from training, the hard ones among them.

python -m train.held_out_errors --data 300w --further ytf68.npz heads.npz --weights lite base
"""

import argparse
from pathlib import Path

import torch
from rich.console import Console

from models.checkpoint import CheckpointError, load_checkpoint
from models.weight_files import weight_file
from tracker.errors import FaceTrackError

from .datasets import open_data_set
from .evaluator import Evaluator
from .faces import Faces, gather
from .recipes import RECIPES


def errors(weights: str, faces: Faces) -> dict[str, float]:
    """Mean error in percent by the name of the part, in exact crops of the size of the weights.

    Args:
        weights: Name or path.
        faces: With their held-out parts; the first has no name of its own.

    Raises:
        CheckpointError: If the weights cannot be read.
    """
    network, info = load_checkpoint(weight_file(weights))
    recipe = RECIPES["lite-life"]
    return {
        part.name or "held out": 100
        * float(
            Evaluator(part, faces.layout, recipe, torch.device("cpu"))
            .nme(network, info.input_px)
            .mean()
        )
        for part in faces.held_out_parts
    }


def main() -> None:
    """Parse flags; print a line for every weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--further", type=Path, nargs="*", default=[], help="of train.screening")
    parser.add_argument("--weights", nargs="+", default=["lite"], help="names or paths")
    arguments = parser.parse_args()
    try:
        data = open_data_set(arguments.data)
        faces = gather(data, None, select_on_test=False, further=arguments.further)
        for weights in arguments.weights:
            found = ", ".join(f"{name} {nme:.2f}" for name, nme in errors(weights, faces).items())
            Console().print(f"{weights}: {found}", highlight=False, soft_wrap=True)
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
