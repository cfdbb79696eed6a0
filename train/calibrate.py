"""Calibrate covariances and the presence score on held-out faces.

    python -m train.calibrate --data 300w --weights runs/lite/best.safetensors
        --output models/weights/lite-300w.safetensors

The law of `models.covariance_law.SpreadLaw` maximises the Gaussian likelihood of errors. The
absolute law is fitted to distances to the annotation, in usual views of a face and in hard ones
(dark, covered, cut by the border, badly cropped), and takes into account what the network's head of
confidence says, where `train.fit_heads` has added one before. That of the measurement noise is
fitted to half the covariance of the difference between two simulated frames of one face, which is
the noise that a filter has to remove (a constant bias is not noise).
Presence is a logistic regression between crops of faces and crops beside them.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from rich.console import Console

from models.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from models.covariance_law import Calibration, SpreadLaw
from models.torch_landmarker import HeatmapLandmarker
from tracker.errors import FaceTrackError
from tracker.gaussian import CHI_SQUARE_2, squared_mahalanobis
from tracker.layouts import Layout, find_layout

from .calibration_samples import (
    CalibrationSamples,
    CropPredictor,
    sample_errors,
    sample_measurement_noise,
    sample_presence,
)
from .datasets import DataError, Sample, hold_out, open_data_set
from .predict import horizontal_bias_of
from .spread_law import cross_validated_covariances, degrees_of_freedom, fit_law, spread_rule


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


def described(squared: Float[np.ndarray, "samples landmarks"]) -> str:
    """Mean squared Mahalanobis distance over 2, and coverage, in words."""
    coverage = (f"{100 * share:.0f}: {100 * (squared <= radius).mean():.1f}"
                for share, radius in CHI_SQUARE_2.items())  # fmt: skip
    return f"mean d2 / 2 {squared.mean() / 2:.3f}, coverage % {', '.join(coverage)}"


def _cross_validated(
    observed: CalibrationSamples, parts: tuple[tuple[int, ...], ...]
) -> Float[np.ndarray, "samples landmarks"] | None:
    """Squared Mahalanobis distances by photograph; None where there is only one."""
    if len(np.unique(observed.photograph)) < 2:
        return None
    covariances = cross_validated_covariances(observed, spread_rule(parts))
    return squared_mahalanobis(observed.error, covariances)


def main() -> None:
    """Parse flags and calibrate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the data set it was trained on"
    )
    parser.add_argument("--weights", type=Path, required=True, help="what train.fit wrote")
    parser.add_argument("--output", type=Path, required=True, help="the weights to ship")
    parser.add_argument("--licence", help="what they shall say of their licence (default: as now)")
    arguments = parser.parse_args()
    try:
        calibrate(arguments.data, arguments.weights, arguments.output, arguments.licence)
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


def calibrate(data: Path, weights: Path, output: Path, licence: str | None = None) -> None:
    """Fit on all held-out faces, save, and print the cross-validated calibration.

    Args:
        data: Folder of the data set that the network was trained on.
        weights: What `train.fit` wrote.
        output: The weight file to write.
        licence: What it says of its licence; None: what `weights` says.

    Raises:
        DataError: If data are missing or have other landmarks.
        CheckpointError: If the weights cannot be used.
    """
    console = Console()
    network, info = load_checkpoint(weights)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    layout = find_layout(info.layout, info.layout_table)
    landmarker = HeatmapLandmarker(network, info, torch.device("cpu"))
    predictor, held_out = CropPredictor(landmarker), held_out_faces(data, layout)
    horizontal_bias = float(f"{horizontal_bias_of(landmarker, held_out):.3g}")
    console.print(f"mirror offset: {horizontal_bias:.4f} of the crop", highlight=False)
    errors = sample_errors(landmarker, held_out, layout)
    noise = sample_measurement_noise(predictor, held_out)
    degrees = None
    squared = _cross_validated(errors, layout.parts)
    if squared is not None:
        degrees = float(f"{degrees_of_freedom(squared[~errors.is_hard]):.3g}")
        for name, judged in (
            ("errors", squared[~errors.is_hard]),
            ("errors in hard views", squared[errors.is_hard]),
            ("frame-to-frame noise", _cross_validated(noise, layout.parts)),
        ):
            if judged is not None:
                said = f"{name}, cross-validated by photograph: {described(judged)}"
                console.print(said, highlight=False, soft_wrap=True)
        console.print(f"errors: {degrees:g} degrees of freedom", highlight=False)
    evidence, truth = sample_presence(predictor, held_out)
    presence = fit_presence(evidence, truth)
    right = ((evidence @ presence > 0) == (truth > 0.5)).mean()
    console.print(f"presence: {100 * right:.1f} % of crops classified correctly", highlight=False)
    calibration = Calibration(
        eye_corners=layout.eye_corners,
        absolute=_rounded(fit_law(errors, layout.parts)),
        measurement_noise=_rounded(fit_law(noise, layout.parts)),
        error_degrees_of_freedom=degrees,
        presence=tuple(float(f"{value:.5g}") for value in presence),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    info = replace(
        info,
        horizontal_bias=horizontal_bias,
        calibration=calibration,
        licence=licence or info.licence,
    )
    save_checkpoint(output, state, info)
    console.print(f"wrote {output}", highlight=False)


def held_out_faces(data: Path, layout: Layout) -> list[Sample]:
    """The faces of this data set that are never trained on.

    Raises:
        DataError: If there are none, or their landmarks are not those of the layout.
    """
    annotated = open_data_set(data)
    if annotated.layout != layout:
        raise DataError(
            f"{data}: its landmarks are {annotated.layout.name}, those of the weights {layout.name}"
        )
    held_out = hold_out(annotated.split("train"))[1]
    if not held_out:
        raise DataError(f"{data}: too few photographs to hold one out: annotate at least ten")
    return held_out


def _rounded(law: SpreadLaw) -> SpreadLaw:
    """To five digits: what the file says is what a person can read."""

    def short(value: float) -> float:
        return float(f"{value:.5g}")

    return replace(
        law,
        own=short(law.own),
        part=short(law.part),
        face=short(law.face),
        shape=short(law.shape),
        confidence=short(law.confidence),
        usual_level=short(law.usual_level),
        usual_log_odds=short(law.usual_log_odds),
        usual=tuple((short(level), short(half), short(xy)) for level, half, xy in law.usual),
    )


if __name__ == "__main__":
    main()
