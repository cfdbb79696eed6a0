"""Reads crops of faces: what they express by ARKit's coefficients, and how their heads are turned.

`models.export_expressions` wrote the file; ONNX Runtime runs it without PyTorch.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from .onnx_session import OwnSession
from .tool_loading import open_tool
from .tool_network import ToolNetwork

__all__ = ["EXPRESSIONS", "EXPRESSION_KIND", "OnnxExpressionReader", "load_expression_reader"]

EXPRESSIONS = Path(__file__).parent / "weights" / "expressions.onnx"
EXPRESSION_KIND = "expression-reader"
"""What the description in the file says it is."""
FACE_CROPS = "crops"
"""The network's input."""
_ROTATION = 6
"""Answers about the rotation, after two for each coefficient."""


class OnnxExpressionReader(ToolNetwork):
    """Runs the network of expressions.

    Args:
        session: Of the network.
        names: Of the coefficients, ARKit's.
        usual: Their means and standard deviations among the faces that the network learned from.
    """

    kind = "reader of expressions"

    def __init__(
        self,
        session: OwnSession,
        names: tuple[str, ...],
        usual: Float[np.ndarray, "mean_deviation=2 coefficients"],
    ) -> None:
        super().__init__(session)
        self.names, self.usual = names, usual

    def __call__(
        self, crops: UInt8[np.ndarray, "faces size size rgb=3"]
    ) -> Float[np.ndarray, "faces answers"]:
        """Read crops as `tracker.analysis.expression_crop` cuts them.

        Returns:
            Of each the coefficients (0 to 1, in the order of `names`), their standard deviations,
            the rotation vector from the head's frame to that of a camera that looks at the crop's
            middle (radians), and the standard deviations of small rotations about its axes.

        Raises:
            ValueError: If the reader is closed.
        """
        return self.run({FACE_CROPS: crops})


def load_expression_reader(path: Path = EXPRESSIONS, *, threads: int = 1) -> OnnxExpressionReader:
    """Load what `models.export_expressions` wrote.

    Args:
        path: An `.onnx` file.
        threads: Of one run.

    Raises:
        CheckpointError: If the file is missing, damaged or no reader of expressions.
    """

    def make(session: OwnSession, described: dict[str, Any]) -> OnnxExpressionReader:
        inputs = [entry.name for entry in session.built.get_inputs()]
        names, size_px = described.get("names"), described.get("size_px")
        if inputs != [FACE_CROPS] or type(size_px) is not int or not isinstance(names, list):
            raise ValueError("it takes and gives other things")
        (answer,) = session.run(None, {FACE_CROPS: np.zeros((2, size_px, size_px, 3), np.uint8)})
        good = isinstance(answer, np.ndarray) and answer.shape == (2, 2 * len(names) + _ROTATION)
        if not good or not np.isfinite(answer).all():
            raise ValueError("its answers are not those of a reader of expressions")
        usual = np.array(described.get("usual"), float)
        if usual.shape != (2, len(names)) or not np.isfinite(usual).all() or usual[1].min() <= 0:
            raise ValueError("it does not say what is usual")
        return OnnxExpressionReader(session, tuple(str(name) for name in names), usual)

    return open_tool(path, EXPRESSION_KIND, make, threads)
