"""How far off are the landmarks, as the field measures it?

    python -m benchmarks.accuracy --data DIR --weights W [--split test,common] [--json FILE]

DIR is any folder that `train.datasets` knows. The exact crop is the one published tables take; the
detector's is what the whole tracker does with the picture as a still. Without `--split` all test
parts are measured; where there is none, the part of the training set that is held out. NME and
percentiles are over the faces that were found; a missed face is a failure in FR and AUC.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import track

import models
from models.checkpoint import CheckpointInfo
from models.inference import load_landmarker
from tracker.detection import MediaPipeDetector
from tracker.errors import FaceTrackError
from tracker.layouts import find_layout
from tracker.pipeline import FaceTracker
from tracker.sinks import check_output
from train.datasets import DataSet, Sample, open_data_set
from train.predict import (
    EXACT,
    ROBUSTNESS,
    CropPerturbation,
    MultiCrop,
    mirror_offset_of,
    predict,
)
from train.run import write_whole

from .accuracy_files import as_text, worst_sheet
from .accuracy_tables import failure_lines, main_table, other_table, robustness_table
from .measure import machine, wide_console
from .scores import Chosen, CropKind, Measured, Points, choose, score
from .stills import find_in_stills


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, required=True, metavar="DIR", help="the data set")
    data.add_argument("--pictures", type=Path, metavar="DIR", help="where its pictures lie instead")
    data.add_argument("--split", default="", metavar="A,B", help="such as test,common or held-out")
    data.add_argument(
        "--lose-first-row", action="store_true",
        help="drop the first row of every list of ADNet, as the published counts did",
    )  # fmt: skip
    looking = parser.add_argument_group("looking")
    looking.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    looking.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    looking.add_argument("--crop", default="truth", choices=("truth", "detector", "both"))
    looking.add_argument("--flip", action="store_true", help="look at the mirror image too")
    looking.add_argument("--crops", type=_positive, default=1, metavar="K", help="looks around")
    looking.add_argument(
        "--stages", type=_positive, default=1, metavar="N", help="average the network's last N"
    )
    looking.add_argument(
        "--robustness", action="store_true", help="also in shifted, scaled and rolled crops"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--worst", type=Path, metavar="FILE.png", help="a sheet of the worst faces")
    output.add_argument("--json", type=Path, metavar="FILE", help="everything, face by face")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got '{text}'")
    return int(text)


def main(argv: list[str] | None = None) -> None:
    """Measure, tell, write."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.robustness and arguments.crop == "detector":
        parser.error("--robustness is about the exact crop: add --crop truth or both")
    try:
        run(arguments)
    except (FaceTrackError, models.CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


def run(arguments: argparse.Namespace) -> None:
    """As the flags say.

    Raises:
        FaceTrackError: If the data or an output cannot be used.
        CheckpointError: If the weights cannot.
    """
    for path in (arguments.worst, arguments.json):
        if path is not None:
            check_output(path, overwrite=True)
    landmarker = load_landmarker(arguments.weights, arguments.device)
    data = open_data_set(
        arguments.data, pictures=arguments.pictures, lose_first_row=arguments.lose_first_row
    )
    check_fit(landmarker, data, arguments)
    chosen = choose(data, [name.strip() for name in arguments.split.split(",") if name.strip()])
    measured = measure(landmarker, chosen, arguments)
    if arguments.json is not None:
        described = as_text(measured, landmarker.info, arguments)
        write_whole(arguments.json, described.encode())
    if arguments.worst is not None:
        write_whole(arguments.worst, worst_sheet(measured))
    # Last, for a terminal or pipe that went away must not cost the files.
    tell(measured, landmarker.info, arguments)


def check_fit(
    landmarker: models.HeatmapLandmarker, data: DataSet, arguments: argparse.Namespace
) -> None:
    """Raise if the network cannot be measured on this data in this way.

    Raises:
        CheckpointError: If it has other landmarks or too few stages.
    """
    layout = find_layout(landmarker.layout_name, landmarker.layout_table)
    if replace(layout, outlines=()) != replace(data.layout, outlines=()):
        raise models.CheckpointError(
            f"{arguments.weights} predicts the {layout.count} landmarks of {layout.name}, "
            f"{data.name} has the {data.layout.count} of {data.layout.name}: choose other --weights"
        )
    stages = landmarker.info.architecture.stacks
    if arguments.stages > stages:
        raise models.CheckpointError(
            f"{arguments.weights} has {stages} stages, --stages asks for {arguments.stages}"
        )


def measure(
    landmarker: models.HeatmapLandmarker, chosen: Chosen, arguments: argparse.Namespace
) -> Measured:
    """Look at every face in each kind of crop that is asked for."""
    looking = MultiCrop(flips=arguments.flip, crops=arguments.crops, stages=arguments.stages)
    info = landmarker.info
    if info.calibration is None and (looking.flips or arguments.crop != "truth"):
        offset = mirror_offset_of(landmarker, _shown(chosen, "and their mirror images"))
        landmarker.info = replace(info, mirror_offset=offset)
    predicted: dict[CropKind, Points] = {}
    if arguments.crop != "detector":
        predicted["truth"] = _looked(landmarker, chosen, looking)
    if arguments.crop != "truth":
        tracker = FaceTracker(landmarker, MediaPipeDetector())
        predicted["detector"] = find_in_stills(tracker, _shown(chosen, "detector included"))
    by_split = zip(
        *(score(chosen, points, crop) for crop, points in predicted.items()), strict=True
    )
    measured = Measured(chosen, predicted, [row for rows in by_split for row in rows])
    if arguments.robustness:
        for name, views in ROBUSTNESS.items():
            looks = (_looked(landmarker, chosen, looking, view) for view in views)
            measured.disturbed[name] = [score(chosen, points, "truth") for points in looks]
    return measured


def _looked(
    landmarker: models.HeatmapLandmarker,
    chosen: Chosen,
    looking: MultiCrop,
    view: CropPerturbation = EXACT,
) -> Points:
    faces = _shown(chosen, "exact crop" if view == EXACT else "crop that strays")
    return predict(landmarker, faces, looking, view).mean


def _shown(chosen: Chosen, what: str) -> Iterable[Sample]:
    """The faces, with a bar where somebody watches."""
    console = Console(stderr=True)
    return track(
        chosen.faces,
        f"{len(chosen.faces)} faces of {', '.join(chosen.members)}, {what}",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def tell(measured: Measured, info: CheckpointInfo, arguments: argparse.Namespace) -> None:
    """Print the tables, then the failures by name."""
    console = wide_console()
    data = measured.chosen.data
    caption = f"trained on {info.trained_on}\n{machine()}" if info.trained_on else machine()
    console.print(main_table(measured.scores, title(data, info.selected_on, arguments), caption))
    console.print(other_table(measured.scores))
    if measured.disturbed:
        console.print(robustness_table(measured.by("truth"), measured.disturbed))
    for row in measured.scores:
        for line in failure_lines(row, arguments.pictures or arguments.data):
            console.print(line, markup=False, soft_wrap=True)
    if data.missing:
        console.print(f"{len(data.missing)} annotated pictures are not there: their faces are out")


def title(data: DataSet, selected_on: str, arguments: argparse.Namespace) -> str:
    """Data, weights, and what a reader has to know before comparing."""
    said = [data.name, f"weights {arguments.weights}"]
    if selected_on:
        said.append(f"selected on {selected_on}")
    if data.lost_rows:
        said.append("first row of every list dropped")
    looks = [
        *(["mirrored too"] if arguments.flip else []),
        *([f"{arguments.crops} looks"] if arguments.crops > 1 else []),
        *([f"last {arguments.stages} stages"] if arguments.stages > 1 else []),
    ]
    if looks and arguments.crop != "detector":
        said.append(f"exact crop: {', '.join(looks)}")
    return " · ".join(said)


if __name__ == "__main__":
    main()
