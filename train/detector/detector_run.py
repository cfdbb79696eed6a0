"""The training run: batches from a worker, steps, an average of the weights, checkpoints."""

import json
import math
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from models.description import CheckpointError
from models.face_net import STRIDES, FaceNet, FaceNetConfig
from models.face_weights import FaceWeightsInfo, load_face_weights, save_face_weights

from .cell_targets import DetectorLoss, detector_loss, targets_of
from .compose_scenes import SceneComposer, SceneOptions
from .face_sources import SOURCES
from .picture_bank import PictureBank

LevelTargets = list[tuple[Tensor, Tensor, Tensor]]
Batch = tuple[Tensor, LevelTargets]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorRecipe:
    """How the detector is trained."""

    pictures: int = 400_000
    batch: int = 16
    scene_px: int = 320
    large_scene_px: int = 512
    """For one batch in `large_every`, of fewer scenes: faces that smaller ones cannot hold."""
    large_every: int = 6
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    warm_up: int = 8_000
    """Pictures until the full rate."""
    average_half_life: int = 8_000
    """Pictures after which the average has forgotten half."""
    found_from: float = 0.47
    """Score from which the weights report a face; changes nothing in training."""
    log_every: int = 4_000
    judge_every: int = 20_000


class SceneBatches(IterableDataset[Batch]):
    """Endless batches; what a worker composes follows from seed, start and the worker's number."""

    def __init__(self, bank: Path, recipe: DetectorRecipe, seed: int) -> None:
        self._bank, self._recipe, self._seed = bank, recipe, seed

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        if worker:  # a process of its own, beside the one that trains
            cv2.setNumThreads(1)
            torch.set_num_threads(1)
        rng = np.random.default_rng((self._seed, worker.id if worker else 0))
        composer, recipe = SceneComposer(PictureBank(self._bank)), self._recipe
        while True:
            large = rng.integers(recipe.large_every) == 0
            size = recipe.large_scene_px if large else recipe.scene_px
            share = (recipe.scene_px / size) ** 2
            yield compose_batch(composer, max(round(recipe.batch * share), 2), size, rng)


def compose_batch(
    composer: SceneComposer, count: int, size_px: int, rng: np.random.Generator
) -> Batch:
    """Scenes (n, 3, height, width) uint8, and for each level score, counts and labels."""
    images, levels = [], []
    for _ in range(count):
        image, labels, ignored = composer(size_px, rng)
        images.append(image.transpose(2, 0, 1))
        levels.append(targets_of(labels, ignored, size_px))
    targets = [
        (
            torch.from_numpy(np.stack([level[index].score for level in levels])),
            torch.from_numpy(np.stack([level[index].counts for level in levels])),
            torch.from_numpy(np.stack([level[index].label for level in levels])),
        )
        for index in range(len(STRIDES))
    ]
    return torch.from_numpy(np.stack(images)), targets


