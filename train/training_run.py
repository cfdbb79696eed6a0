"""The state of one training run, and the step that moves it on."""

import io
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoint import UNREADABLE, load_checkpoint
from models.landmark_net import LandmarkNet, LandmarkNetConfig, Stage
from tracker.layouts import Layout

from .datasets import DataError
from .execution import PLAIN, Execution
from .objective import Labels, objective
from .optimizer import make_optimizer
from .processes import Processes, synchronise_batch_norm
from .recipes import Recipe
from .step_graph import StepGraph
from .training_error import TrainingError
from .views import TrainingView, as_input
from .warm_start import warm_start
from .whole_file import write_whole

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_SHAPE = ("stacks", "width", "stem_width", "depth", "attention", "heatmap", "block", "stem_pools",
          "batch", "seed")  # fmt: skip
"""What a state and a recipe must share for the one to go on with the other."""


class _Stages(nn.Module):
    """The network as training calls it, so that wrappers see every output."""

    def __init__(self, network: LandmarkNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> list[Stage]:
        return self.network.run_stages(crops)


def architecture_of(recipe: Recipe, layout: Layout) -> LandmarkNetConfig:
    """The network that a recipe trains for a layout."""
    return LandmarkNetConfig(
        landmarks=layout.count,
        edges=layout.edges,
        stacks=recipe.stacks,
        width=recipe.width,
        stem_width=recipe.stem_width,
        depth=recipe.depth,
        attention=recipe.attention,
        heatmap=recipe.heatmap,
        block=recipe.block,
        stem_pools=recipe.stem_pools,
    )


class Run:
    """Weights, their average, optimiser and place in the run."""

    def __init__(
        self,
        recipe: Recipe,
        layout: Layout,
        processes: Processes,
        execution: Execution = PLAIN,
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.processes, self.execution = recipe, processes, execution
        self.images = 0
        self.best = float("inf")
        """Least error on the held-out part so far."""
        self.bad: set[str] = set()
        """Pictures that could not be read."""
        architecture, device = architecture_of(recipe, layout), processes.device
        self.average = LandmarkNet(architecture)
        self.network = LandmarkNet(architecture)
        self.average.load_state_dict(self.network.state_dict())
        for network in (self.average, self.network):
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        synchronise_batch_norm(self.network, processes)
        self.optimizer = make_optimizer(self.network, recipe)
        self._wrapped = processes.wrap(_Stages(self.network))
        self._forward = (
            torch.compile(self._wrapped, dynamic=False) if execution.compiled else self._wrapped
        )
        self._scaler = torch.amp.GradScaler(device.type, enabled=execution.precision == "fp16")
        self._graphs: dict[int, StepGraph] = {}
        self._averaged: tuple[list[Tensor], list[Tensor]] | None = None
        self.clock: Callable[[], float] | None = None
        """Share of the time that is over, where the schedule follows the clock."""

    @property
    def progress(self) -> float:
        """Place in the schedule, from 0 to 1."""
        return self.images / self.recipe.images if self.clock is None else min(self.clock(), 1.0)

    @property
    def size_px(self) -> int:
        """Of the crops at this place."""
        return self.recipe.size_at(self.progress)

    def step(self, batch: TrainingView) -> dict[str, float]:
        """One optimiser step on this process' part of a batch; the parts of the loss over all.

        Raises:
            TrainingError: If the loss is not a number; weights and average are as before.
        """
        self.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate_at(self.progress)
        losses = self._played_back(batch) if self.execution.graph else self._backward(batch)
        if not all(map(math.isfinite, losses.values())):
            values = ", ".join(f"{name} {value:g}" for name, value in losses.items())
            pictures = ", ".join(batch.name)
            raise TrainingError(
                f"the loss is no number at picture {self.images} ({values}): training stopped, the "
                f"last saved state is good; the batch was {pictures}"
            )
        if self.recipe.gradient_clip:
            self._scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.gradient_clip)
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.images += self.recipe.batch
        self._update_average()
        return losses

    def _backward(self, batch: TrainingView) -> dict[str, float]:
        """Gradients of this process' part; the losses over all, in one trip from the device."""
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.execution.accumulate
        device = self.processes.device
        sums: dict[str, Tensor] = {}
        rows = (batch.crop, batch.target, batch.certainty, batch.edges, batch.again)
        pieces = zip(*(row.chunk(parts) for row in rows), strict=True)
        for index, piece in enumerate(pieces):
            with self._unsynchronised(is_last=index + 1 == parts):
                losses = self._differentiated([part.to(device) for part in piece], 1 / parts)
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0) + loss / parts
        means = self.processes.mean(torch.stack(list(sums.values())))
        return dict(zip(sums, means.tolist(), strict=True))

    def _differentiated(self, rows: list[Tensor], share: float = 1.0) -> dict[str, Tensor]:
        """The losses of crops and labels on the device; their gradients, times `share`, added."""
        crops, target, certainty, edges, again = rows
        labels = Labels(target, certainty, edges, again, crops.shape[-1])
        stages = self._run_stages(crops.contiguous(memory_format=torch.channels_last))
        losses = objective(stages, labels, self.recipe)
        total = torch.stack(list(losses.values())).sum() * share
        self._scaler.scale(total).backward()
        return {name: loss.detach() for name, loss in losses.items()}

    def record_all(self) -> None:
        """Record the steps of all sizes now: nothing else may use the GPU meanwhile."""
        for size_px in self.recipe.all_sizes:
            self.record(size_px)

    def record(self, size_px: int) -> None:
        """Record the steps of one size."""
        batch, landmarks = self.recipe.batch, self.network.config.landmarks
        device, cells = self.processes.device, size_px // 4
        self._graphs[size_px] = StepGraph(
            self._differentiated,
            [
                torch.zeros(batch, 3, size_px, size_px, dtype=torch.uint8, device=device),
                torch.zeros(batch, landmarks, 2, device=device),
                torch.ones(batch, landmarks, device=device),
                torch.zeros(batch, 0, cells, cells, dtype=torch.uint8, device=device),
                torch.zeros(batch, dtype=torch.bool, device=device),
            ],
            self.network,
        )

    def _played_back(self, batch: TrainingView) -> dict[str, float]:
        """As `_backward`, by the graph of batches of this size."""
        rows = (batch.crop, batch.target, batch.certainty, batch.edges, batch.again)
        return self._graphs[batch.crop.shape[-1]]([row.to(self.processes.device) for row in rows])

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.network.parameters()).dtype

    def _run_stages(self, crops: Tensor) -> list[Stage]:
        precision = self.execution.precision
        with torch.autocast(crops.device.type, _DTYPES[precision], enabled=precision != "fp32"):
            stages: list[Stage] = self._forward(as_input(crops).to(self._dtype))
        return stages

    def _unsynchronised(self, *, is_last: bool) -> AbstractContextManager[None]:
        """Gradients travel between processes once a step, not once a part."""
        if is_last or self.processes.count == 1:
            return nullcontext()
        waiting: AbstractContextManager[None] = self._wrapped.no_sync()  # type: ignore[operator]
        return waiting

    @torch.no_grad()
    def _update_average(self) -> None:
        if not self.processes.is_first:
            return
        keep = self.recipe.ema_keeps(self.images, self.recipe.batch)
        if self._averaged is None:
            self._averaged = _floating_pairs(self.average, self.network)
        torch._foreach_lerp_(*self._averaged, 1 - keep)  # one kernel for hundreds of tensors

    def save(self, path: Path) -> None:
        """Write everything to resume from; a kill or a full disk meanwhile leaves the file before.

        Raises:
            TrainingError: If it cannot be written.
        """
        state = {
            "recipe": asdict(self.recipe),
            "images": self.images,
            "best": self.best,
            "bad": sorted(self.bad),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }
        serialised = io.BytesIO()
        torch.save(state, serialised)
        write_whole(path, serialised.getbuffer())

    def load(self, path: Path) -> None:
        """Go on from a saved state, on any number of processes.

        Raises:
            DataError: If it is damaged or another run's.
        """
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except UNREADABLE as error:
            raise DataError(f"{path}: damaged: delete it, or name another folder") from error
        theirs, ours = state["recipe"], asdict(self.recipe)
        if other := [name for name in _SHAPE if theirs.get(name) != ours[name]]:
            raise DataError(
                f"{path}: belongs to a run with another {', '.join(other)}: name another folder"
            )
        self.images, self.best, self.bad = state["images"], state["best"], set(state["bad"])
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])

    def start_from(self, weights: Path) -> list[str]:
        """Begin with the weights of an earlier run, and a fresh optimiser and schedule.

        Returns:
            The parts of the network that nevertheless begin at random, or as copies.

        Raises:
            DataError: If they are another network's; see `warm_start` for what may differ.
        """
        network, _ = load_checkpoint(weights)
        try:
            begun = warm_start(self.network.state_dict(), network.state_dict())
        except ValueError as error:
            raise DataError(
                f"{weights}: is another network than the recipe's ({error}): choose its --config"
            ) from error
        self.network.load_state_dict(begun)
        self.average.load_state_dict(begun)
        known = network.state_dict()
        return sorted(
            {
                ".".join(name.split(".")[:2])
                for name, tensor in begun.items()
                if name not in known or known[name].shape != tensor.shape
            }
        )

    def go_on_from(self, weights: Path) -> None:
        """Go on from weights of this run at their place of the schedule, with a new optimiser.

        Raises:
            DataError: If they are another network's or do not name their place.
        """
        self.start_from(weights)
        _, info = load_checkpoint(weights)
        if "images" not in info.figures:
            raise DataError(f"{weights}: does not say how many pictures it has seen")
        self.images = int(info.figures["images"])


def _floating_pairs(
    average: LandmarkNet, network: LandmarkNet
) -> tuple[list[Tensor], list[Tensor]]:
    """What is averaged, and of what; counters of batches are nobody's business."""
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    floating = [(old, new) for old, new in pairs if old.is_floating_point()]
    return [old for old, _ in floating], [new for _, new in floating]
