"""How far off are the landmarks, as the field measures it?

    python -m benchmarks.accuracy --data DIR --weights W [--split test,common] [--json FILE]

DIR is any folder that `train.datasets` knows. The exact crop is the one published tables take; the
detector's is what the whole tracker does with each picture. Without `--split` all test
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
from models.torch_landmarker import load_torch_landmarker
from tracker.face_tracker import FaceTracker
from tracker.io.outputs import check_output
from tracker.layouts import find_layout
from train.datasets import DataSet, Sample, open_data_set
from train.predict import (
    EXACT,
    ROBUSTNESS,
    CropPerturbation,
    MultiCrop,
    horizontal_bias_of,
    predict,
)
from train.whole_file import write_whole

from ..harness import argument_parser, machine, run_command, save_json, wide_console
from ..whole_pictures import detect_in_pictures
from .error_files import as_json, worst_sheet
from .error_tables import failure_lines, main_table, other_table, robustness_table
from .split_errors import CropKind, Measured, PointsOfFaces, Selection, select, split_errors


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argument_parser("accuracy", __doc__)
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, required=True, metavar="DIR", help="the data set")
    data.add_argument("--pictures", type=Path, metavar="DIR", help="where its pictures lie instead")
    data.add_argument("--split", default="", metavar="A,B", help="such as test,common or held-out")
    data.add_argument(
        "--lose-first-row", action="store_true",
        help="drop the first row of every list of ADNet, as the published counts did",
    )  # fmt: skip
    network = parser.add_argument_group("network and test-time augmentation")
    network.add_argument("--weights", default="lite", help="name or path (default: %(default)s)")
    network.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    network.add_argument("--crop", default="truth", choices=("truth", "detector", "both"))
    network.add_argument("--flip", action="store_true", help="average with the mirror image")
    network.add_argument("--crops", type=_positive, default=1, metavar="K", help="average K crops")
    network.add_argument(
        "--stages", type=_positive, default=1, metavar="N", help="average the network's last N"
    )
    network.add_argument(
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


def benchmark(arguments: argparse.Namespace) -> None:
    """Measure, write, print.

    Raises:
        FaceTrackError: If the data or an output cannot be used.
        CheckpointError: If the weights cannot.
    """
    for path in (arguments.worst, arguments.json):
        if path is not None:
            check_output(path, overwrite=True)
    landmarker = load_torch_landmarker(arguments.weights, arguments.device)
    data = open_data_set(
        arguments.data, pictures=arguments.pictures, lose_first_row=arguments.lose_first_row
    )
    check_compatible(landmarker, data, arguments)
    names = [name.strip() for name in arguments.split.split(",") if name.strip()]
    measured = measure(landmarker, select(data, names), arguments)
    save_json(arguments.json, as_json(measured, landmarker.info, arguments))
    if arguments.worst is not None:
        write_whole(arguments.worst, worst_sheet(measured))
    # Last, for a terminal or pipe that went away must not cost the files.
    print_tables(measured, landmarker.info, arguments)


def check_compatible(
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
    landmarker: models.HeatmapLandmarker, selection: Selection, arguments: argparse.Namespace
) -> Measured:
    """Predict every face in each kind of crop that is asked for."""
    multi_crop = MultiCrop(flips=arguments.flip, crops=arguments.crops, stages=arguments.stages)
    info = landmarker.info
    if info.calibration is None and (multi_crop.flips or arguments.crop != "truth"):
        offset = horizontal_bias_of(
            landmarker, _with_progress(selection, "and their mirror images")
        )
        landmarker.info = replace(info, horizontal_bias=offset)
    predicted: dict[CropKind, PointsOfFaces] = {}
    if arguments.crop != "detector":
        predicted["truth"] = _predicted(landmarker, selection, multi_crop)
    if arguments.crop != "truth":
        tracker = FaceTracker(landmarker)
        predicted["detector"] = detect_in_pictures(
            tracker, _with_progress(selection, "detector included")
        )
    by_split = zip(
        *(split_errors(selection, points, crop) for crop, points in predicted.items()), strict=True
    )
    measured = Measured(selection, predicted, [row for rows in by_split for row in rows])
    if arguments.robustness:
        for name, views in ROBUSTNESS.items():
            predictions = (_predicted(landmarker, selection, multi_crop, view) for view in views)
            measured.disturbed[name] = [
                split_errors(selection, points, "truth") for points in predictions
            ]
    return measured


def _predicted(
    landmarker: models.HeatmapLandmarker,
    selection: Selection,
    multi_crop: MultiCrop,
    view: CropPerturbation = EXACT,
) -> PointsOfFaces:
    faces = _with_progress(selection, "exact crop" if view == EXACT else "disturbed crop")
    return predict(landmarker, faces, multi_crop, view).mean


def _with_progress(selection: Selection, what: str) -> Iterable[Sample]:
    """The faces, with a progress bar on a terminal."""
    console = Console(stderr=True)
    return track(
        selection.faces,
        f"{len(selection.faces)} faces of {', '.join(selection.members)}, {what}",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def print_tables(measured: Measured, info: CheckpointInfo, arguments: argparse.Namespace) -> None:
    """Print the tables, then the failures by name."""
    console = wide_console()
    data = measured.selection.data
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
    """Data, weights, and how this run differs from the published protocol."""
    parts = [data.name, f"weights {arguments.weights}"]
    if selected_on:
        parts.append(f"selected on {selected_on}")
    if data.lost_rows:
        parts.append("first row of every list dropped")
    augmentation = [
        *(["flip"] if arguments.flip else []),
        *([f"{arguments.crops} crops"] if arguments.crops > 1 else []),
        *([f"last {arguments.stages} stages"] if arguments.stages > 1 else []),
    ]
    if augmentation and arguments.crop != "detector":
        parts.append(f"exact crop: {', '.join(augmentation)}")
    return " · ".join(parts)


def main(command: list[str] | None = None) -> None:
    """Parse the flags and measure."""
    parser = build_parser()

    def checked(arguments: argparse.Namespace) -> None:
        if arguments.robustness and arguments.crop == "detector":
            parser.error("--robustness needs the exact crop: add --crop truth or both")
        benchmark(arguments)

    run_command(parser, checked, command)


if __name__ == "__main__":
    main()
