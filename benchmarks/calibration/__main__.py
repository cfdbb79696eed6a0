"""Do the covariances match the errors?

    python -m benchmarks.calibration --data 300w [--all ../shared/data] [--weights W] [--json FILE]

Five-fold cross-validation by photograph, on the faces held out from training, of the law that
`train.calibrate` fits and of its rival, a constant covariance per landmark; the raw heat map needs
no fit. "Absolute" is the distance to the annotation, in usual views of the faces and in hard ones
(dark, covered, cut by the border, badly cropped), of one law for both; "frame to frame" the
measurement noise of the filter.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from rich.table import Table

from models.torch_landmarker import load_torch_landmarker
from tracker.gaussian import CHI_SQUARE_2
from tracker.io.outputs import check_output
from tracker.layouts import Layout, find_layout
from train.calibrate import held_out_faces
from train.calibration_samples import (
    CalibrationSamples,
    CropPredictor,
    sample_errors,
    sample_measurement_noise,
)
from train.datasets import DataError
from train.spread_law import FOLDS, CovarianceRule, cross_validated_covariances, spread_rule

from ..harness import (
    argument_parser,
    machine,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from .confidence_scores import confidence_scores, reliability_table
from .covariance_scores import CovarianceScores, parts_of, scores
from .picture_confidence import PictureConfidence, picture_confidence

_SHARES = " / ".join(f"{100 * share:g}" for share in CHI_SQUARE_2)
_LEAST_PHOTOGRAPHS = 25
"""With fewer, a constant covariance fitted on some says nothing about the others."""


@dataclass(frozen=True, slots=True)
class MethodScores:
    """One kind of covariance, by each method."""

    methods: dict[str, CovarianceScores]
    parts: dict[str, CovarianceScores]
    """Of the calibrated one, by part of the face."""


def methods(layout: Layout) -> dict[str, Callable[[CalibrationSamples], CovarianceRule]]:
    """How spreads of heat maps become covariances."""
    return {
        "calibrated": spread_rule(layout.parts),
        "constant per landmark": constant_rule,
        "raw heat map": lambda _: lambda seen: seen.spread,
    }


def constant_rule(seen: CalibrationSamples) -> CovarianceRule:
    """The mean of error times error transposed, whatever the heat map."""
    mean = np.einsum("fli,flj->lij", seen.error, seen.error) / len(seen.error)
    return lambda seen: np.broadcast_to(mean, seen.spread.shape)


def cross_validate(
    observed: CalibrationSamples, layout: Layout, input_px: int
) -> tuple[MethodScores, MethodScores | None]:
    """Score each method on photographs that it was not fitted on.

    Args:
        observed: In crop sides.
        layout: Of the landmarks.
        input_px: Side of the crop: scores are in its pixels.

    Returns:
        Of usual views, and of hard ones where there are any.
    """
    error = input_px * observed.error
    predicted = {
        name: input_px**2 * cross_validated_covariances(observed, fit)
        for name, fit in methods(layout).items()
    }

    def scored(chosen: Bool[np.ndarray, " samples"]) -> MethodScores:
        off, calibrated = error[chosen], predicted["calibrated"][chosen]
        return MethodScores(
            methods={
                name: scores(off, covariance[chosen]) for name, covariance in predicted.items()
            },
            parts={
                name: scores(off[:, members], calibrated[:, members])
                for name, members in parts_of(layout).items()
            },
        )

    hard = observed.is_hard
    return scored(~hard), scored(hard) if hard.any() else None


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure, print, write.

    Raises:
        FaceTrackError: If the data or an output cannot be used.
        CheckpointError: If the weights cannot.
    """
    if arguments.json is not None:
        check_output(arguments.json, overwrite=True)
    landmarker = load_torch_landmarker(arguments.weights, "cpu")
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    faces = held_out_faces(arguments.data, layout)
    predictor = CropPredictor(landmarker)
    observed = {
        "absolute": sample_errors(landmarker, faces, layout),
        "frame to frame": sample_measurement_noise(predictor, faces),
    }
    photographs = len(np.unique(observed["absolute"].photograph))
    if photographs < _LEAST_PHOTOGRAPHS:
        raise DataError(
            f"{arguments.data}: {photographs} photographs are held out, cross-validation needs "
            f"{_LEAST_PHOTOGRAPHS}"
        )
    px = landmarker.input_px
    kinds = {}
    for kind, seen in observed.items():
        kinds[kind], hard = cross_validate(seen, layout, px)
        if hard is not None:
            kinds[f"{kind}, hard views"] = hard
    described = (
        f"{len(faces)} faces of {photographs} photographs held out, weights {arguments.weights}, "
        f"{FOLDS} folds by photograph"
    )
    stored: dict[str, object] = {"machine": machine(), "data": described}
    confidence = confidence_scores(arguments.all, arguments.weights) if arguments.all else None
    if confidence:
        stored["confidence"] = asdict(confidence)
        in_pictures = picture_confidence(arguments.weights, faces)
        stored["confidence_in_pictures"] = asdict(in_pictures)
    save_json(arguments.json, stored | {k: asdict(of) for k, of in kinds.items()}, digits=4)
    console = wide_console()
    for kind, of_kind in kinds.items():
        console.print(table_of(of_kind, kind, px))
    if confidence:
        console.print(reliability_table(confidence))
        console.print(in_words(in_pictures))
    console.print(f"{described}\n{machine()}")


def table_of(kind: MethodScores, title: str, input_px: int) -> Table:
    """The methods, then the parts of the calibrated one."""
    rows = [[name, *cells(of)] for name, of in kind.methods.items()]
    rows += [[f"  calibrated, {name}", *cells(of)] for name, of in kind.parts.items()]
    headings = ("", "NLL, nats", "d²/2", f"coverage at {_SHARES} %", f"√|R|, px² of {input_px}")
    return rich_table(headings, rows, title=title)


def in_words(of: PictureConfidence) -> str:
    """The confidence in whole pictures."""
    return (
        f"in pictures, detector included: {of.faces - of.missed} of {of.faces} faces found, "
        f"{of.hard} with an error over 6 %; AUROC of the confidence for these "
        f"{of.auroc_hard:.3f}, reliability gap {100 * of.gap:.1f} points"
    )


def cells(of: CovarianceScores) -> tuple[str, str, str, str]:
    """Of one row of a table."""
    coverage = " / ".join(f"{percent:.1f}" for percent in of.coverage_percent.values())
    return f"{of.nats:.3f}", f"{of.half_squared:.3f}", coverage, f"{of.sharpness:.3g}"


def main(command: list[str] | None = None) -> None:
    """Parse the flags and cross-validate."""
    parser = argument_parser("calibration", __doc__)
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="what the weights were trained on"
    )
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    parser.add_argument(
        "--all", type=Path, metavar="DIR",
        help="folder with 300w, ytf68, free/heads, backgrounds: measure the confidence, too",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    run_command(parser, benchmark, command)


if __name__ == "__main__":
    main()
