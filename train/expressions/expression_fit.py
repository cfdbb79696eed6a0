"""Fits the network of expressions to pictures of faces."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.expression_net import ExpressionNet, ExpressionNetConfig
from tracker.analysis.expression_crop import FACE_CROP_PX
from tracker.crop import warp_crop
from train.augment import AugmentConfig, random_geometry, random_texture
from train.one_cycle import OneCycle, fit_averaged, huber
from train.rendered_heads import other_side

from .expression_samples import PATCH_PX, PATCH_SCALE, SOURCES, ExpressionSamples

_SEEN = AugmentConfig(
    shift=0.02, angle_deg=3.0, scale=0.05, occlusion=0.03, blur=0.1, gamma=0.25, noise=0.1,
    grey=0.15, motion_blur=0.05, compression=0.15, low_resolution=0.1, low_light=0.1,
)  # fmt: skip
"""Landmarks of a small network put the crop so far beside its place."""
_LEAST_VARIED = 1e-3
_LEAST_USUAL, _USUAL_TURN = 0.1, 0.1
"""Squared errors count over the squares of these: of coefficients, of the rotation in radians."""
_ROTATION_COUNTS, _DEVIATION_COUNTS = 0.5, 0.1
"""So much that neither drowns the other in what they share."""
_RENDERED_SHARE, _MOVED_SHARE = 0.55, 0.25
"""Of a batch; the rest is photographs, where there are."""
_VIEWERS = 2
"""Processes that cut crops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionRecipe:
    """How the network is trained."""

    faces: int = 800_000
    batch: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    averaged_share: float = 0.04
    """Of the training, after which a weight counts half in the average that is kept."""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FaceBatch:
    """Views of faces and the truth about them."""

    crops: UInt8[Tensor, "faces size size 3"]
    coefficients: Float[Tensor, "faces coefficients"]
    rotations: Float[Tensor, "faces 3 3"]


def fit(
    samples: ExpressionSamples, names: tuple[str, ...], recipe: ExpressionRecipe,
    start: ExpressionNet | None = None,
) -> ExpressionNet:  # fmt: skip
    """Train on what is not held out; returns the average of the weights.

    Args:
        samples: Pictures of faces.
        names: Of their coefficients.
        recipe: How.
        start: Goes on with these weights.
    """
    torch.manual_seed(recipe.seed)
    network = start or ExpressionNet(ExpressionNetConfig(coefficients=len(names)))
    steps = recipe.faces // recipe.batch
    training = samples.part(samples.is_trained_on)
    varied = np.maximum(usual_faces(training)[1], _LEAST_USUAL)
    usual = torch.from_numpy(varied.astype(np.float32))
    views = _Views(training, names, recipe)
    batches = DataLoader(
        views, batch_size=None, num_workers=_VIEWERS, multiprocessing_context="fork"
    )
    cycle = OneCycle(
        steps=steps,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        warmup=0.1,
        average_half_life=max(recipe.averaged_share * steps, 1),
    )
    return fit_averaged(
        network, batches, lambda batch: expression_loss(network, batch, usual), cycle
    )


def expression_loss(
    network: ExpressionNet, batch: FaceBatch, usual: Float[Tensor, " coefficients"]
) -> Tensor:
    """Squared errors, and the likelihood of their sizes under the deviations.

    The likelihood alone would let what is rare, and said surely not to be there, drown the rest: it
    teaches the deviations only.

    Args:
        network: In training mode.
        batch: What it sees.
        usual: Standard deviations of the coefficients; squared errors count over them.
    """
    answers = network(batch.crops.permute(0, 3, 1, 2).float())
    count = network.config.coefficients
    values, deviations, turn, turn_deviations = answers.split([count, count, 3, 3], 1)
    known = torch.isfinite(batch.coefficients)
    away = torch.where(known, batch.coefficients - values, 0.0)
    likelihood = huber((away.detach() / deviations).square()) / 2 + deviations.log()
    expressed = (away / usual).square().sum() / len(away)
    turned = torch.isfinite(batch.rotations[:, 0, 0])
    error = rotation_error(turn[turned], batch.rotations[turned])
    spread = turn_deviations[turned]
    sized = huber((error.detach() / spread).square()) / 2 + spread.log()
    posed = (error / _USUAL_TURN).square().sum() / len(away)
    sizes = (sized.sum() + (likelihood * known).sum()) / len(away)
    return expressed + _ROTATION_COUNTS * posed + _DEVIATION_COUNTS * sizes


