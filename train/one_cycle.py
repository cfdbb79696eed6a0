"""Trains a small network in one cycle of the learning rate; kept is the average of its weights.

What the networks that read crops of eyes and of faces have in common.
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

Batch = TypeVar("Batch")
Network = TypeVar("Network", bound=nn.Module)

HUBER_LIMIT = 3.0
"""Standard deviations beyond which an error pulls no harder: teachers make gross ones."""
_LONGEST_GRADIENT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OneCycle:
    """The schedule."""

    steps: int
    learning_rate: float
    """The largest."""
    weight_decay: float
    warmup: float
    """Share of the steps in which the learning rate rises."""
    average_half_life: float
    """Steps after which a weight counts half in the average."""


def fit_averaged(
    network: Network, batches: Iterable[Batch], loss: Callable[[Batch], Tensor], cycle: OneCycle
) -> Network:
    """Train in place; returns the network in evaluation mode, with the average of its weights.

    Args:
        network: To be trained.
        batches: As many as the cycle has steps.
        loss: Of the network on a batch.
        cycle: How.
    """
    network.train()
    average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimizer = torch.optim.AdamW(
        network.parameters(), cycle.learning_rate, weight_decay=cycle.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, cycle.learning_rate, total_steps=cycle.steps + 1, pct_start=cycle.warmup
    )
    bar = track(batches, "training", total=cycle.steps, console=Console(stderr=True))
    for step, batch in enumerate(bar):
        value = loss(batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(network.parameters(), _LONGEST_GRADIENT)
        optimizer.step()
        schedule.step()
        keep = min(0.5 ** (1 / cycle.average_half_life), (step + 1) / (step + 10))
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                average[name].lerp_(tensor, 1 - keep)
            else:
                average[name].copy_(tensor)
    network.load_state_dict(average)
    return network.eval()


def huber(squared: Tensor) -> Tensor:
    """Squared errors, in standard deviations: linear in the error beyond `HUBER_LIMIT`.

    Source:
        Huber 1964, "Robust estimation of a location parameter"; times two.
    """
    distance = squared.clamp_min(1e-12).sqrt()
    beyond = HUBER_LIMIT * (2 * distance - HUBER_LIMIT)
    return torch.where(distance < HUBER_LIMIT, squared, beyond)


def add_training_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of a command that gathers samples, trains one network and writes its weights."""
    parser.add_argument("--data", type=Path, required=True, help="folder with the sources")
    parser.add_argument("--mesh", type=Path, metavar="F", help="face_landmarker.task, the teacher")
    parser.add_argument("--samples", type=Path, metavar="F", help="keeps what was gathered")
    parser.add_argument("--output", type=Path, required=True, help="the weights to write")
    parser.add_argument("--start", type=Path, metavar="F", help="weights to go on with")
    parser.add_argument(
        "--free", action="store_true", help="only material whose terms permit commercial use"
    )
    parser.add_argument("--threads", type=int, default=1, help="that train: %(default)s")
