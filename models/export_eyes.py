"""Write the eyes' network as one file that ONNX Runtime runs without PyTorch.

    python -m models.export_eyes                                    # the shipped weights
    python -m models.export_eyes --weights mine.safetensors --output mine.onnx

It is written only if it agrees with PyTorch.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch

from .description import CheckpointError
from .eye_net import SIZE_PX, EyeNet, EyeNetOnBytes
from .eye_reader import EYE_CROPS, EYE_KIND, EYES, load_eye_reader
from .eye_weights import load_eye_weights
from .onnx_session import file_digest
from .tool_export import ToolProgram, as_onnx_with_checksum, write_if_close

MOST_EYE_PX = 0.01
"""Largest difference between the back ends, in crop pixels."""


def export_eyes(weights: Path, output: Path) -> float:
    """Write the file; returns by how much its answers differ from PyTorch's.

    Raises:
        CheckpointError: If the weights cannot be used, or the two disagree; nothing is written.
    """
    network, info = load_eye_weights(weights)
    program = ToolProgram(
        EyeNetOnBytes(network).eval(), torch.zeros(2, SIZE_PX, SIZE_PX, 3, dtype=torch.uint8),
        EYE_CROPS, {0: "eyes"},
    )  # fmt: skip
    described = {"kind": EYE_KIND, "size_px": SIZE_PX, "licence": info.licence}
    content = as_onnx_with_checksum(program, described, weights)
    return write_if_close(
        content, output, partial(largest_difference_of_eyes, network), MOST_EYE_PX
    )


@torch.inference_mode()
def largest_difference_of_eyes(network: EyeNet, exported: Path) -> float:
    """Between PyTorch and an exported file, over all answers about coarse and fine patterns."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (8, SIZE_PX // 8, SIZE_PX // 8, 3), dtype=np.uint8)
    crops = np.concatenate(
        [
            coarse.repeat(8, 1).repeat(8, 2),
            rng.integers(0, 256, (8, SIZE_PX, SIZE_PX, 3), dtype=np.uint8),
        ]
    )
    ours = EyeNetOnBytes(network.eval())(torch.from_numpy(crops)).numpy()
    with load_eye_reader(exported) as reader:
        return float(np.abs(ours - reader(crops)).max())


def main(argv: list[str] | None = None) -> None:
    """Parse flags and export."""
    parser = argparse.ArgumentParser(
        prog="python -m models.export_eyes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--weights", type=Path, default=EYES.with_suffix(".safetensors"))
    parser.add_argument("--output", type=Path, metavar="F", help="(default: beside the weights)")
    arguments = parser.parse_args(argv)
    output = arguments.output or arguments.weights.with_suffix(".onnx")
    try:
        difference = export_eyes(arguments.weights, output)
    except (CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    print(f"{output}: agrees with PyTorch to {difference:.1g} px, SHA-256 {file_digest(output)}")  # noqa: T201


if __name__ == "__main__":
    main()
