"""Reads crops of eyes: where the pupil is, how surely, and how far the eye is shut.

`models.export_eyes` wrote the file; ONNX Runtime runs it without PyTorch.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from .onnx_session import OwnSession
from .tool_loading import open_tool
from .tool_network import ToolNetwork

__all__ = ["EYES", "EYE_KIND", "OnnxEyeReader", "load_eye_reader"]

EYES = Path(__file__).parent / "weights" / "eyes.onnx"
EYE_KIND = "eye-reader"
"""What the description in the file says it is."""
EYE_CROPS, EYE_ANSWERS = "crops", 7
"""The network's input, and how many numbers it says of each."""


class OnnxEyeReader(ToolNetwork):
    """Runs the network of the eyes."""

    kind = "reader of eyes"

    def __call__(
        self, crops: UInt8[np.ndarray, "eyes size size rgb=3"]
    ) -> Float[np.ndarray, "eyes 7"]:
        """Read crops as `tracker.analysis.eye_crop` cuts them, the left eye mirrored.

        Returns:
            The pupil's x and y and its covariance xx, xy and yy (crop pixels), how far the eye is
            shut (0 to 1), and the standard deviation of that.

        Raises:
            ValueError: If the reader is closed.
        """
        return self.run({EYE_CROPS: crops})


def load_eye_reader(path: Path = EYES, *, threads: int = 1) -> OnnxEyeReader:
    """Load what `models.export_eyes` wrote.

    Args:
        path: An `.onnx` file.
        threads: Of one run.

    Raises:
        CheckpointError: If the file is missing, damaged or no reader of eyes.
    """

    def make(session: OwnSession, described: dict[str, Any]) -> OnnxEyeReader:
        names, size_px = (
            [entry.name for entry in session.built.get_inputs()],
            described.get("size_px"),
        )
        if (
            names != [EYE_CROPS]
            or len(session.built.get_outputs()) != 1
            or type(size_px) is not int
        ):
            raise ValueError("it takes and gives other things")
        (answer,) = session.run(None, {EYE_CROPS: np.zeros((3, size_px, size_px, 3), np.uint8)})
        good = isinstance(answer, np.ndarray) and answer.shape == (3, EYE_ANSWERS)
        if not good or not np.isfinite(answer).all():
            raise ValueError("its answers are not those of a reader of eyes")
        return OnnxEyeReader(session)

    return open_tool(path, EYE_KIND, make, threads)
