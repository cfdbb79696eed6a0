"""Data sets without the faces whose pictures are missing."""

from tracker.layouts import Layout

from .data_error import DataError
from .sample import DataSet, Sample


def assemble(name: str, layout: Layout, splits: dict[str, list[Sample]]) -> DataSet:
    """The data set without the faces whose picture is not there; empty splits are left out.

    Args:
        name: Of the data set.
        layout: Of its landmarks.
        splits: Faces by split, whether their pictures are there or not.

    Raises:
        DataError: If no face is left.
    """
    paths = dict.fromkeys(sample.image_path for faces in splits.values() for sample in faces)
    there = {path for path in paths if path.is_file()}
    missing = [str(path) for path in paths if path not in there]
    present = {
        split: [sample for sample in faces if sample.image_path in there]
        for split, faces in splits.items()
    }
    if not there:
        raise DataError(_nothing_left(name, missing))
    present = {split: faces for split, faces in present.items() if faces}
    return DataSet(name, layout, present, missing)


def _nothing_left(name: str, missing: list[str]) -> str:
    if not missing:
        return f"{name}: its lists hold no face: fetch the annotations anew"
    return (
        f"{name}: none of {len(missing)} annotated pictures is there, {missing[0]} for one: "
        "unpack the pictures there, or name their folder (--pictures)"
    )
