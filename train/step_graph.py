"""One training step's forward and backward pass as a graph that the GPU plays back."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

_WARM_UPS = 3
"""Steps before the recording, in which libraries choose their kernels."""


class StepGraph:
    """Records what a function does to a batch on the GPU, gradients included, and plays it back.

    The parameters' gradients live in the graph's memory: a step of the optimiser may read and
    scale them, but must not release them.
    """

    def __init__(
        self,
        differentiate: Callable[[list[Tensor]], dict[str, Tensor]],
        rows: list[Tensor],
        network: nn.Module,
    ) -> None:
        """Warm up and record.

        Args:
            differentiate: Adds gradients to the network and returns its losses, all on the GPU.
            rows: A batch, on the GPU; later ones must have its shapes.
            network: Its parameters get gradients; its running statistics stay as they are.
        """
        self._rows = [row.clone() for row in rows]
        statistics = [buffer.clone() for buffer in network.buffers()]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UPS):
                network.zero_grad(set_to_none=True)
                differentiate(self._rows)
        torch.cuda.current_stream().wait_stream(aside)
        network.zero_grad(set_to_none=True)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            losses = differentiate(self._rows)
            self._values = torch.stack(list(losses.values()))
        self._names = list(losses)
        for buffer, before in zip(network.buffers(), statistics, strict=True):
            buffer.copy_(before)

    def __call__(self, rows: list[Tensor]) -> dict[str, float]:
        """The losses of a batch; the network's gradients are its."""
        for kept, row in zip(self._rows, rows, strict=True):
            kept.copy_(row)
        self._graph.replay()
        return dict(zip(self._names, self._values.tolist(), strict=True))
