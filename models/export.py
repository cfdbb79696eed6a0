"""Write a network as one file that ONNX Runtime runs without PyTorch, and check that both agree.

    python -m models.export                                     # the default weights, beside them
    python -m models.export --weights mine.safetensors --output mine.onnx
    python -m models.export --weights mine.safetensors --check mine.onnx

The file takes uint8 crops, any number at once, and gives the moments of their heat maps in crop
pixels; its metadata holds the description of the weight file and its own SHA-256.
"""

import argparse
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from .calibrated_landmarker import CalibratedLandmarker, CropMoments
from .checksum import BLANK, with_checksum
from .crop_reader import CropReader
from .description import METADATA_KEY, CheckpointError, CheckpointInfo, as_dictionary
from .onnx_landmarker import HEADS, INPUT, OUTPUTS, SOURCE_KEY, file_digest, load_onnx_landmarker
from .torch_landmarker import load_network, load_torch_landmarker
from .weight_files import EXPORTED, weight_file

MOST_PX = 1e-3
"""Difference between the two back ends, in crop pixels."""
_BATCHES = (1, 3)


def export(weights: str | Path, output: Path) -> float:
    """Write the file; returns its largest difference from PyTorch, in crop pixels.

    Raises:
        CheckpointError: If the weights cannot be used, or the two disagree; nothing is written.
    """
    path = weight_file(weights)
    network, info = load_network(path)
    content = as_onnx(CropReader(network, info), info, file_digest(path))
    return write_if_equal(content, load_torch_landmarker(path, "cpu"), output)


def write_if_equal(content: bytes, ours: CalibratedLandmarker, output: Path) -> float:
    """Write an exported file; returns its largest difference from ours, in crop pixels.

    Raises:
        CheckpointError: If it cannot be used or disagrees; nothing is written.
    """
    partial = output.with_name(output.name + ".partial")
    try:
        partial.write_bytes(content)
        difference = largest_difference(ours, load_onnx_landmarker(partial))
        if not difference <= MOST_PX:
            raise CheckpointError(f"{output}: not written, for it {_differs(difference)}")
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return difference


def check(weights: str | Path, exported: Path) -> float:
    """Largest difference between an exported file and PyTorch, in crop pixels.

    Raises:
        CheckpointError: If one of them cannot be used, or they disagree.
    """
    ours, theirs = load_torch_landmarker(weights, "cpu"), load_onnx_landmarker(exported)
    if theirs.info != ours.info:
        raise CheckpointError(f"{exported}: describes itself otherwise than {weights}")
    difference = largest_difference(ours, theirs)
    if not difference <= MOST_PX:
        raise CheckpointError(f"{exported}: {_differs(difference)}: export {weights} again")
    return difference


def _differs(difference: float) -> str:
    return f"differs from PyTorch by {difference:.2g} px, more than {MOST_PX:g}"


def largest_difference(one: CalibratedLandmarker, other: CalibratedLandmarker) -> float:
    """Between means and standard deviations, in crop pixels; of the rest, which has no unit."""
    crops = check_crops(one.input_px, sum(_BATCHES))
    return max(
        float(np.abs(a - b).max())
        for batch in np.split(crops, np.cumsum(_BATCHES)[:-1])
        for a, b in zip(_comparable(one.raw(batch)), _comparable(other.raw(batch)), strict=True)
    )


def _comparable(moments: CropMoments) -> list[np.ndarray]:
    deviation = np.sqrt(np.diagonal(moments.spread, axis1=-2, axis2=-1))
    parts = [moments.mean, deviation, moments.peak]
    if moments.log_odds is not None and moments.descriptor is not None:
        parts += [1 / (1 + np.exp(-moments.log_odds)), moments.descriptor]
    return parts


def check_crops(input_px: int, count: int) -> UInt8[np.ndarray, "faces height width rgb=3"]:
    """Noise from fine to coarse, the same every time."""
    rng = np.random.default_rng(0)
    crops = []
    for index in range(count):
        grain = min(2**index, input_px)
        cells = -(-input_px // grain)
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        crops.append(coarse.repeat(grain, 0).repeat(grain, 1)[:input_px, :input_px])
    return np.stack(crops)


def as_onnx(reader: CropReader, info: CheckpointInfo, source_digest: str) -> bytes:
    """The file's content."""
    example = torch.from_numpy(check_crops(info.input_px, 2))
    with _quiet_exporter():
        program = torch.onnx.export(
            _Outputs(reader).eval(),
            (example,),
            input_names=[INPUT],
            output_names=[*OUTPUTS, *(HEADS if info.architecture.heads else ())],
            dynamic_shapes={INPUT: {0: torch.export.Dim("faces")}},
            dynamo=True,
            verbose=False,
        )
    assert program is not None, "without a file name the exporter returns the program"
    model = program.model_proto
    _forget_sources(model.graph)
    described = {
        METADATA_KEY: json.dumps(as_dictionary(info)),
        SOURCE_KEY: source_digest,
        "checksum": BLANK,
    }
    for key, value in described.items():
        model.metadata_props.add(key=key, value=value)
    return with_checksum(model.SerializeToString())


class _Outputs(nn.Module):
    """A reader without what its network has no head for."""

    def __init__(self, reader: CropReader) -> None:
        super().__init__()
        self._reader = reader

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        return tuple(part for part in self._reader(crops) if part is not None)


def _forget_sources(graph: Any) -> None:
    """Drop the exporter's metadata of every node: source lines and folders of this machine."""
    graph.ClearField("metadata_props")
    for part in (graph.node, graph.input, graph.output, graph.initializer, graph.value_info):
        for noted in part:
            noted.ClearField("metadata_props")


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Without the exporter's warnings of optional packages and of its own deprecations."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield
    logger.setLevel(before)


def main(argv: list[str] | None = None) -> None:
    """Parse flags; export or check."""
    parser = argparse.ArgumentParser(
        prog="python -m models.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--output", type=Path, metavar="F", help="(default: beside the weights)")
    what.add_argument("--check", type=Path, metavar="F", help="only compare an exported file")
    arguments = parser.parse_args(argv)
    try:
        path = arguments.check or arguments.output
        path = path or weight_file(arguments.weights).with_suffix(EXPORTED)
        difference = (check if arguments.check else export)(arguments.weights, path)
    except (CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    except ImportError as error:
        parser.exit(2, f'error: {error}: pip install -c constraints.txt -e ".[train]"\n')
    print(f"{path}: agrees with PyTorch to {difference:.1g} px, SHA-256 {file_digest(path)}")  # noqa: T201


if __name__ == "__main__":
    main()
