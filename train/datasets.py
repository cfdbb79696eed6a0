"""Annotated faces as their owners publish them, and the split that is held out.

`python -m train.datasets DIR` prints what a folder holds.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from rich.console import Console
from rich.table import Table

from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68, Layout

HELD_OUT_SHARE = 0.1
HELD_OUT_SEED = 0
"""Which photographs are never trained on; one choice for training, calibration and benchmarks."""
TRAIN_FOLDERS_300W = ("afw", "helen/trainset", "lfpw/trainset")


class DataError(FaceTrackError):
    """A data set is not laid out as its reader expects."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One annotated face."""

    image_path: Path
    points: Float[np.ndarray, "landmarks xy=2"]
    """Pixels of the picture, 0-based centres."""

    def read_image(self) -> UInt8[np.ndarray, "height width rgb=3"]:
        """Decode the picture.

        Raises:
            DataError: If it is no picture.
        """
        image = cv2.imread(str(self.image_path), cv2.IMREAD_COLOR)
        if image is None:
            raise DataError(f"{self.image_path}: not a readable picture: fetch the data set anew")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_300w(folder: Path) -> list[Sample]:
    """The training part of 300W: `afw`, `helen/trainset` and `lfpw/trainset` below `folder`.

    Raises:
        DataError: If none of the three is there or an annotation is damaged.
    """
    found = [name for name in TRAIN_FOLDERS_300W if (folder / name).is_dir()]
    if not found:
        raise DataError(
            f"{folder}: expected {', '.join(TRAIN_FOLDERS_300W)} inside, found none of them: "
            "unpack 300W (ibug.doc.ic.ac.uk/resources/300-W) there"
        )
    paths = sorted(path for name in found for path in (folder / name).glob("*.pts"))
    if not paths:
        raise DataError(f"{folder}: {', '.join(found)} hold no .pts annotations")
    return [Sample(_picture_of(path), read_pts(path, IBUG_68)) for path in paths]


def read_pts(path: Path, layout: Layout) -> Float[np.ndarray, "landmarks xy=2"]:
    """Read one iBUG annotation; its 1-based pixels become 0-based.

    Raises:
        DataError: If the file does not hold the layout's number of points.
    """
    text = path.read_text(encoding="ascii", errors="replace")
    try:
        inside = text[text.index("{") + 1 : text.index("}")]
        points = np.array(inside.split(), dtype=np.float32).reshape(-1, 2)
    except ValueError as error:
        raise DataError(f"{path}: not a .pts annotation ({error})") from error
    if len(points) != layout.count or not np.isfinite(points).all():
        raise DataError(f"{path}: {layout.name} has {layout.count} points, found {len(points)}")
    return points - 1


def read_pseudo_labels(path: Path) -> list[Sample]:
    """Faces labelled by `train.teacher`.

    Raises:
        DataError: If the file is not one of its.
    """
    try:
        with np.load(path) as stored:
            pictures, points = stored["pictures"], stored["points"]
    except (OSError, ValueError, LookupError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: not made by train.teacher ({error})") from error
    return [Sample(Path(str(name)), face) for name, face in zip(pictures, points, strict=True)]


def hold_out(samples: list[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Split into (training, held out) by picture, the same for every run with this seed.

    Faces cut from one photograph (`12345_1.jpg`, `12345_2.jpg`) stay together.
    """
    photographs = sorted({_photograph(sample) for sample in samples})
    order = np.random.default_rng(seed).permutation(len(photographs))
    held = {photographs[i] for i in order[: round(share * len(photographs))]}
    training = [sample for sample in samples if _photograph(sample) not in held]
    return training, [sample for sample in samples if _photograph(sample) in held]


def _photograph(sample: Sample) -> str:
    """Folder and name without the number of the face; LFPW's four-digit names are whole."""
    return f"{sample.image_path.parent}/{re.sub(r'_[0-9]{1,2}$', '', sample.image_path.stem)}"


def _picture_of(annotation: Path) -> Path:
    for suffix in (".jpg", ".png"):
        if (picture := annotation.with_suffix(suffix)).exists():
            return picture
    raise DataError(f"{annotation}: no .jpg or .png of the same name beside it")


def main() -> None:
    """Print the number of faces per folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of 300W")
    folder = parser.parse_args().folder
    try:
        samples = read_300w(folder)
    except DataError as error:
        parser.exit(2, f"error: {error}\n")
    table = Table("folder", "faces")
    for name in TRAIN_FOLDERS_300W:
        count = sum(sample.image_path.is_relative_to(folder / name) for sample in samples)
        table.add_row(name, str(count))
    Console().print(table)


if __name__ == "__main__":
    main()
