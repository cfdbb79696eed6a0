"""Make the covariances tell the truth: fit them, and the presence score, on held-out faces.

    python -m train.calibrate --data 300w --weights runs/lite/landmarks.safetensors
        --output models/weights/lite-300w.safetensors

Per landmark, R = a S + b d^2 I maximises the Gaussian likelihood of what was seen, where S is the
heat map's spread and d the inter-ocular distance. "Absolute" sees the distance to the annotation;
"flicker" half the spread of the change between two looks at one face, which is the noise a filter
has to take out (a bias that stays is not noise). Presence is a logistic regression between crops
of faces and crops beside them.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from rich.console import Console
from rich.progress import track
from torch import Tensor

from models.checkpoint import Calibration, CheckpointError, load_checkpoint, save_checkpoint
from models.inference import HeatmapLandmarker, presence_evidence
from tracker.crop import (
    crop_from_square,
    landmark_square,
    transform,
    transform_covariance,
    warp_crop,
)
from tracker.gaussian import CHI_SQUARE_2, squared_mahalanobis
from tracker.layouts import LAYOUTS, Layout

from .augment import AugmentConfig, Crop, random_texture
from .datasets import (
    HELD_OUT_SEED,
    HELD_OUT_SHARE,
    DataError,
    Sample,
    hold_out,
    read_300w,
)

_LOOKS = 6
_SEED = 0
_STEPS = 400


@dataclass(frozen=True, slots=True)
class Look:
    """One crop of a face as the network saw it, mapped back to the picture."""

    mean: Float[np.ndarray, "landmarks xy=2"]
    spread: Float[np.ndarray, "landmarks xy=2 xy=2"]


class Looker:
    """Takes crops of a picture and returns what the raw network says."""

    def __init__(self, landmarker: HeatmapLandmarker) -> None:
        self._landmarker = landmarker

    def crops(
        self,
        image: UInt8[np.ndarray, "height width rgb=3"],
        squares: list[tuple[float, float, float]],
        spoil: Callable[[Crop], Crop] = lambda crop: crop,
    ) -> tuple[list[Look], Float[np.ndarray, "crops evidence"]]:
        """One look per square (centre x, centre y, side without margin), `spoil` on each crop."""
        size, margin = self._landmarker.input_px, self._landmarker.margin
        matrices = [crop_from_square(x, y, side * margin, size) for x, y, side in squares]
        crops = np.stack([spoil(warp_crop(image, matrix, size)) for matrix in matrices])
        mean, spread, peak = self._landmarker.raw(crops)
        looks = []
        for index, matrix in enumerate(matrices):
            back = np.linalg.inv(matrix.astype(np.float64))
            looks.append(
                Look(transform(back, mean[index]), transform_covariance(back, spread[index]))
            )
        return looks, presence_evidence(mean, spread, peak)


@dataclass(frozen=True, slots=True)
class Observed:
    """Errors and what was predicted of them, for one fit."""

    error: Float[np.ndarray, "faces landmarks xy=2"]
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"]
    eye_distance: Float[np.ndarray, " faces"]

    def covariance(
        self, coefficients: Float[np.ndarray, "landmarks ab=2"]
    ) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
        """R = a S + b d^2 I."""
        floor = coefficients[:, 1] * np.square(self.eye_distance)[:, None]
        return coefficients[:, 0, None, None] * self.spread + floor[..., None, None] * np.eye(2)

    def part(self, faces: slice) -> "Observed":
        """Some of the faces."""
        return Observed(self.error[faces], self.spread[faces], self.eye_distance[faces])


def fit_covariance(observed: Observed) -> Float[np.ndarray, "landmarks ab=2"]:
    """The (a, b) of every landmark under which the errors are likeliest."""
    error, spread = torch.from_numpy(observed.error), torch.from_numpy(observed.spread)
    squared_distance = torch.from_numpy(np.square(observed.eye_distance))[:, None]
    landmarks = error.shape[1]
    log_coefficients = torch.zeros(landmarks, 2, dtype=torch.float64)
    log_coefficients[:, 0] = np.log(0.1)
    log_coefficients[:, 1] = np.log(1e-4)
    log_coefficients.requires_grad_()
    optimizer = torch.optim.Adam([log_coefficients], lr=0.05)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        a, b = log_coefficients.exp().unbind(-1)
        loss = _negative_log_likelihood(error, spread, a, b * squared_distance)
        loss.backward()
        optimizer.step()
    fitted: np.ndarray = log_coefficients.detach().exp().numpy()
    return fitted


def _negative_log_likelihood(error: Tensor, spread: Tensor, scale: Tensor, floor: Tensor) -> Tensor:
    xx = scale * spread[..., 0, 0] + floor
    yy = scale * spread[..., 1, 1] + floor
    xy = scale * spread[..., 0, 1]
    determinant = xx * yy - xy.square()
    x, y = error.unbind(-1)
    squared = (yy * x.square() - 2 * xy * x * y + xx * y.square()) / determinant
    return (squared + determinant.log()).mean(0).sum() / 2


def observe_errors(looker: Looker, samples: list[Sample], layout: Layout) -> Observed:
    """Distance to the annotation, in crops as a tracker would take them."""
    rng = np.random.default_rng(_SEED)
    errors, spreads, distances = [], [], []
    for sample in track(samples, "errors"):
        looks, _ = looker.crops(sample.read_image(), [_nudged(sample.points, rng, 0.03)])
        errors.append(looks[0].mean - sample.points)
        spreads.append(looks[0].spread)
        distances.append(layout.interocular(sample.points))
    return Observed(np.stack(errors), np.stack(spreads), np.stack(distances).astype(np.float64))


def observe_flicker(looker: Looker, samples: list[Sample], layout: Layout) -> Observed:
    """Change between looks that differ by sensor noise, compression and a breath of the crop."""
    rng = np.random.default_rng(_SEED)
    errors, spreads, distances = [], [], []
    for sample in track(samples, "flicker"):
        image, looks = sample.read_image(), []
        for _ in range(_LOOKS):
            seen, _ = looker.crops(_taken_again(image, rng), [_nudged(sample.points, rng, 0.002)])
            looks += seen
        for one, other in pairwise(looks):
            errors.append((one.mean - other.mean) / np.sqrt(2))
            spreads.append((one.spread + other.spread) / 2)
            distances.append(layout.interocular(sample.points))
    return Observed(np.stack(errors), np.stack(spreads), np.stack(distances).astype(np.float64))


def observe_presence(
    looker: Looker, samples: list[Sample]
) -> tuple[Float[np.ndarray, "crops evidence"], Float[np.ndarray, " crops"]]:
    """Evidence and truth (1 face, 0 none) for crops on faces, beside them and on noise."""
    rng = np.random.default_rng(_SEED)
    spoil = partial(random_texture, config=AugmentConfig(occlusion=0.7), rng=rng)
    evidence, truth = [], []
    for sample in track(samples, "presence"):
        image = sample.read_image()
        on = [_nudged(sample.points, rng, 0.05) for _ in range(4)]
        behind = [_nudged(sample.points, rng, 0.05) for _ in range(4)]
        beside = [_beside(sample.points, rng) for _ in range(4)]
        noise = rng.integers(0, 256, image.shape, dtype=np.uint8)
        flat = np.full_like(image, rng.integers(256))
        for picture, squares, face in (
            (image, on, 1.0),
            (image, beside, 0.0),
            (noise, on[:1], 0.0),
            (flat, on[:1], 0.0),
        ):
            evidence.append(looker.crops(picture, squares)[1])
            truth += [face] * len(squares)
        # A face behind a hand, out of focus or in the dark is still there.
        evidence.append(looker.crops(image, behind, spoil)[1])
        truth += [1.0] * len(behind)
    return np.concatenate(evidence), np.array(truth)


def fit_presence(
    evidence: Float[np.ndarray, "crops evidence"], truth: Float[np.ndarray, " crops"]
) -> Float[np.ndarray, " evidence"]:
    """Logistic regression, weakly regularised, by Newton steps."""
    center, scale = evidence.mean(0), evidence.std(0)
    center[0], scale[0] = 0.0, 1.0
    inputs = (evidence - center) / scale
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        probability = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (truth - probability) - 0.1 * weights
        curvature = (inputs * (probability * (1 - probability))[:, None]).T @ inputs
        weights = weights + np.linalg.solve(curvature + 0.1 * np.eye(len(weights)), gradient)
    fitted: np.ndarray = weights / scale
    fitted[0] -= (center / scale)[1:] @ weights[1:]
    return fitted


def _nudged(
    points: Float[np.ndarray, "landmarks xy=2"], rng: np.random.Generator, share: float
) -> tuple[float, float, float]:
    x, y, side = landmark_square(points, 1.0)
    shift = rng.normal(0, share, 2) * side
    return x + shift[0], y + shift[1], side * rng.normal(1, share)


def _beside(
    points: Float[np.ndarray, "landmarks xy=2"], rng: np.random.Generator
) -> tuple[float, float, float]:
    """A square with at most a corner of the face, or a small one inside a cheek."""
    x, y, side = landmark_square(points, 1.0)
    angle = rng.uniform(0, 2 * np.pi)
    away = rng.uniform(0.8, 1.4) * side
    if rng.random() < 0.25:
        away, side = rng.uniform(0, 0.4) * side, side * rng.uniform(0.1, 0.25)
    return x + away * np.cos(angle), y + away * np.sin(angle), side


def _taken_again(
    image: UInt8[np.ndarray, "height width rgb=3"], rng: np.random.Generator
) -> UInt8[np.ndarray, "height width rgb=3"]:
    noisy = image + rng.normal(0, rng.uniform(1, 5), image.shape)
    picture = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 98))]
    _, stored = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    return cv2.cvtColor(cv2.imdecode(stored, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def described(observed: Observed, coefficients: Float[np.ndarray, "landmarks ab=2"]) -> str:
    """How true the covariances are: mean squared Mahalanobis distance over 2, and coverage."""
    squared = squared_mahalanobis(observed.error, observed.covariance(coefficients))
    coverage = (f"{100 * share:.0f}: {100 * (squared <= radius).mean():.1f}"
                for share, radius in CHI_SQUARE_2.items())  # fmt: skip
    return f"mean d2 / 2 {squared.mean() / 2:.3f}, coverage % {', '.join(coverage)}"


def main() -> None:
    """Parse flags and calibrate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--weights", type=Path, required=True, help="what train.fit wrote")
    parser.add_argument("--output", type=Path, required=True, help="the weights to ship")
    arguments = parser.parse_args()
    try:
        calibrate(arguments.data, arguments.weights, arguments.output)
    except (DataError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


def calibrate(data: Path, weights: Path, output: Path) -> None:
    """Fit on half of the held-out faces, judge on the other half, then fit on all and save."""
    console = Console()
    network, info = load_checkpoint(weights)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    layout = LAYOUTS[info.layout]
    looker = Looker(HeatmapLandmarker(network, info, torch.device("cpu")))
    _, held_out = hold_out(read_300w(data), HELD_OUT_SHARE, HELD_OUT_SEED)
    fitted = {}
    for name, observe in (("absolute", observe_errors), ("flicker", observe_flicker)):
        observed = observe(looker, held_out, layout)
        half = len(observed.error) // 2
        judged = described(
            observed.part(slice(half, None)), fit_covariance(observed.part(slice(half)))
        )
        console.print(f"{name}, fitted on one half, seen on the other: {judged}", highlight=False)
        fitted[name] = fit_covariance(observed)
    evidence, truth = observe_presence(looker, held_out)
    presence = fit_presence(evidence, truth)
    right = ((evidence @ presence > 0) == (truth > 0.5)).mean()
    console.print(f"presence: {100 * right:.1f} % of crops told right", highlight=False)
    calibration = Calibration(
        eye_corners=layout.eye_corners,
        absolute=_rounded(fitted["absolute"]),
        flicker=_rounded(fitted["flicker"]),
        presence=tuple(float(f"{value:.5g}") for value in presence),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(output, state, replace(info, calibration=calibration))
    console.print(f"wrote {output}", highlight=False)


def _rounded(coefficients: np.ndarray) -> tuple[tuple[float, float], ...]:
    return tuple((float(f"{a:.5g}"), float(f"{b:.5g}")) for a, b in coefficients)


if __name__ == "__main__":
    main()
