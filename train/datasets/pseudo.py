"""Faces that a machine labelled, in one file: what `train.teacher` and `train.screening` write."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from .data_error import DataError
from .person import person_of
from .sample import Sample

_COLUMNS = ("pictures", "points", "certainty", "first_pixel")


def read_pseudo_labels(path: Path) -> list[Sample]:
    """Read machine-labelled faces; those of one person share their `photograph`.

    Raises:
        DataError: If the file is not one of `write_pseudo_labels`.
    """
    try:
        with np.load(path) as stored:
            columns = [stored[name] for name in _COLUMNS]
    except (OSError, ValueError, LookupError, EOFError, BadZipFile) as error:
        raise DataError(f"{path}: not made by train.teacher ({error})") from error
    return [
        Sample(
            path.parent / str(picture),
            points,
            certainty=certainty,
            first_pixel=float(first_pixel),
            photograph=person_of(Path(str(picture))),
        )
        for picture, points, certainty, first_pixel in zip(*columns, strict=True)
    ]


def write_pseudo_labels(path: Path, samples: Sequence[Sample]) -> None:
    """Write faces whose labels have a certainty.

    Pictures below the folder of the file are named from there, so that both can be moved; others
    by their whole path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    certainty = [np.ones(len(s.points)) if s.certainty is None else s.certainty for s in samples]
    columns = (
        np.array([named_from(path.parent.resolve(), sample.image_path) for sample in samples]),
        np.array([sample.points for sample in samples], np.float32),
        np.array(certainty, np.float32),
        np.array([sample.first_pixel for sample in samples], np.float32),
    )
    named: dict[str, Any] = dict(zip(_COLUMNS, columns, strict=True))
    np.savez_compressed(path, **named)


def named_from(folder: Path, picture: Path) -> str:
    """What a file in a folder calls a picture."""
    whole = picture.resolve()
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)
