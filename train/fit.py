"""Train a landmark network, from a folder of annotated faces to a weight file.

    python -m train.fit --data 300w --config lite-300w --run runs/lite

Run the same command again after an interruption and it goes on where it stopped. The run folder
holds `state.pt` (everything to resume from), `landmarks.safetensors` (the averaged weights, as
`run_tracker.py --weights` reads them) and `log.jsonl`.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.utils.data import DataLoader

from models.checkpoint import CheckpointError, CheckpointInfo, load_checkpoint, save_checkpoint
from models.landmark_net import LandmarkNet, LandmarkNetConfig
from tracker.crop import crop_pixels
from tracker.layouts import IBUG_68, Layout

from .augment import exact_crop
from .datasets import (
    HELD_OUT_SEED,
    HELD_OUT_SHARE,
    DataError,
    Sample,
    hold_out,
    read_300w,
    read_pseudo_labels,
)
from .losses import gaussian_cross_entropy, star_loss
from .metrics import normalised_mean_error
from .recipes import RECIPES, Recipe
from .views import RandomViews, as_input, batches


class Run:
    """The state of one training run: weights, their average, optimiser and place."""

    def __init__(self, recipe: Recipe, layout: Layout, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        architecture = LandmarkNetConfig(
            landmarks=layout.count,
            edges=layout.edges,
            stacks=recipe.stacks,
            width=recipe.width,
            stem_width=recipe.stem_width,
            depth=recipe.depth,
            attention=recipe.attention,
            heatmap="softmax",
        )
        memory = torch.channels_last
        self.recipe, self.images = recipe, 0
        self.network = LandmarkNet(architecture).to(device, memory_format=memory)  # type: ignore[call-overload]
        self.average = LandmarkNet(architecture).to(device, memory_format=memory)  # type: ignore[call-overload]
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            _decayed_groups(self.network, recipe.weight_decay), lr=recipe.learning_rate, fused=True
        )

    @property
    def progress(self) -> float:
        return self.images / self.recipe.images

    def save(self, folder: Path) -> None:
        """Write `state.pt`; a kill meanwhile leaves the one before."""
        partial = folder / "state.pt.partial"
        state = {
            "recipe": asdict(self.recipe),
            "images": self.images,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(state, partial)
        partial.replace(folder / "state.pt")

    def load(self, path: Path) -> None:
        """Go on from `state.pt`."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        theirs, ours = state["recipe"], asdict(self.recipe)
        shape = ("stacks", "width", "stem_width", "depth", "attention", "batch", "seed")
        if other := [name for name in shape if theirs[name] != ours[name]]:
            raise DataError(
                f"{path}: belongs to a run with another {', '.join(other)}: name another --run"
            )
        self.images = state["images"]
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])

    def start_from(self, weights: Path) -> None:
        """Begin with the weights of an earlier run, and a fresh optimiser and schedule."""
        network, info = load_checkpoint(weights)
        if info.architecture != self.network.config:
            raise DataError(f"{weights}: is another network than the recipe's: choose its --config")
        self.network.load_state_dict(network.state_dict())
        self.average.load_state_dict(network.state_dict())

    def step(self, crops: Tensor, target: Tensor, forward: Any) -> dict[str, float]:
        """One optimiser step; returns the parts of the loss."""
        recipe = self.recipe
        star, cross_entropy = torch.zeros(()), torch.zeros(())
        for stage in forward(as_input(crops)):
            star = star + star_loss(stage.heatmaps, target.clamp(-1, 1))
            cross_entropy = cross_entropy + gaussian_cross_entropy(
                stage.logits, target, recipe.sigma_cells
            )
        loss = recipe.star_weight * star + recipe.cross_entropy_weight * cross_entropy
        if not torch.isfinite(loss):
            raise DataError(f"the loss is {loss.item()} at picture {self.images}: training stopped")
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.learning_rate_at(self.progress)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()
        self.images += len(crops)
        self._update_average(len(crops))
        return {"star": star.item(), "cross_entropy": cross_entropy.item()}

    @torch.no_grad()
    def _update_average(self, images: int) -> None:
        # Early on the average must not remember the random start.
        half_life = min(self.recipe.ema_half_life, max(self.images // 5, images))
        keep = 0.5 ** (images / half_life)
        pairs = zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        )
        for old, new in pairs:
            if old.is_floating_point():
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)


