"""Fits the eyes' network to pictures of eyes, and says how well it does on those held out."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from models.eye_net import EyeNet, EyeNetConfig
from tracker.analysis.eye_crop import EYE_PX, SIZE_PX
from tracker.crop import transform, warp_crop
from train.augment import AugmentConfig, random_geometry, random_texture
from train.one_cycle import OneCycle, fit_averaged, huber

from .eye_samples import PATCH_PX, PATCH_SCALE, EyeSamples

_SEEN = AugmentConfig(
    shift=0.035, angle_deg=5.0, scale=0.08, occlusion=0.02, blur=0.2, gamma=0.3, noise=0.1,
    grey=0.1, motion_blur=0.1, compression=0.25, low_resolution=0.35, low_light=0.15,
)  # fmt: skip
_SHUT_COUNTS = 0.3
_LATER_RATE = 1 / 3
"""Of the learning rate, where training goes on."""
_HEAT_CELLS = 0.75
"""Standard deviation of the heat map's target, in its cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeRecipe:
    """How the network is trained."""

    eyes: int = 900_000
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    average_over: int = 20_000
    """Eyes after which a weight counts half in the average that is kept."""
    seed: int = 0
    config: EyeNetConfig = field(default_factory=EyeNetConfig)


def fit(samples: EyeSamples, recipe: EyeRecipe, start: EyeNet | None = None) -> EyeNet:
    """Train on what is not held out; returns the average of the weights.

    Args:
        samples: Pictures of eyes.
        recipe: How.
        start: Goes on with these weights, with a third of the learning rate.
    """
    torch.manual_seed(recipe.seed)
    network = EyeNet(recipe.config) if start is None else start
    steps = recipe.eyes // recipe.batch
    cycle = OneCycle(
        steps=steps,
        learning_rate=recipe.learning_rate * (1.0 if start is None else _LATER_RATE),
        weight_decay=recipe.weight_decay,
        warmup=0.05,
        average_half_life=recipe.average_over / recipe.batch,
    )
    batches = _batches(samples.part(~samples.held_out), recipe, steps)
    return fit_averaged(network, batches, lambda batch: eye_loss(network, *batch), cycle)


def eye_loss(
    network: EyeNet,
    crops: UInt8[Tensor, "eyes size size 3"],
    pupils: Float[Tensor, "eyes xy=2"],
    shut: Float[Tensor, " eyes"],
) -> Tensor:
    """Negative log-likelihood of the pupil under its covariance, and of how far the eye is shut.

    Args:
        network: In training mode.
        crops: As they are cut.
        pupils: Crop pixels; NaN where they are not known.
        shut: 0 to 1; NaN where it is not known.
    """
    answers, heat = network.answers_and_heat(crops.permute(0, 3, 1, 2).float())
    seen, known = torch.isfinite(pupils[:, 0]), torch.isfinite(shut)
    away = pupils[seen] - answers[seen, :2]
    xx, xy, yy = answers[seen, 2], answers[seen, 3], answers[seen, 4]
    determinant = xx * yy - xy.square()
    squared = (
        yy * away[:, 0].square() - 2 * xy * away.prod(1) + xx * away[:, 1].square()
    ) / determinant
    likelihood = ((huber(squared) + determinant.log()) / 2).sum()
    target = -(network.cells - pupils[seen, None]).square().sum(-1)
    target = (target / (2 * (2 * _HEAT_CELLS) ** 2)).softmax(1)
    cross_entropy = F.cross_entropy(heat[seen], target, reduction="sum")
    deviation = answers[known, 6]
    squared_shut = ((shut[known] - answers[known, 5]) / deviation).square()
    shut_likelihood = (huber(squared_shut) / 2 + deviation.log()).sum()
    return (likelihood + cross_entropy + _SHUT_COUNTS * shut_likelihood) / len(crops)


