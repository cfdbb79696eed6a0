"""What the small networks beside the landmarks' one have in common: a session to be closed."""

from collections.abc import Mapping
from types import TracebackType
from typing import ClassVar, Self

import numpy as np

from .onnx_session import OwnSession


class ToolNetwork:
    """Runs a network of one output; a context manager, for it holds threads.

    Args:
        session: Of the network.
    """

    kind: ClassVar[str] = "network"
    """What messages call it."""

    def __init__(self, session: OwnSession) -> None:
        self._session: OwnSession | None = session

    def run(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The output.

        Args:
            inputs: By name.

        Raises:
            ValueError: If it is closed.
        """
        if self._session is None:
            raise ValueError(f"this {self.kind} is closed")
        (output,) = self._session.run(None, inputs)
        return np.asarray(output)

    def close(self) -> None:
        """Give back threads and memory; may be called twice."""
        self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
