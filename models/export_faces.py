"""Write the face detector as one file that ONNX Runtime runs without PyTorch.

    python -m models.export_faces                                    # the shipped weights
    python -m models.export_faces --weights mine.safetensors --output mine.onnx

The file takes uint8 pictures of any size whose sides are multiples of 32, and gives every cell's
score, centre, side, eyes and mouth in picture pixels. It is written only if it agrees with PyTorch.
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import torch

from .description import CheckpointError
from .face_detector import PICTURES
from .face_loading import FACES, KIND, load_face_detector
from .face_net import FaceNet, FaceReader
from .face_weights import load_face_weights
from .onnx_session import file_digest
from .tool_export import ToolProgram, as_onnx_with_checksum, write_if_close

MOST_PX = 0.05
"""Largest difference between the back ends, in pixels of a cell that says 'a face'; the scores
differ by a hundredth of it."""
_SIZES = ((64, 96), (160, 128), (320, 448))


def export_faces(weights: Path, output: Path) -> float:
    """Write the file; returns by how many pixels its answers differ from PyTorch's.

    Raises:
        CheckpointError: If the weights cannot be used, or the two disagree; nothing is written.
    """
    network, info = load_face_weights(weights)
    program = ToolProgram(
        FaceReader(network.eval()), torch.zeros(1, 64, 96, 3, dtype=torch.uint8), PICTURES,
        {0: "pictures", 1: "height", 2: "width"},
    )  # fmt: skip
    described = {"kind": KIND, "found_from": info.found_from, "licence": info.licence}
    content = as_onnx_with_checksum(program, described, weights)
    return write_if_close(content, output, partial(largest_difference_px, network), MOST_PX)


@torch.inference_mode()
def largest_difference_px(network: FaceNet, exported: Path) -> float:
    """Between PyTorch and an exported file, over cells of pictures of several sizes.

    Sizes and places are compared in pixels for cells no larger than the picture; scores times 100.
    """
    reader = FaceReader(network.eval())
    rng = np.random.default_rng(0)
    worst = 0.0
    with load_face_detector(exported) as detector:
        for rows, columns in _SIZES:
            coarse = rng.integers(0, 256, (rows // 16, columns // 16, 3), dtype=np.uint8)
            picture = coarse.repeat(16, 0).repeat(16, 1)[None]
            ours = reader(torch.from_numpy(picture)).numpy()
            theirs = detector.raw(picture)
            plain = ours[..., 3] < max(rows, columns)
            worst = max(worst, float(100 * np.abs(ours - theirs)[..., 0].max()))
            worst = max(worst, float(np.abs(ours - theirs)[plain].max(initial=0)))
    return worst


def main(argv: list[str] | None = None) -> None:
    """Parse flags and export."""
    parser = argparse.ArgumentParser(
        prog="python -m models.export_faces",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--weights", type=Path, default=FACES.with_suffix(".safetensors"))
    parser.add_argument("--output", type=Path, metavar="F", help="(default: beside the weights)")
    arguments = parser.parse_args(argv)
    output = arguments.output or arguments.weights.with_suffix(".onnx")
    try:
        difference = export_faces(arguments.weights, output)
    except (CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    print(f"{output}: agrees with PyTorch to {difference:.1g} px, SHA-256 {file_digest(output)}")  # noqa: T201


if __name__ == "__main__":
    main()