def _batches(
    samples: EyeSamples, recipe: EyeRecipe, steps: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Random eyes, seen at random."""
    rng = np.random.default_rng(recipe.seed)
    for _ in range(steps):
        chosen = rng.integers(0, len(samples.shut), recipe.batch)
        views = [random_view(samples, int(index), rng) for index in chosen]
        yield (
            torch.from_numpy(np.stack([crop for crop, _ in views])),
            torch.from_numpy(np.stack([pupil for _, pupil in views])),
            torch.from_numpy(samples.shut[chosen].astype(np.float32)),
        )


def exact_view(
    samples: EyeSamples, index: int
) -> tuple[UInt8[np.ndarray, "size size 3"], Float[np.ndarray, "xy=2"]]:
    """The crop that landmarks without error give, and the pupil in it."""
    return _view(samples, index, np.eye(3))


def random_view(
    samples: EyeSamples, index: int, rng: np.random.Generator
) -> tuple[UInt8[np.ndarray, "size size 3"], Float[np.ndarray, "xy=2"]]:
    """A crop as landmarks with errors give it, in another light, and the pupil in it."""
    crop, pupil = _view(samples, index, random_geometry(SIZE_PX, _SEEN, rng).astype(float))
    return random_texture(crop, _SEEN, rng), pupil


def _view(
    samples: EyeSamples, index: int, moved: Float[np.ndarray, "3 3"]
) -> tuple[UInt8[np.ndarray, "size size 3"], Float[np.ndarray, "xy=2"]]:
    coarser = np.diag([1 / PATCH_SCALE, 1 / PATCH_SCALE, 1.0])
    coarser[:2, 2] = (SIZE_PX - 1) / 2 - (PATCH_PX - 1) / 2 / PATCH_SCALE
    matrix = moved @ coarser
    crop = warp_crop(samples.patches[index], matrix, SIZE_PX)
    return crop, transform(matrix, samples.pupils[index][None])[0].astype(np.float32)


@dataclass(frozen=True, slots=True)
class EyeFigures:
    """On eyes that were not trained on."""

    eyes: int
    pupil_error: float
    """Median distance from the truth, in widths of the eye."""
    pupil_error_p95: float
    mahalanobis: float
    """Mean squared Mahalanobis distance over 2: 1 is true."""
    shut_correlation: float
    shut_when_open: float
    """Mean of what is said of eyes whose truth is below 0.05."""
    shut_when_shut: float
    """Mean of what is said of eyes whose truth is above 0.95."""


@torch.inference_mode()
def measure(network: EyeNet, samples: EyeSamples) -> EyeFigures:
    """How well the network does."""
    views = [exact_view(samples, index) for index in range(len(samples.shut))]
    crops = torch.from_numpy(np.stack([crop for crop, _ in views]))
    answers = torch.cat(
        [network(part.permute(0, 3, 1, 2).float()) for part in crops.split(256)]
    ).numpy()
    pupils = np.stack([pupil for _, pupil in views])
    seen, known = np.isfinite(pupils[:, 0]), np.isfinite(samples.shut)
    away = pupils[seen] - answers[seen, :2]
    covariance = answers[seen][:, [2, 3, 3, 4]].reshape(-1, 2, 2)
    squared = np.einsum("ni,nij,nj->n", away, np.linalg.inv(covariance), away)
    distance = np.linalg.norm(away, axis=-1) / EYE_PX
    shut, said = samples.shut[known], answers[known, 5]
    return EyeFigures(
        len(pupils), _quantile(distance, 0.5), _quantile(distance, 0.95), _mean(squared) / 2,
        float(np.corrcoef(shut, said)[0, 1]), _mean(said[shut < 0.05]), _mean(said[shut > 0.95]),
    )  # fmt: skip


def _mean(values: np.ndarray) -> float:
    """NaN of none."""
    return float(values.mean()) if len(values) else float("nan")


def _quantile(values: np.ndarray, share: float) -> float:
    """NaN of none: pupils of rendered eyes that were shut are not known."""
    return float(np.quantile(values, share)) if len(values) else float("nan")
