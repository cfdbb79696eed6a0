"""Faces that a machine labelled."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from .sample import DataError, Sample


def read_pseudo_labels(path: Path) -> list[Sample]:
    """Faces labelled by `train.teacher`.

    Raises:
        DataError: If the file is not one of its.
    """
    try:
        with np.load(path) as stored:
            columns = [stored[name] for name in ("pictures", "points", "certainty", "first_pixel")]
    except (OSError, ValueError, LookupError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: not made by train.teacher ({error})") from error
    return [
        Sample(Path(str(picture)), points, certainty=certainty, first_pixel=float(first_pixel))
        for picture, points, certainty, first_pixel in zip(*columns, strict=True)
    ]