class DetectorRun:
    """A run in its folder: `state.pt` to go on from, `faces.safetensors` to use, `log.jsonl`."""

    def __init__(self, folder: Path, bank: Path, recipe: DetectorRecipe, config: FaceNetConfig):
        self._folder, self._bank, self._recipe = folder, bank, recipe
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        # Half as slow on a CPU as the default layout.
        self.network = FaceNet(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = deepcopy(self.network).eval()
        groups: list[dict[str, Any]] = [
            {"params": [p for p in self.network.parameters() if p.ndim > 1]},
            {"params": [p for p in self.network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimiser = torch.optim.AdamW(
            groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._precision = _fastest_precision(self.network, recipe.scene_px)
        self.pictures = 0
        if self._state.exists():
            self._resume()

    @property
    def _state(self) -> Path:
        return self._folder / "state.pt"

    def train(self, workers: int = 1) -> None:
        """Until the recipe's number of pictures; goes on where a run before stopped."""
        recipe = self._recipe
        if self.pictures >= recipe.pictures:
            return self.save()
        batches = SceneBatches(self._bank, recipe, seed=self.pictures)
        loader = DataLoader(
            batches, batch_size=None, num_workers=workers, prefetch_factor=6 if workers else None
        )
        sums, count, began = np.zeros(4), 0, time.monotonic()
        logged = judged = self.pictures
        for images, targets in loader:
            loss = self._step(images, targets)
            sums += [float(part.detach()) for part in loss]
            count += 1
            if self.pictures - logged >= recipe.log_every:
                rate = (self.pictures - logged) / (time.monotonic() - began)
                row = dict(zip(DetectorLoss._fields, (sums / count).round(5), strict=True))
                if self.pictures - judged >= recipe.judge_every:
                    row |= {"held_out_" + name: value for name, value in self.judge().items()}
                    judged = self.pictures
                self._log(row | {"per_s": round(rate, 1)})
                self.save()
                sums, count, logged, began = np.zeros(4), 0, self.pictures, time.monotonic()
            if self.pictures >= recipe.pictures:
                break
        return self.save()

    def start_from(self, weights: Path) -> None:
        """Begin with the weights of a file; not where a run goes on.

        Raises:
            CheckpointError: If they cannot be used, or are of another architecture.
        """
        if self.pictures:
            return
        network, info = load_face_weights(weights)
        if info.architecture != self.network.config:
            raise CheckpointError(f"{weights}: of another architecture than this run's")
        self.network.load_state_dict(network.state_dict())
        self.average.load_state_dict(network.state_dict())

    def _step(self, images: Tensor, targets: LevelTargets) -> DetectorLoss:
        recipe = self._recipe
        for group in self._optimiser.param_groups:
            group["lr"] = recipe.learning_rate * rate_at(self.pictures, recipe)
        self.network.train()
        is_half = self._precision is torch.bfloat16
        with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            raw = self.network(images.float().contiguous(memory_format=torch.channels_last))
        loss = detector_loss([level.float() for level in raw], targets)
        self._optimiser.zero_grad(set_to_none=True)
        loss.total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self._optimiser.step()
        self.pictures += len(images)
        self._follow(len(images))
        return loss

    def _follow(self, pictures: int) -> None:
        """Move the average; early on it follows faster, or it would remember the beginning."""
        half_life = min(self._recipe.average_half_life, max(self.pictures / 8, 1))
        keep = 0.5 ** (pictures / half_life)
        with torch.no_grad():
            ours = self.network.state_dict()
            for name, mean in self.average.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(ours[name], 1 - keep)
                else:
                    mean.copy_(ours[name])

    @torch.no_grad()
    def judge(self, batches: int = 16) -> dict[str, float]:
        """Losses of the average on scenes of held-out pictures, the same every time."""
        composer = SceneComposer(PictureBank(self._bank), SceneOptions(held_out=True))
        rng, sums = np.random.default_rng(0), np.zeros(4)
        for _ in range(batches):
            images, targets = compose_batch(composer, 8, self._recipe.scene_px, rng)
            loss = detector_loss(self.average(images.float()), targets)
            sums += [float(part) for part in loss]
        means = (sums / batches).round(5)
        return dict(zip(DetectorLoss._fields, map(float, means), strict=True))

    def save(self) -> None:
        """Everything to go on from; a kill in the middle leaves the state before."""
        partial = self._state.with_suffix(".partial")
        torch.save(
            {
                "pictures": self.pictures,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self._optimiser.state_dict(),
            },
            partial,
        )
        partial.replace(self._state)
        bank = PictureBank(self._bank)
        info = FaceWeightsInfo(
            architecture=self.network.config,
            trained_on=f"{len(bank.of(*SOURCES))} pictures: {', '.join(sorted(set(bank.sources)))}",
            licence="research only: that of the data",
            figures={"pictures": self.pictures},
            found_from=self._recipe.found_from,
        )
        save_face_weights(self._folder / "faces.safetensors", self.average.state_dict(), info)

    def _resume(self) -> None:
        state = torch.load(self._state, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.pictures = int(state["pictures"])

    def _log(self, row: dict[str, float]) -> None:
        with (self._folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"pictures": self.pictures, **row}) + "\n")


@torch.no_grad()
def _fastest_precision(network: FaceNet, scene_px: int) -> torch.dtype:
    """Half is twice as fast where the processor has it, and ten times slower elsewhere."""
    picture = torch.zeros(1, 3, scene_px, scene_px).contiguous(memory_format=torch.channels_last)

    def seconds(precision: torch.dtype) -> float:
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
            network.eval()(picture)
        return time.perf_counter() - began

    both = (torch.bfloat16, torch.float32)
    return min(both, key=lambda precision: min(seconds(precision) for _ in range(3)))


def rate_at(pictures: int, recipe: DetectorRecipe) -> float:
    """Share of the learning rate: a linear rise, then half a cosine down to 2 %."""
    if pictures < recipe.warm_up:
        return (pictures + recipe.batch) / (recipe.warm_up + recipe.batch)
    done = (pictures - recipe.warm_up) / max(recipe.pictures - recipe.warm_up, 1)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
