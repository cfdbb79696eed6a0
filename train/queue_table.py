"""The table of `train.queue`: which trainings there are, and which labels they need."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from tracker.errors import FaceTrackError

from .recipes import RECIPES

_Entry = TypeVar("_Entry", "LabelFile", "Training")


class QueueError(FaceTrackError):
    """The table of trainings says something that cannot be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """Machine-made labels; folders are relative to the folder of research data."""

    name: str
    pictures: str = ""
    """Folder of faces without labels, which `train.teacher` labels."""
    data: str = ""
    """Folder of faces with a machine's labels, which `train.screening` screens."""
    turned: str = ""
    """Folder of 300W, whose faces `train.turned_heads` turns."""
    weights: str = "lite"
    """The network that teaches or screens."""
    certainty: float = 1.0
    """Of screened labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training of the queue."""

    name: str
    config: str
    """Its recipe."""
    start_from: str = ""
    """Weights by name or path, or a training before it; empty: random weights."""
    pseudo_labels: str = ""
    further: tuple[str, ...] = ()

    @property
    def label_files(self) -> tuple[str, ...]:
        """Names of all labels that it needs."""
        return (self.pseudo_labels, *self.further) if self.pseudo_labels else self.further


@dataclass(frozen=True, slots=True)
class QueueTable:
    """Trainings in their order, labels by name."""

    trainings: tuple[Training, ...]
    labels: dict[str, LabelFile]


def read_table(path: Path) -> QueueTable:
    """Read and check a table.

    Raises:
        QueueError: If it is not there, not TOML, or names what does not exist.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise QueueError(f"{path}: cannot be read ({error})") from error
    labels = {
        name: _entry(LabelFile, {"name": name, **entry}, f"{path}, labels.{name}")
        for name, entry in content.get("labels", {}).items()
    }
    trainings = tuple(
        _entry(Training, {**entry, "further": tuple(entry.get("further", ()))}, f"{path}, training")
        for entry in content.get("training", [])
    )
    for label in labels.values():
        if sum(map(bool, (label.pictures, label.data, label.turned))) != 1:
            raise QueueError(
                f"{path}, labels.{label.name}: expected one of pictures, data and turned"
            )
    names = [training.name for training in trainings]
    for training in trainings:
        if names.count(training.name) > 1:
            raise QueueError(f"{path}: two trainings are called {training.name}")
        if training.config not in RECIPES:
            raise QueueError(f"{path}, {training.name}: no recipe {training.config}")
        if unknown := [name for name in training.label_files if name not in labels]:
            raise QueueError(f"{path}, {training.name}: no labels {', '.join(unknown)}")
    return QueueTable(trainings, labels)


def _entry(kind: type[_Entry], values: dict[str, Any], where: str) -> _Entry:
    known = {field.name for field in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise QueueError(f"{where}: unknown {', '.join(unknown)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise QueueError(f"{where}: {error}") from error
