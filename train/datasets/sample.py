"""One annotated face, and the data set it comes from."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from tracker.crop import landmark_square
from tracker.layouts import Layout

from .data_error import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One annotated face; equal only to itself, for arrays do not compare to one truth."""

    image_path: Path
    points: Float[np.ndarray, "landmarks xy=2"]
    """Pixels of the picture, 0-based centres."""
    number: int | None = None
    """Which picture of a MATLAB file; None for a picture of its own."""
    named_square: tuple[float, float, float] | None = None
    """Centre x, centre y and side (margin 1) where the data set names its own crop."""
    hidden: Bool[np.ndarray, " landmarks"] | None = None
    """Which landmarks are occluded, where the data set has it."""
    certainty: Float[np.ndarray, " landmarks"] | None = None
    """From 0 to 1, where a machine labelled; None: an annotation."""
    first_pixel: float = 0.0
    """What the annotation calls the centre of the first pixel; the picture is mirrored by it."""
    photograph: str = ""
    """Faces that share it stay on one side of a split; empty: a photograph for each file."""

    @property
    def name(self) -> str:
        """The picture as messages call it."""
        return str(self.image_path) if self.number is None else f"{self.image_path}[{self.number}]"

    def square(self, margin: float) -> tuple[float, float, float]:
        """Centre x, centre y and side of the crop that training and published tables take."""
        if self.named_square is None:
            return landmark_square(self.points, margin)
        center_x, center_y, side = self.named_square
        return center_x, center_y, side * margin

    def read_image(self) -> UInt8[np.ndarray, "height width rgb=3"]:
        """Decode the picture.

        Raises:
            DataError: If it is no picture.
        """
        if self.number is not None:
            # h5py is loaded only where a .mat file is used.
            from .mat_file import read_mat_picture  # noqa: PLC0415

            return read_mat_picture(self.image_path, self.number)
        image = cv2.imread(str(self.image_path), cv2.IMREAD_COLOR)
        if image is None:
            raise DataError(f"{self.image_path}: not a readable picture: fetch the data set anew")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


@dataclass(frozen=True, slots=True)
class DataSet:
    """Annotated faces of one source, in the splits its owners made."""

    name: str
    """Short name of the field: 300W, WFLW, COFW, COFW-68; or the folder's for own data."""
    layout: Layout
    splits: dict[str, list[Sample]]
    """By name: "train", "test", then subsets of the test part; only those that are there."""
    missing: list[str] = field(default_factory=list)
    """Pictures that are annotated but not there; their faces are in no split."""
    lost_rows: bool = False
    """Whether the first row of every list was dropped, as the authors' reader does."""

    def split(self, name: str) -> list[Sample]:
        """The faces of one split.

        Raises:
            DataError: If there is none of that name.
        """
        if name not in self.splits:
            there = ", ".join(self.splits)
            raise DataError(f"{self.name}: no split '{name}' here; there are {there}")
        return self.splits[name]