def _decayed_groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Convolution kernels decay; biases and norms do not."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [
        {"params": kernels, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


@torch.inference_mode()
def evaluate(
    network: LandmarkNet, samples: list[Sample], layout: Layout, size_px: int, margin: float
) -> Float[np.ndarray, " faces"]:
    """Normalised mean error per face on exact crops, as published tables measure it."""
    network.eval()
    views = [exact_crop(sample.read_image(), sample.points, size_px, margin) for sample in samples]
    crops = torch.from_numpy(np.stack([crop for crop, _ in views])).permute(0, 3, 1, 2)
    landmarks = torch.cat([network(as_input(part)).landmarks for part in crops.split(16)])
    predicted = crop_pixels(landmarks.double().numpy(), size_px)
    return normalised_mean_error(predicted, np.stack([points for _, points in views]), layout)


def fit(run: Run, folder: Path, samples: "Samples", *, workers: int, compiled: bool) -> None:
    """Train to the end of the recipe, saving as it goes."""
    recipe = run.recipe
    views = RandomViews(samples.training + samples.pseudo, IBUG_68, recipe)
    loader = DataLoader(
        views,
        batch_sampler=list(batches(recipe, len(samples.training), len(samples.pseudo), run.images)),
        num_workers=workers,
    )
    forward = (
        torch.compile(run.network.run_stages, dynamic=False) if compiled else run.network.run_stages
    )
    started, first = time.monotonic(), run.images
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn()) as progress:
        task = progress.add_task("training", total=recipe.images, completed=run.images)
        for crops, target in loader:
            run.network.train()
            losses = run.step(crops, target, forward)
            progress.update(task, completed=run.images)
            if run.images >= recipe.images or run.images % recipe.evaluate_every < len(crops):
                rate = (run.images - first) / (time.monotonic() - started)
                row = _report(run, folder, samples, {**losses, "images_per_s": rate})
                progress.console.print(json.dumps(row), highlight=False)


def _report(
    run: Run, folder: Path, samples: "Samples", figures: dict[str, float]
) -> dict[str, float]:
    recipe, layout = run.recipe, IBUG_68
    size_px = recipe.size_at(run.progress)
    nme = evaluate(run.average, samples.held_out, layout, size_px, recipe.margin)
    row = {
        "images": float(run.images),
        "size_px": float(size_px),
        "held_out_nme_percent": round(100 * float(nme.mean()), 3),
        "held_out_over_8_percent": round(100 * float((nme > 0.08).mean()), 2),
        **{name: round(value, 4) for name, value in figures.items()},
    }
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(row) + "\n")
    info = CheckpointInfo(
        architecture=run.network.config,
        layout=layout.name,
        input_px=size_px,
        margin=recipe.margin,
        trained_on=samples.described,
        licence="research only: that of the data",
        figures={"held_out_nme_percent": row["held_out_nme_percent"]},
    )
    save_checkpoint(folder / "landmarks.safetensors", run.average.state_dict(), info)
    run.save(folder)
    return row


@dataclass(frozen=True, slots=True)
class Samples:
    """The faces of a run."""

    training: list[Sample]
    held_out: list[Sample]
    pseudo: list[Sample]

    @property
    def described(self) -> str:
        text = f"300W training part: {len(self.training)} faces, {len(self.held_out)} held out"
        if not self.pseudo:
            return text
        folders = ", ".join(sorted({sample.image_path.parent.name for sample in self.pseudo}))
        return f"{text}; {len(self.pseudo)} faces of {folders} pseudo-labelled by train.teacher"


def main() -> None:
    """Parse flags, build or resume the run, train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--config", choices=sorted(RECIPES), required=True)
    parser.add_argument(
        "--run", type=Path, required=True, help="folder to write to and resume from"
    )
    parser.add_argument("--pseudo-labels", type=Path, help="what train.teacher wrote")
    parser.add_argument(
        "--images", type=int, help="pictures to see in all, instead of the recipe's"
    )
    parser.add_argument("--start-from", type=Path, help="weights to begin a new run with")
    parser.add_argument("--workers", type=int, default=1, help="processes that cut crops")
    parser.add_argument("--compile", action="store_true", help="faster after two minutes' start")
    arguments = parser.parse_args()
    try:
        training, held_out = hold_out(read_300w(arguments.data), HELD_OUT_SHARE, HELD_OUT_SEED)
        pseudo = read_pseudo_labels(arguments.pseudo_labels) if arguments.pseudo_labels else []
        recipe = RECIPES[arguments.config]
        recipe = replace(recipe, images=arguments.images or recipe.images)
        run = Run(recipe, IBUG_68, torch.device("cpu"))
        arguments.run.mkdir(parents=True, exist_ok=True)
        if (arguments.run / "state.pt").exists():
            run.load(arguments.run / "state.pt")
        elif arguments.start_from:
            run.start_from(arguments.start_from)
        samples = Samples(training, held_out, pseudo)
        fit(run, arguments.run, samples, workers=arguments.workers, compiled=arguments.compile)
    except (DataError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
