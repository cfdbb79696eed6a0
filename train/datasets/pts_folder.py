"""A folder of pictures with `.pts` annotations beside them, of any layout with a name."""

from pathlib import Path

from tracker.layouts import LAYOUTS, Layout

from .assembly import assemble
from .data_error import DataError
from .ibug import photograph_of, picture_of, read_pts
from .sample import DataSet, Sample
from .text import read_lines

_COUNT = "n_points:"


def annotations_in(folder: Path) -> list[Path]:
    """The `.pts` files of a folder itself, not of those below it."""
    return sorted(folder.glob("*.pts")) if folder.is_dir() else []


def read_pts_folder(folder: Path) -> DataSet:
    """All faces are for training; the number of points of the first names the layout.

    Raises:
        DataError: If no layout has so many points, an annotation is damaged or another's, or all
            pictures are missing.
    """
    annotations = annotations_in(folder)
    layout = _layout_of(annotations[0])
    samples = [
        Sample(
            picture_of(annotation),
            read_pts(annotation, layout),
            photograph=photograph_of(picture_of(annotation)),
        )
        for annotation in annotations
    ]
    return assemble(folder.absolute().name, layout, {"train": samples})


def _layout_of(annotation: Path) -> Layout:
    counted = [line.partition(_COUNT)[2] for line in read_lines(annotation) if _COUNT in line]
    for layout in LAYOUTS.values():
        if counted and counted[0].strip() == str(layout.count):
            return layout
    known = ", ".join(str(layout.count) for layout in LAYOUTS.values())
    raise DataError(
        f"{annotation}: expected 'n_points:' with {known}: write landmarks.csv and layout.toml for "
        "landmarks of your own"
    )
