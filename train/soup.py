"""Average the weights of runs that parted from one state: one network, as fast as each.

    python -m train.soup runs/a/last.safetensors runs/b/last.safetensors --output soup.safetensors

Runs that began apart have nothing to average; see with `benchmarks.accuracy` whether it helped, and
calibrate what came out.

Source:
    Wortsman et al., Model soups, ICML 2022: the uniform soup.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from models.checkpoint import CheckpointError, CheckpointInfo, load_checkpoint, save_checkpoint


def average(weights: list[Path]) -> tuple[dict[str, Tensor], CheckpointInfo]:
    """Mean of all tensors, counters of the first; described as the first, without its figures.

    Raises:
        CheckpointError: If a file cannot be used, or two hold networks for different purposes.
    """
    networks, infos = zip(*(load_checkpoint(path) for path in weights), strict=True)
    for path, info in zip(weights, infos, strict=True):
        if _purpose(info) != _purpose(infos[0]):
            raise CheckpointError(f"{path}: another network, crop or layout than {weights[0]}")
    states = [network.state_dict() for network in networks]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0) if tensor.is_floating_point()
        else tensor.clone()
        for name, tensor in states[0].items()
    }  # fmt: skip
    return mean, replace(infos[0], calibration=None, horizontal_bias=0.0, figures={})


def _purpose(info: CheckpointInfo) -> CheckpointInfo:
    """What two networks must share for their weights to mean the same."""
    return replace(
        info,
        figures={},
        trained_on="",
        licence="",
        selected_on="",
        horizontal_bias=0.0,
        calibration=None,
    )


def main() -> None:
    """Parse flags, average, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, nargs="+", help="what train.fit wrote")
    parser.add_argument("--output", type=Path, required=True, help="the file to write")
    arguments = parser.parse_args()
    try:
        save_checkpoint(arguments.output, *average(arguments.weights))
    except (CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
