"""The faces of a run: training part, held-out parts, machine-labelled faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.checkpoint import TEST_PART
from tracker.layouts import Layout

from .datasets import DataError, DataSet, Sample, hold_out, is_held_out, read_pseudo_labels
from .hard_faces import HeldOutPart, hard_parts
from .metrics import normalisers

_LARGEST_BAD_SHARE = 0.001
HELD_OUT_PART = "a held-out part of the training set"


@dataclass(frozen=True, slots=True)
class Pool:
    """Machine-labelled faces of one file, those of the held-out people left out."""

    name: str
    """Name of the file; the recipe has the share in a batch under it."""
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of a run."""

    data: DataSet
    training: list[Sample]
    held_out: list[Sample]
    pseudo: list[Sample]
    selected_on: str
    further: tuple[Pool, ...] = ()
    hard: tuple[HeldOutPart, ...] = ()
    """Further held-out parts, never selected on."""

    @property
    def layout(self) -> Layout:
        return self.data.layout

    @property
    def trained_on(self) -> list[Sample]:
        """All of them, numbered as `views.batches` does."""
        further = [sample for pool in self.further for sample in pool.samples]
        return self.training + self.pseudo + further

    @property
    def held_out_parts(self) -> tuple[HeldOutPart, ...]:
        """The part that weights are selected on, normalised as in published tables; the others."""
        return (HeldOutPart("", self.held_out, normalisers(self.layout)[0]), *self.hard)

    @property
    def described(self) -> str:
        """For the description in the weight file."""
        held = "" if self.selected_on == TEST_PART else f", {len(self.held_out)} held out"
        text = f"{self.data.name} training part: {len(self.training)} faces{held}"
        if self.pseudo:
            folders = ", ".join(sorted({sample.image_path.parent.name for sample in self.pseudo}))
            text += f"; {len(self.pseudo)} pseudo-labelled faces of {folders}"
        for pool in self.further:
            text += f"; {len(pool.samples)} machine-annotated faces of {pool.name}"
        return text

    def check_bad(self, bad: set[str]) -> None:
        """Raise if more pictures are bad than a data set may have.

        Raises:
            DataError: If more than 0.1 % of the training pictures are missing or unreadable.
        """
        missing, total = len(self.data.missing) + len(bad), len(self.trained_on)
        if missing > _LARGEST_BAD_SHARE * total:
            first = next(iter([*self.data.missing, *sorted(bad)]))
            raise DataError(
                f"{missing} of {total} training pictures are "
                f"missing or unreadable, more than 0.1 %: fetch the data set anew (first: {first})"
            )


def gather(
    data: DataSet,
    pseudo_labels: Path | None,
    *,
    select_on_test: bool,
    further: Sequence[Path] = (),
) -> Faces:
    """Split into training and held-out parts.

    Args:
        data: With a training part.
        pseudo_labels: What `train.teacher` wrote.
        select_on_test: Select weights on the test part, as the authors do; train on all the rest.
        further: What `train.screening` wrote; a tenth of the people of each is held out, and no
            picture of these people is trained on, whichever file it comes from.

    Raises:
        DataError: If a part that is needed is not there.
    """
    pseudo = read_pseudo_labels(pseudo_labels) if pseudo_labels else []
    files = {path.stem: read_pseudo_labels(path) for path in further}
    held_people = {
        s.photograph for faces in files.values() for s in faces if is_held_out(s.photograph)
    }
    pools = tuple(
        Pool(name, [s for s in faces if s.photograph not in held_people])
        for name, faces in files.items()
    )
    pseudo = [sample for sample in pseudo if sample.photograph not in held_people]
    if select_on_test:
        train, test = data.split("train"), data.split("test")
        return Faces(data, train, test, pseudo, TEST_PART, pools)
    training, held_out = hold_out(data.split("train"))
    if not training or not held_out:
        raise DataError(f"{data.name}: {len(training) + len(held_out)} faces are too few to train")
    held = {
        name: [s for s in faces if s.photograph in held_people] for name, faces in files.items()
    }
    hard = hard_parts(held_out, held, data.layout) if files else ()
    return Faces(data, training, held_out, pseudo, HELD_OUT_PART, pools, hard)
