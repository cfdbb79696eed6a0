"""Do the covariances match the errors?

    python -m benchmarks.calibration --data 300w [--weights W] [--json FILE] [--plot FILE.png]

Five-fold cross-validation by photograph, on the faces held out from training, of the law that
`train.calibrate` fits and of its rival, a constant covariance per landmark; the raw heat map needs
no fit. "Absolute" is the distance to the annotation, "frame to frame" the measurement noise of the
filter.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

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
from train.training_run import write_whole

from ..harness import (
    Json,
    argument_parser,
    machine,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from .covariance_plot import draw
from .covariance_scores import (
    ENTRIES,
    Bins,
    CovarianceScores,
    Predictions,
    bins,
    by_part,
    scores,
)

_SHARES = " / ".join(f"{100 * share:g}" for share in CHI_SQUARE_2)
_LEAST_PHOTOGRAPHS = 25
"""With fewer, a constant covariance fitted on some says nothing about the others."""


@dataclass(frozen=True, slots=True)
class MethodScores:
    """One kind of covariance, by each method."""

    methods: dict[str, CovarianceScores]
    bins: dict[str, dict[str, Bins]]
    parts: dict[str, CovarianceScores]
    """Of the calibrated one, by part of the face."""


def methods(layout: Layout) -> dict[str, Callable[[CalibrationSamples], CovarianceRule]]:
    """How spreads of heat maps become covariances."""
    return {
        "calibrated": spread_rule(layout.parts),
        "constant per landmark": constant_rule,
        "raw heat map": lambda _: lambda spread: spread,
    }


def constant_rule(seen: CalibrationSamples) -> CovarianceRule:
    """The mean of error times error transposed, whatever the heat map."""
    mean = np.einsum("fli,flj->lij", seen.error, seen.error) / len(seen.error)
    return lambda spread: np.broadcast_to(mean, spread.shape)


def cross_validate(
    observed: CalibrationSamples, layout: Layout, input_px: int, margin: float
) -> MethodScores:
    """Score each method on photographs that it was not fitted on.

    Args:
        observed: In crop sides.
        layout: Of the landmarks.
        input_px: Side of the crop: scores are in its pixels.
        margin: Side of the crop over the face's box: bins are in sides of the box.
    """
    outside = {
        name: cross_validated_covariances(observed, fit) for name, fit in methods(layout).items()
    }

    def predictions(name: str, unit: float) -> Predictions:
        return Predictions(unit * observed.error, unit**2 * outside[name])

    return MethodScores(
        methods={name: scores(predictions(name, input_px)) for name in outside},
        bins={name: bins(predictions(name, margin)) for name in outside},
        parts=by_part(predictions("calibrated", input_px), layout),
    )


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure, print, write.

    Raises:
        FaceTrackError: If the data or an output cannot be used.
        CheckpointError: If the weights cannot.
    """
    for path in (arguments.json, arguments.plot):
        if path is not None:
            check_output(path, overwrite=True)
    landmarker = load_torch_landmarker(arguments.weights, "cpu")
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    faces = held_out_faces(arguments.data, layout)
    predictor = CropPredictor(landmarker)
    observed = {
        "absolute": sample_errors(predictor, faces),
        "frame to frame": sample_measurement_noise(predictor, faces),
    }
    photographs = len(np.unique(observed["absolute"].photograph))
    if photographs < _LEAST_PHOTOGRAPHS:
        raise DataError(
            f"{arguments.data}: {photographs} photographs are held out, cross-validation needs "
            f"{_LEAST_PHOTOGRAPHS}"
        )
    px, margin = landmarker.input_px, landmarker.margin
    kinds = {kind: cross_validate(seen, layout, px, margin) for kind, seen in observed.items()}
    described = (
        f"{len(faces)} faces of {photographs} photographs held out, weights {arguments.weights}, "
        f"{FOLDS} folds by photograph"
    )
    save_json(arguments.json, as_json(kinds, described), digits=4)
    if arguments.plot is not None:
        caption = f"millionths of the squared side of the face's box; {described}"
        picture = draw({kind: of.bins for kind, of in kinds.items()}, caption)
        write_whole(arguments.plot, picture)
    console = wide_console()
    print_tables(kinds, px, console)
    console.print(f"{described}\n{machine()}")


def as_json(kinds: dict[str, MethodScores], described: str) -> Json:
    """The figures as JSON takes them."""
    content: Json = {"machine": machine(), "data": described}
    for kind, of_kind in kinds.items():
        content[kind] = {
            "methods": {
                name: {**asdict(of), "bins": {entry: {"r": b.correlation, "slope": b.slope}
                                              for entry, b in of_kind.bins[name].items()}}
                for name, of in of_kind.methods.items()
            },
            "parts": {name: asdict(of) for name, of in of_kind.parts.items()},
        }  # fmt: skip
    return content


def print_tables(kinds: dict[str, MethodScores], input_px: int, console: Console) -> None:
    """Print a table for each kind: the methods, then the parts of the calibrated one."""
    entries = " / ".join(ENTRIES)
    headings = (
        "", "NLL, nats", "d²/2", f"coverage at {_SHARES} %", f"√|R|, px² of {input_px}",
        f"r of {entries}", f"slope of {entries}",
    )  # fmt: skip
    for kind, of_kind in kinds.items():
        rows = []
        for name, of in of_kind.methods.items():
            by_entry = of_kind.bins[name].values()
            lines = ([b.correlation for b in by_entry], [b.slope for b in by_entry])
            ends = (" / ".join(f"{x:.2f}" for x in figures) for figures in lines)
            rows.append([name, *cells(of), *ends])
        rows += [[f"  {name}", *cells(of), "", ""] for name, of in of_kind.parts.items()]
        console.print(rich_table(headings, rows, title=kind))


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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="predicted against observed")
    run_command(parser, benchmark, command)


if __name__ == "__main__":
    main()
