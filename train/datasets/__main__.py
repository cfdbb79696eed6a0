"""Print what a folder of annotated faces holds.

    python -m train.datasets DIR [--pictures DIR] [--sheet FILE.png] [--check]

Look at the sheet before training: points must sit on the faces, and the blue eye is the person's
right one, at the left of the picture.
"""

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
from rich.console import Console

from tracker.errors import FaceTrackError
from tracker.io.outputs import check_output

from .data_error import DataError
from .opening import open_data_set
from .overview import all_faces, counts_table, faces_sheet, unreadable
from .sample import DataSet

_SHOWN_MISSING = 10


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    known = (inspect.getdoc(open_data_set) or "").split("Args:")[0].rstrip()
    parser = argparse.ArgumentParser(
        prog="python -m train.datasets",
        description=f"{__doc__}\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, metavar="DIR", help="the data set's folder, or its list")
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="where its pictures are, if they lie elsewhere"
    )
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE.png", help="write a sheet of faces with their points"
    )
    parser.add_argument(
        "--lose-first-row", action="store_true",
        help="drop the first row of every list of ADNet, as the published tables did",
    )  # fmt: skip
    parser.add_argument("--check", action="store_true", help="decode every picture: takes minutes")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse flags and print."""
    parser = build_parser()
    chosen = parser.parse_args(arguments)
    try:
        if chosen.sheet is not None:
            _check_sheet(chosen.sheet)
        data = open_data_set(
            chosen.data, pictures=chosen.pictures, lose_first_row=chosen.lose_first_row
        )
        _tell(data, Console(highlight=False), chosen.sheet, check=chosen.check)
    except FaceTrackError as error:
        parser.exit(2, f"error: {error}\n")


def _check_sheet(path: Path) -> None:
    if path.suffix.lower() not in (".png", ".jpg"):
        raise DataError(f"{path}: a sheet is a .png or .jpg file")
    check_output(path, overwrite=True)


def _tell(data: DataSet, console: Console, sheet: Path | None, *, check: bool) -> None:
    console.print(counts_table(data))
    console.print(f"{len(all_faces(data))} faces, {len(data.missing)} pictures missing")
    for name in data.missing[:_SHOWN_MISSING]:
        console.print(f"  missing: {name}", markup=False, soft_wrap=True)
    if sheet is not None:
        cv2.imwrite(str(sheet), cv2.cvtColor(faces_sheet(data), cv2.COLOR_RGB2BGR))
        console.print(f"wrote {sheet}", markup=False, soft_wrap=True)
    if check:
        _check_pictures(data, console)


def _check_pictures(data: DataSet, console: Console) -> None:
    messages = list(unreadable(data))
    for message in messages:
        console.print(f"  {message}", markup=False, soft_wrap=True)
    if messages:
        raise DataError(f"{len(messages)} pictures cannot be read: fetch them anew")
    console.print("every picture can be read")


if __name__ == "__main__":
    main(sys.argv[1:])
