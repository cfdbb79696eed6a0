"""How a recipe is carried out on a machine."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How a recipe is carried out; changes speed and memory, not what is trained."""

    precision: Precision = "fp32"
    compiled: bool = False
    accumulate: int = 1
    """Parts that a batch is cut into, one after the other, to fit into memory; batch norm then
    sees the parts."""
    graph: bool = False
    """Record forward and backward pass once for each size of batch and play them back: launching
    kernels one by one costs a GPU more than small ones take. One process, CUDA."""


PLAIN = Execution()
