"""All source pictures decoded once, in a file that processes share.

`bank.npz` keeps the labels and where each picture's pixels lie in `pixels.bin`.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Int

from models.calibrated_landmarker import CalibratedLandmarker
from tracker.types import Image
from train.datasets.data_error import DataError

from .face_labeller import FaceLabeller
from .face_labels import Labels, Regions, moved_regions, transformed
from .face_sources import EMPTY, HEADS, SCENES, SOURCES, Entry, entries, is_held_out

_LARGEST_PX = 512
_LOG = logging.getLogger(__name__)
_TRUSTED = ("300w", "ytf68")
_PSEUDO_SCALES = {SCENES: (1.0, 2.0), "unlabelled/wild": (1.0, 2.0)}


@dataclass(frozen=True, slots=True)
class BankPicture:
    """One picture of the bank; fields as in `face_sources.Entry`."""

    image: Image
    labels: Labels
    ignored: Regions
    source: str
    group: str
    yaw_deg: float


class PictureBank:
    """The pictures of a folder that `fill_bank` wrote."""

    def __init__(self, folder: Path) -> None:
        with np.load(folder / "bank.npz") as stored:
            self._shapes: Int[np.ndarray, "n 3"] = stored["shapes"]
            self._faces: Float[np.ndarray, "faces 10"] = stored["faces"]
            self._regions: Float[np.ndarray, "regions 4"] = stored["regions"]
            self.sources = [str(source) for source in stored["sources"]]
            self.groups = [str(group) for group in stored["groups"]]
            self.held_out = np.array([is_held_out(group) for group in self.groups])
            self.yaw_deg: Float[np.ndarray, " n"] = stored["yaw_deg"]
        self._pixels = np.memmap(folder / "pixels.bin", np.uint8, "r")
        self._starts = np.concatenate([[0], np.cumsum(self._shapes.prod(1))])
        self._face_ends = np.searchsorted(self._faces[:, 0], np.arange(len(self) + 1))
        self._region_ends = np.searchsorted(self._regions[:, 0], np.arange(len(self) + 1))

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, index: int) -> BankPicture:
        pixels = self._pixels[self._starts[index] : self._starts[index + 1]]
        return BankPicture(
            np.asarray(pixels).reshape(self._shapes[index]),
            self._faces[slice(*self._face_ends[index : index + 2]), 1:],
            self._regions[slice(*self._region_ends[index : index + 2]), 1:],
            self.sources[index],
            self.groups[index],
            float(self.yaw_deg[index]),
        )

    def of(self, *sources: str, held_out: bool = False) -> list[int]:
        """Numbers of the pictures of some sources, on one side of the split."""
        return [
            index
            for index, source in enumerate(self.sources)
            if source in sources and bool(self.held_out[index]) == held_out
        ]


def fill_bank(
    data: Path, folder: Path, yunet: Path | None, landmarker: CalibratedLandmarker
) -> None:
    """Decode and label everything once; a bank that is there stays.

    Args:
        data: The folder that holds the sources; those that are not there are passed over.
        folder: Where the bank goes.
        yunet: Labels what is unlabelled; without it those sources are left out.
        landmarker: As in `FaceLabeller`.

    Raises:
        DataError: If no source is there.
    """
    if (folder / "bank.npz").exists():
        return
    labeller = FaceLabeller(yunet, landmarker) if yunet else None
    folder.mkdir(parents=True, exist_ok=True)
    done: list[Entry] = []
    shapes = []
    with (folder / "pixels.bin").open("wb") as pixels:
        for source in SOURCES:
            if not (data / source).is_dir():
                _LOG.warning("%s: not there, left out", data / source)
                continue
            for entry in entries(data, source):
                made = _labelled(entry, labeller)
                if made is not None:
                    image, labelled = made
                    pixels.write(image.tobytes())
                    shapes.append(image.shape)
                    done.append(labelled)
            _LOG.info("%s: %d pictures in the bank", source, len(done))
    if not done:
        raise DataError(f"{data}: none of {', '.join(SOURCES)} inside")
    _write_index(folder, done, shapes)


def _write_index(folder: Path, done: list[Entry], shapes: list[tuple[int, ...]]) -> None:
    def numbered(parts: list[np.ndarray], width: int) -> np.ndarray:
        rows = [np.insert(part, 0, index, 1) for index, part in enumerate(parts)]
        return np.concatenate([np.zeros((0, width)), *rows]).astype(np.float32)

    partial = folder / "partial.npz"
    np.savez(
        partial,
        shapes=np.array(shapes),
        faces=numbered([entry.labels for entry in done], 10),
        regions=numbered([entry.ignored for entry in done], 4),
        sources=np.array([entry.source for entry in done]),
        groups=np.array([entry.group for entry in done]),
        yaw_deg=np.array([entry.yaw_deg for entry in done]),
    )
    partial.replace(folder / "bank.npz")


def _labelled(entry: Entry, labeller: FaceLabeller | None) -> tuple[Image, Entry] | None:
    """The decoded picture and its labels; None where nothing is known of it."""
    stored = cv2.imread(str(entry.path))
    if stored is None:
        raise DataError(f"{entry.path}: not a picture")
    image = cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)
    scale = _LARGEST_PX / max(image.shape[:2])
    if scale < 1:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        matrix = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
        entry = replace(
            entry,
            labels=transformed(entry.labels, matrix),
            ignored=moved_regions(entry.ignored, matrix),
        )
    if entry.source in (EMPTY, HEADS):
        return image, entry
    if labeller is None:
        return (image, entry) if entry.source in _TRUSTED else None
    labels, doubtful = labeller(image, _PSEUDO_SCALES.get(entry.source, (1.0,)))
    if entry.source in _TRUSTED:
        return image, _with_others(entry, labels, doubtful)
    if not len(labels) and not len(doubtful):
        return None
    return image, replace(entry, labels=labels, ignored=doubtful)


def _with_others(entry: Entry, labels: Labels, doubtful: Regions) -> Entry:
    """Besides the annotated face: further ones, as faces where sure, else as ignored."""
    main = entry.labels[0]

    def apart(rows: np.ndarray) -> np.ndarray:
        distance = np.hypot(rows[:, 0] - main[0], rows[:, 1] - main[1])
        return rows[distance > 0.5 * np.maximum(rows[:, 2], main[2])]

    # An annotated face is the only one of its picture that a person vouched for.
    return replace(
        entry,
        labels=np.concatenate([entry.labels, apart(labels)]),
        ignored=np.concatenate([entry.ignored, apart(doubtful)]),
    )
