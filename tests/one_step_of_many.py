"""Run by `torchrun`: one training step on this process' part of a batch; the first one saves it."""

import sys
from dataclasses import replace

import torch

from tracker.layouts import IBUG_68
from train.processes import Processes, joined
from train.recipes import RECIPES
from train.training_run import Execution, Run
from train.views import TrainingView

FACES = 8


def whole_batch() -> TrainingView:
    generator = torch.Generator().manual_seed(0)
    crops = torch.randint(0, 256, (FACES, 3, 32, 32), dtype=torch.uint8, generator=generator)
    target = torch.rand(FACES, 68, 2, generator=generator) - 0.5
    edges = torch.randint(0, 64, (FACES, 9, 8, 8), dtype=torch.uint8, generator=generator)
    names = [f"face {index}" for index in range(FACES)]
    sure = torch.rand(FACES, 68, generator=generator)
    again = torch.arange(FACES) % 4 == 3  # in both processes' parts
    return TrainingView(crops, target, sure, edges, again, names, [""] * FACES)  # type: ignore[arg-type]


def step(processes: Processes, accumulate: int = 1) -> dict[str, dict[str, torch.Tensor]]:
    """What every tensor is after one step on this process' share."""
    recipe = replace(
        RECIPES["tiny"],
        batch=FACES,
        attention=True,
        images=10_000,
        optimizer="adam",
        warmup=0.0,
        consistency_weight=1.0,
    )
    run = Run(recipe, IBUG_68, processes, Execution(accumulate=accumulate))
    mine = TrainingView(*(processes.share(part) for part in whole_batch()))  # type: ignore[arg-type]
    losses = run.step(mine)
    gradients = {name: p.grad.clone() for name, p in run.network.named_parameters()}
    return {
        "losses": {name: torch.tensor(loss) for name, loss in losses.items()},
        "gradients": gradients,
        "buffers": dict(run.network.named_buffers()),
        "average": run.average.state_dict(),
    }


if __name__ == "__main__":
    with joined(torch.device("cpu")) as processes:
        found = step(processes)
        if processes.is_first:
            torch.save(found, sys.argv[1])