def usual_faces(samples: ExpressionSamples) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of the coefficients of faces as training sees them."""
    of_source = np.bincount(samples.source, minlength=len(SOURCES))
    weights = np.array([share / of_source[part].sum() for part, share in _shares(samples)])
    weight = np.zeros(len(samples))
    for (part, _), one in zip(_shares(samples), weights, strict=True):
        weight[np.isin(samples.source, part)] = one
    known = np.isfinite(samples.coefficients) * weight[:, None]
    total = np.maximum(known.sum(0), 1e-9)
    values = np.nan_to_num(samples.coefficients.astype(float))
    mean = (known * values).sum(0) / total
    return mean, np.sqrt((known * np.square(values - mean)).sum(0) / total) + _LEAST_VARIED


def _shares(samples: ExpressionSamples) -> list[tuple[list[int], float]]:
    """Sources, by how much of a batch comes from them together."""
    rendered, moved = (SOURCES.index(name) for name in ("heads", "heads, moved"))
    rest = [i for i in range(len(SOURCES)) if i not in (rendered, moved)]
    shares = (_RENDERED_SHARE, _MOVED_SHARE, 1 - _RENDERED_SHARE - _MOVED_SHARE)
    there = set(samples.source.tolist())
    parts = zip(([rendered], [moved], rest), shares, strict=True)
    return [(part, share) for part, share in parts if there & set(part)]


def rotation_error(
    vectors: Float[Tensor, "faces 3"], truth: Float[Tensor, "faces 3 3"]
) -> Float[Tensor, "faces 3"]:
    """The rotation about the camera's axes from what is said to the truth, to first order."""
    turned = truth @ torch.matrix_exp(_skew(vectors)).mT
    skew = (turned - turned.mT) / 2
    return torch.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], 1)


def _skew(vectors: Tensor) -> Tensor:
    x, y, z = vectors.unbind(1)
    none = torch.zeros_like(x)
    return torch.stack([none, -z, y, z, none, -x, -y, x, none], 1).reshape(-1, 3, 3)


class _Views(Dataset[FaceBatch]):
    """Batch after batch of random faces, seen at random, half of them in the mirror."""

    def __init__(
        self, samples: ExpressionSamples, names: tuple[str, ...], recipe: ExpressionRecipe
    ) -> None:
        self._samples, self._recipe = samples, recipe
        self._swapped = [names.index(other_side(name)) for name in names]
        self._parts = [
            (np.flatnonzero(np.isin(samples.source, part)), share)
            for part, share in _shares(samples)
        ]

    def __len__(self) -> int:
        return self._recipe.faces // self._recipe.batch

    def __getitem__(self, step: int) -> FaceBatch:
        rng = np.random.default_rng((self._recipe.seed, step))
        shares = np.array([share for _, share in self._parts])
        counts = rng.multinomial(self._recipe.batch, shares / shares.sum())
        chosen = np.concatenate(
            [rng.choice(part, n) for (part, _), n in zip(self._parts, counts, strict=True)]
        )
        views = [seen_at_random(self._samples, int(i), self._swapped, rng) for i in chosen]
        crops, coefficients, rotations = (np.stack(column) for column in zip(*views, strict=True))
        return FaceBatch(*(torch.from_numpy(one) for one in (crops, coefficients, rotations)))


def seen_exactly(samples: ExpressionSamples, index: int) -> UInt8[np.ndarray, "size size 3"]:
    """The crop that landmarks without error give."""
    return warp_crop(samples.patches[index], _CROP_FROM_PATCH, FACE_CROP_PX)


def seen_at_random(
    samples: ExpressionSamples, index: int, swapped: list[int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A crop as landmarks with errors give it, in another light, and the truth about it."""
    moved = random_geometry(FACE_CROP_PX, _SEEN, rng).astype(float)
    crop = warp_crop(samples.patches[index], moved @ _CROP_FROM_PATCH, FACE_CROP_PX)
    crop = random_texture(crop, _SEEN, rng)
    upright = np.eye(3)
    upright[:2, :2] = moved[:2, :2] / np.sqrt(np.linalg.det(moved[:2, :2]))
    rotation = upright @ samples.rotations[index]
    coefficients = samples.coefficients[index]
    if rng.random() < 0.5:
        crop, coefficients = np.ascontiguousarray(crop[:, ::-1]), coefficients[swapped]
        rotation = _IN_MIRROR @ rotation @ _IN_MIRROR
    return crop, coefficients.astype(np.float32), rotation.astype(np.float32)


_IN_MIRROR = np.diag([-1.0, 1.0, 1.0])
_CROP_FROM_PATCH = np.diag([1 / PATCH_SCALE, 1 / PATCH_SCALE, 1.0])
_CROP_FROM_PATCH[:2, 2] = (FACE_CROP_PX - 1) / 2 - (PATCH_PX - 1) / 2 / PATCH_SCALE
