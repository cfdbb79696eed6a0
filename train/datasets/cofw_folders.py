"""Where the files of COFW and COFW-68 lie; finding them needs no reader of MATLAB files."""

from pathlib import Path

COFW_SOURCE = "data.caltech.edu/records/bc0bf-nc666"
COFW68_SOURCE = "github.com/golnazghiasi/cofw68-benchmark"
ANNOTATIONS_68 = "test_annotations"

_COFW_FOLDERS = ("", "common/xpburgos/behavior/code/pose")
"""The second is where its archives unpack to."""
_COFW68_FOLDERS = (
    "", "COFW68_Data", "cofw68-benchmark-master", "cofw68-benchmark-master/COFW68_Data",
)  # fmt: skip


def cofw_files(folder: Path) -> dict[str, Path]:
    """The file of each split, "train" and "test"; the coloured one where both are there."""
    found: dict[str, Path] = {}
    for split in ("train", "test"):
        for name in (f"COFW_{split}_color.mat", f"COFW_{split}.mat"):
            for path in (folder / place / name for place in _COFW_FOLDERS):
                if path.is_file():
                    found.setdefault(split, path)
    return found


def annotations_68(place: Path) -> Path | None:
    """The folder of COFW-68's annotations: `place`, or inside it as its archive has it."""
    if place.name == ANNOTATIONS_68 and place.is_dir():
        return place
    candidates = (place / folder / ANNOTATIONS_68 for folder in _COFW68_FOLDERS)
    return next((candidate for candidate in candidates if candidate.is_dir()), None)
