"""Writes small networks as ONNX files that describe themselves and carry their own SHA-256."""

import io
import json
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from .checksum import BLANK, with_checksum
from .description import METADATA_KEY, CheckpointError
from .onnx_session import SOURCE_KEY, file_digest


@dataclass(frozen=True, slots=True)
class ToolProgram:
    """What is written: a network of one input and one output."""

    module: nn.Module
    """In evaluation mode."""
    example: Tensor
    """An input."""
    input_name: str
    open_axes: dict[int, str]
    """Axes of the input whose length is left open, and their names."""


def as_onnx_with_checksum(program: ToolProgram, described: dict[str, Any], weights: Path) -> bytes:
    """The file's content.

    Args:
        program: What it runs.
        described: What it says about itself.
        weights: The file it is made from, whose SHA-256 goes along.
    """
    buffer = io.BytesIO()
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # The exporter that traces is the one that leaves the input's size open.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            program.module,
            (program.example,),
            buffer,  # type: ignore[arg-type]
            input_names=[program.input_name],
            output_names=["answers"],
            dynamic_axes={program.input_name: program.open_axes},
            opset_version=17,
            dynamo=False,
        )
    logger.setLevel(level)
    model = onnx.load_from_string(buffer.getvalue())
    model.ClearField("doc_string")
    for node in model.graph.node:
        node.ClearField("doc_string")
    notes = {
        METADATA_KEY: json.dumps(described),
        SOURCE_KEY: file_digest(weights),
        "checksum": BLANK,
    }
    for key, value in notes.items():
        model.metadata_props.add(key=key, value=value)
    return with_checksum(model.SerializeToString())


def write_if_close(
    content: bytes, output: Path, difference_of: Callable[[Path], float], most_px: float
) -> float:
    """Write a file only if it agrees with PyTorch; returns by how many pixels it differs.

    Raises:
        CheckpointError: If it differs by more; nothing is written.
    """
    partial = output.with_name(output.name + ".partial")
    try:
        partial.write_bytes(content)
        difference = difference_of(partial)
        if not difference <= most_px:
            raise CheckpointError(f"{output}: not written, for it differs by {difference:.2g} px")
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return difference
