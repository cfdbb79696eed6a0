"""Annotated faces as their owners publish them, and the split that is held out.

`python -m train.datasets DIR` prints what a folder holds.
"""

from .data_error import DataError
from .ibug import read_300w
from .layout_file import read_layout
from .opening import open_data_set
from .person import is_held_out, person_of
from .pseudo import read_pseudo_labels, write_pseudo_labels
from .sample import DataSet, Sample
from .split import HELD_OUT_SEED, HELD_OUT_SHARE, hold_out

__all__ = [
    "HELD_OUT_SEED",
    "HELD_OUT_SHARE",
    "DataError",
    "DataSet",
    "Sample",
    "hold_out",
    "is_held_out",
    "open_data_set",
    "person_of",
    "read_300w",
    "read_layout",
    "read_pseudo_labels",
    "write_pseudo_labels",
]
