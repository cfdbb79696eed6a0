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
            pictures, points = stored["pictures"], stored["points"]
    except (OSError, ValueError, LookupError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: not made by train.teacher ({error})") from error
    return [Sample(Path(str(name)), face) for name, face in zip(pictures, points, strict=True)]
