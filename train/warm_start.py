"""What of a trained network another one can begin with."""

import re

import torch
from torch import Tensor

_OF_A_STACK = re.compile(r"(?P<part>hgs|features|out_\w+|merge_\w+)\.(?P<stack>\d+)\.")
_MAY_BEGIN_AT_RANDOM = ("pre.", "out_", "merge_", "e2h_")

State = dict[str, Tensor]


def warm_start(fresh: State, trained: State) -> State:
    """`fresh` with everything in its place that `trained` knows.

    Heads for other landmarks and a stem of another width stay as they are. A stack that `trained`
    lacks begins as its last one and is merged into the features with weight zero, so that at
    first its output is that of the stack before it.

    Raises:
        ValueError: If the hourglasses that both have differ, or further ones are built otherwise.
    """
    known = len({found["stack"] for name in trained if (found := _OF_A_STACK.match(name))
                 and found["part"] == "features"})  # fmt: skip
    begun = dict(fresh)
    for name, tensor in fresh.items():
        source = _source(name, tensor, trained, known)
        if source is not None and source.shape == tensor.shape:
            begun[name] = source
        elif not name.startswith(_MAY_BEGIN_AT_RANDOM):
            raise ValueError(f"{name} does not fit")
    return begun


def _source(name: str, tensor: Tensor, trained: State, known: int) -> Tensor | None:
    """Where a tensor comes from; None if nothing of it is known."""
    place = _OF_A_STACK.match(name)
    if place is None or name in trained:
        return trained.get(name)
    if place["part"].startswith("merge_"):
        return torch.zeros_like(tensor) if int(place["stack"]) >= known - 1 else None
    last = f"{place['part']}.{min(int(place['stack']), known - 1)}."
    return trained.get(last + name[place.end() :])
