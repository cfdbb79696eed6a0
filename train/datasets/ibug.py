"""300W: pictures with `.pts` annotations of 68 points, in the folders of its five sources."""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from tracker.layouts import IBUG_68, Layout

from .sample import DataError, Sample

TRAIN_FOLDERS_300W = ("afw", "helen/trainset", "lfpw/trainset")


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
    return [_read_face(path) for path in paths]


def _read_face(annotation: Path) -> Sample:
    picture = _picture_of(annotation)
    points = read_pts(annotation, IBUG_68)
    return Sample(picture, points, photograph=_photograph(picture))


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


def _picture_of(annotation: Path) -> Path:
    for suffix in (".jpg", ".png"):
        if (picture := annotation.with_suffix(suffix)).exists():
            return picture
    raise DataError(f"{annotation}: no .jpg or .png of the same name beside it")


def _photograph(picture: Path) -> str:
    """Folder and name without the number of the face; LFPW's four-digit names are whole."""
    return f"{picture.parent}/{re.sub(r'_[0-9]{1,2}$', '', picture.stem)}"
