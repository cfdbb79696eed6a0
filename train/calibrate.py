"""Make the covariances tell the truth: fit them, and the presence score, on held-out faces.

    python -m train.calibrate --data 300w --weights runs/lite/best.safetensors
        --output models/weights/lite-300w.safetensors

Per landmark, R = a S + b d^2 I maximises the Gaussian likelihood of what was seen, where S is the
heat map's spread and d the inter-ocular distance. "Absolute" sees the distance to the annotation;
"flicker" half the spread of the change between two looks at one face, which is the noise a filter
has to take out (a bias that stays is not noise). Presence is a logistic regression between crops
of faces and crops beside them.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from rich.console import Console
from torch import Tensor

from models.checkpoint import Calibration, CheckpointError, load_checkpoint, save_checkpoint
from models.inference import HeatmapLandmarker
from tracker.errors import FaceTrackError
from tracker.gaussian import CHI_SQUARE_2, squared_mahalanobis
from tracker.layouts import find_layout

from .datasets import DataError, hold_out, open_data_set
from .looks import Looker, Observed, observe_errors, observe_flicker, observe_presence

_STEPS = 400


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


def described(observed: Observed, coefficients: Float[np.ndarray, "landmarks ab=2"]) -> str:
    """How true the covariances are: mean squared Mahalanobis distance over 2, and coverage."""
    squared = squared_mahalanobis(observed.error, observed.covariance(coefficients))
    coverage = (f"{100 * share:.0f}: {100 * (squared <= radius).mean():.1f}"
                for share, radius in CHI_SQUARE_2.items())  # fmt: skip
    return f"mean d2 / 2 {squared.mean() / 2:.3f}, coverage % {', '.join(coverage)}"


def main() -> None:
    """Parse flags and calibrate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the data set it was trained on"
    )
    parser.add_argument("--weights", type=Path, required=True, help="what train.fit wrote")
    parser.add_argument("--output", type=Path, required=True, help="the weights to ship")
    arguments = parser.parse_args()
    try:
        calibrate(arguments.data, arguments.weights, arguments.output)
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


def calibrate(data: Path, weights: Path, output: Path) -> None:
    """Fit on half of the held-out faces, judge on the other half, then fit on all and save."""
    console = Console()
    network, info = load_checkpoint(weights)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    layout = find_layout(info.layout, info.layout_table)
    looker = Looker(HeatmapLandmarker(network, info, torch.device("cpu")))
    annotated = open_data_set(data)
    if annotated.layout != layout:
        raise DataError(
            f"{data}: its landmarks are {annotated.layout.name}, those of the weights {layout.name}"
        )
    _, held_out = hold_out(annotated.split("train"))
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
