"""Which data set a folder holds, by what is in it."""

from pathlib import Path

from . import own, wflw
from .adnet import lists_in, read_adnet
from .cofw_folders import annotations_68, cofw_files
from .data_error import DataError
from .ibug import FOLDERS_300W, read_ibug
from .pts_folder import annotations_in, read_pts_folder
from .sample import DataSet

LAYOUTS_OF_FOLDERS = {
    "WFLW": "WFLW_annotations + WFLW_images (wywu.github.io/projects/LAB/WFLW.html)",
    "300W": "afw, helen, lfpw, ibug, 01_Indoor (ibug.doc.ic.ac.uk/resources/300-W)",
    "COFW": "COFW_train_color.mat, COFW_test_color.mat (data.caltech.edu/records/bc0bf-nc666)",
    "COFW-68": "test_annotations (github.com/golnazghiasi/cofw68-benchmark)",
    "lists of ADNet": "train.tsv, test.tsv (github.com/huangyangyu/ADNet)",
    "pictures with .pts beside them": "of 98, 68 or 29 points",
    "your own": "landmarks.csv, and layout.toml for landmarks of your own",
}
"""What is recognised, and where to get it."""

_SHOWN = 6


def open_data_set(
    path: Path, *, pictures: Path | None = None, lose_first_row: bool = False
) -> DataSet:
    """The annotated faces in a folder, recognised by what is in it, the first that fits.

    - `train.tsv`, `test.tsv`, …, or such a file itself: the lists of ADNet, whatever lies beside;
    - `WFLW_annotations`: WFLW;
    - `COFW_*.mat`: COFW. But COFW-68 where `test_annotations` is there and the only `.mat` is
      that of the test part: so its authors tell to put it;
    - `test_annotations`, or that folder itself: COFW-68, its pictures looked for nearby;
    - `landmarks.csv`, or a `.csv` file itself: one's own;
    - `afw`, `helen`, `lfpw`, `ibug`, `01_Indoor` or `02_Outdoor`: 300W;
    - `.pts` files: a folder of pictures with annotations beside them.

    Args:
        path: The folder or file.
        pictures: Where the pictures lie, if not where their owners put them.
        lose_first_row: Drop the first row of every list of ADNet, as published counts did.

    Raises:
        DataError: If it is none of these, or damaged.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if pictures is not None and not pictures.is_dir():
        raise DataError(f"{pictures}: no such folder of pictures")
    if path.suffix.lower() == ".tsv" if path.is_file() else lists_in(path):
        return read_adnet(path, pictures, lose_first_row=lose_first_row)
    if lose_first_row:
        raise DataError(f"{path}: only lists of ADNet (.tsv) have a first row to lose")
    return _open_published(path, pictures)


def _open_published(path: Path, pictures: Path | None) -> DataSet:
    if (path / wflw.ANNOTATIONS).is_dir():
        return wflw.read_wflw(path, pictures)
    if (found := _open_matlab(path, pictures)) is not None:
        return found
    if (path / own.ANNOTATIONS).is_file() or (path.is_file() and path.suffix.lower() == ".csv"):
        return own.read_own(path, pictures)
    if any((path / folder).is_dir() for folder in FOLDERS_300W):
        if pictures is not None:
            raise DataError(f"{path}: the pictures of 300W lie beside its .pts: no --pictures")
        return read_ibug(path)
    if annotations_in(path):
        if pictures is not None:
            raise DataError(f"{path}: the pictures lie beside their .pts: no --pictures")
        return read_pts_folder(path)
    raise DataError(_unknown(path))


def _open_matlab(path: Path, pictures: Path | None) -> DataSet | None:
    """COFW or COFW-68, if it is one of them."""
    # h5py and scipy are loaded only where a .mat file is used.
    files = cofw_files(path)
    if annotations_68(path) is not None and "train" not in files:
        from .cofw68 import read_cofw68  # noqa: PLC0415

        return read_cofw68(path, pictures)
    if not files:
        return None
    if pictures is not None:
        raise DataError(f"{path}: the pictures of COFW are in its .mat files: no --pictures")
    from .cofw import read_cofw  # noqa: PLC0415

    return read_cofw(path)


def _unknown(path: Path) -> str:
    known = "; ".join(f"{name}: {inside}" for name, inside in LAYOUTS_OF_FOLDERS.items())
    if path.is_file():
        return f"{path}: not a .tsv or .csv file: expected a folder with one of {known}"
    names = sorted(entry.name for entry in path.iterdir())
    more = f", … ({len(names)} in all)" if len(names) > _SHOWN else ""
    found = ", ".join(names[:_SHOWN]) + more if names else "nothing"
    return f"{path}: no data set known here: found {found}; expected one of {known}"
