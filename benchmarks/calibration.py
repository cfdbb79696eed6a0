"""Do the covariances tell the truth?

    python -m benchmarks.calibration --data 300w [--weights W] [--json FILE] [--plot FILE.png]

The network looks at the faces that are held out from training; the law of `train.calibrate` is
fitted on four fifths of their photographs and judged on the fifth that it has not seen, five times.
The same goes for its rival, a constant covariance per landmark; the raw heat map needs no fit.
"Absolute" is the distance to the annotation, "flicker" the change from frame to frame.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import models
from models.inference import load_landmarker
from tracker.errors import FaceTrackError
from tracker.gaussian import CHI_SQUARE_2
from tracker.layouts import Layout, find_layout
from tracker.sinks import check_output
from train.calibrate import held_out_faces
from train.calibration_samples import (
    CalibrationSamples,
    CropPredictor,
    sample_errors,
    sample_measurement_noise,
)
from train.datasets import DataError
from train.run import write_whole
from train.spread_law import FOLDS, CovarianceRule, cross_validated_covariances, spread_rule

from .calibration_plot import drawn
from .calibration_scores import ENTRIES, Bins, Claims, Scores, bins, by_part, scores
from .measure import machine

_SHARES = " / ".join(f"{100 * share:g}" for share in CHI_SQUARE_2)
_WIDTH_OF_PIPES = 150
"""The tables are wider than the 80 columns that files and pipes get."""
_FEWEST = 25
"""Photographs: below, a constant covariance fitted on some says nothing of the others."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One kind of covariance, by each method."""

    methods: dict[str, Scores]
    bins: dict[str, dict[str, Bins]]
    parts: dict[str, Scores]
    """Of the calibrated one."""


def methods(layout: Layout) -> dict[str, Callable[[CalibrationSamples], CovarianceRule]]:
    """How spreads become covariances."""
    return {
        "calibrated": spread_rule(layout.parts),
        "constant per landmark": constant_rule,
        "raw heat map": lambda _: lambda spread: spread,
    }


def constant_rule(seen: CalibrationSamples) -> CovarianceRule:
    """The mean of error times error transposed, whatever the heat map says."""
    mean = np.einsum("fli,flj->lij", seen.error, seen.error) / len(seen.error)
    return lambda spread: np.broadcast_to(mean, spread.shape)


def judge(observed: CalibrationSamples, layout: Layout, input_px: int, margin: float) -> Judged:
    """Each method on photographs that it was not fitted on.

    Args:
        observed: In crop sides.
        layout: Of the landmarks.
        input_px: Side of the crop: scores are in its pixels.
        margin: Side of the crop over the face's box: bins are in sides of the box.
    """
    outside = {
        name: cross_validated_covariances(observed, fit) for name, fit in methods(layout).items()
    }

    def claims(name: str, unit: float) -> Claims:
        return Claims(unit * observed.error, unit**2 * outside[name])

    return Judged(
        methods={name: scores(claims(name, input_px)) for name in outside},
        bins={name: bins(claims(name, margin)) for name in outside},
        parts=by_part(claims("calibrated", input_px), layout),
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure, write, tell.

    Raises:
        FaceTrackError: If the data or an output cannot be used.
        CheckpointError: If the weights cannot.
    """
    for path in (arguments.json, arguments.plot):
        if path is not None:
            check_output(path, overwrite=True)
    landmarker = load_landmarker(arguments.weights, "cpu")
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    faces = held_out_faces(arguments.data, layout)
    looker = CropPredictor(landmarker)
    observed = {
        "absolute": sample_errors(looker, faces),
        "flicker": sample_measurement_noise(looker, faces),
    }
    photographs = len(np.unique(observed["absolute"].photograph))
    if photographs < _FEWEST:
        raise DataError(
            f"{arguments.data}: {photographs} photographs are held out, to judge takes {_FEWEST}"
        )
    px, margin = landmarker.input_px, landmarker.margin
    kinds = {kind: judge(seen, layout, px, margin) for kind, seen in observed.items()}
    said = (
        f"{len(faces)} faces of {photographs} photographs held out, weights {arguments.weights}, "
        f"{FOLDS} folds by photograph"
    )
    if arguments.json is not None:
        write_whole(arguments.json, as_text(kinds, said).encode())
    if arguments.plot is not None:
        lines = f"millionths of the squared side of the face's box; {said}"
        write_whole(arguments.plot, drawn({kind: of.bins for kind, of in kinds.items()}, lines))
    tell(kinds, f"{said}\n{machine()}", px)


def as_text(kinds: dict[str, Judged], said: str) -> str:
    """The figures as JSON."""
    content: dict[str, Any] = {"machine": machine(), "what": said}
    for kind, judged in kinds.items():
        content[kind] = {
            "methods": {
                name: {**asdict(of), "bins": {entry: {"r": b.correlation, "slope": b.slope}
                                              for entry, b in judged.bins[name].items()}}
                for name, of in judged.methods.items()
            },
            "parts": {name: asdict(of) for name, of in judged.parts.items()},
        }  # fmt: skip
    rounded = json.loads(json.dumps(content), parse_float=lambda text: round(float(text), 4))
    return json.dumps(rounded, indent=1) + "\n"


def tell(kinds: dict[str, Judged], said: str, input_px: int) -> None:
    """Print a table for each kind."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_OF_PIPES)
    for kind, judged in kinds.items():
        table = Table(title=kind)
        entries = " / ".join(ENTRIES)
        for heading in (
            "", "NLL, nats", "d²/2", f"coverage at {_SHARES} %", f"√|R|, px² of {input_px}",
            f"r of {entries}", f"slope of {entries}",
        ):  # fmt: skip
            table.add_column(heading, no_wrap=True)
        for name, of in judged.methods.items():
            among = judged.bins[name].values()
            lines = ([b.correlation for b in among], [b.slope for b in among])
            table.add_row(name, *cells(of), *(" / ".join(f"{x:.2f}" for x in xs) for xs in lines))
        table.add_section()
        for name, of in judged.parts.items():
            table.add_row(f"  {name}", *cells(of), "", "")
        console.print(table)
    console.print(said)


def cells(of: Scores) -> tuple[str, str, str, str]:
    """What a table shows of them."""
    coverage = " / ".join(f"{percent:.1f}" for percent in of.coverage_percent.values())
    return f"{of.nats:.3f}", f"{of.half_squared:.3f}", coverage, f"{of.sharpness:.3g}"


def main(argv: list[str] | None = None) -> None:
    """Parse flags and judge."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.calibration",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="what the weights were trained on"
    )
    parser.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="predicted against residual")
    arguments = parser.parse_args(argv)
    try:
        run(arguments)
    except (FaceTrackError, models.CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
