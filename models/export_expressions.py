"""Write the network of expressions as one file that ONNX Runtime runs without PyTorch.

    python -m models.export_expressions                         # the shipped weights
    python -m models.export_expressions --weights mine.safetensors --output mine.onnx

It is written only if it agrees with PyTorch.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch

from .description import CheckpointError
from .expression_net import FACE_CROP_SIDE_PX, ExpressionNet, ExpressionNetOnBytes
from .expression_reader import EXPRESSION_KIND, EXPRESSIONS, FACE_CROPS, load_expression_reader
from .expression_weights import load_expression_weights
from .onnx_session import file_digest
from .tool_export import ToolProgram, as_onnx_with_checksum, write_if_close

MOST_APART = 1e-3
"""Largest difference between the back ends, of coefficients and radians."""


def export_expressions(weights: Path, output: Path) -> float:
    """Write the file; returns by how much its answers differ from PyTorch's.

    Raises:
        CheckpointError: If the weights cannot be used, or the two disagree; nothing is written.
    """
    network, info = load_expression_weights(weights)
    side = FACE_CROP_SIDE_PX
    program = ToolProgram(
        ExpressionNetOnBytes(network).eval(), torch.zeros(2, side, side, 3, dtype=torch.uint8),
        FACE_CROPS, {0: "faces"},
    )  # fmt: skip
    described = {
        "kind": EXPRESSION_KIND, "size_px": side, "names": info.names, "licence": info.licence,
        "usual": [info.usual_mean, info.usual_deviation],
    }  # fmt: skip
    content = as_onnx_with_checksum(program, described, weights)
    return write_if_close(content, output, partial(largest_difference, network), MOST_APART)


@torch.inference_mode()
def largest_difference(network: ExpressionNet, exported: Path) -> float:
    """Between PyTorch and an exported file, over all answers about coarse and fine patterns."""
    rng, side = np.random.default_rng(0), FACE_CROP_SIDE_PX
    coarse = rng.integers(0, 256, (8, side // 8, side // 8, 3), dtype=np.uint8)
    fine = rng.integers(0, 256, (8, side, side, 3), dtype=np.uint8)
    crops = np.concatenate([coarse.repeat(8, 1).repeat(8, 2), fine])
    ours = ExpressionNetOnBytes(network.eval())(torch.from_numpy(crops)).numpy()
    with load_expression_reader(exported) as reader:
        return float(np.abs(ours - reader(crops)).max())


def main(argv: list[str] | None = None) -> None:
    """Parse flags and export."""
    parser = argparse.ArgumentParser(
        prog="python -m models.export_expressions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--weights", type=Path, default=EXPRESSIONS.with_suffix(".safetensors"))
    parser.add_argument("--output", type=Path, metavar="F", help="(default: beside the weights)")
    arguments = parser.parse_args(argv)
    output = arguments.output or arguments.weights.with_suffix(".onnx")
    try:
        difference = export_expressions(arguments.weights, output)
    except (CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    print(f"{output}: agrees with PyTorch to {difference:.1g}, SHA-256 {file_digest(output)}")  # noqa: T201


if __name__ == "__main__":
    main()
