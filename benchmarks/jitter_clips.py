"""Which clips are measured, and their recordings: from the cache, else by running the tracker."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from rich.progress import track

import models
from models.weight_files import NAMED_WEIGHTS
from tracker.detection.mediapipe_detector import MediaPipeDetector
from tracker.face_tracker import FaceTracker
from tracker.io.sources import open_source
from train.datasets import hold_out, open_data_set
from train.synthetic.clips import Clip, make_clip
from train.synthetic.face import Face, annotated_face, portrait_face

from .recordings import FOLDER, Recording, digest, load, record_clip, record_film, save

_LEAST_EYE_PX = 80
"""Smaller faces would be enlarged, and blurred, by the virtual camera."""
_PORTRAIT_SEED, _FIRST_SEED = 200, 101
FILMS = (".mp4", ".mkv", ".mov", ".avi", ".mpg", ".webm", ".m4v")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A face, and the seed of its clips."""

    name: str
    face: Face
    seed: int


def subjects(data: Path | None, count: int) -> list[Subject]:
    """The portrait, and so many faces of a data set that were never trained on.

    Raises:
        FaceTrackError: If there is no data set.
    """
    known = [Subject("held-portrait", portrait_face(), _PORTRAIT_SEED)]
    if data is None:
        return known
    return known + _some("held", data, count, _FIRST_SEED)


def training_subjects(data: Path, count: int) -> list[Subject]:
    """Faces that were trained on, for whatever is learned from clips.

    Raises:
        FaceTrackError: If there is no data set.
    """
    return _some("train", data, count, 1)


def _some(part: str, data: Path, count: int, first_seed: int) -> list[Subject]:
    annotated = open_data_set(data)
    training, held_out = hold_out(annotated.split("train"))
    samples = held_out if part == "held" else training
    order = np.random.default_rng(0).permutation(len(samples))
    shuffled = (samples[i] for i in order)
    large = (s for s in shuffled if annotated.layout.interocular(s.points) >= _LEAST_EYE_PX)
    return [
        Subject(f"{part}-{sample.image_path.stem}", annotated_face(sample, annotated.layout), seed)
        for seed, sample in enumerate(islice(large, count), first_seed)
    ]


@dataclass(frozen=True, kw_only=True)
class Studio:
    """Makes recordings with one set of weights; the network is loaded only if it is needed."""

    weights: str = "lite"
    """Name or path."""
    folder: Path = FOLDER
    """Where recordings are kept."""
    fresh: bool = False
    """Record again what is there."""
    seconds: float = 4.0
    film_s: float = 10.0
    """Of each film, from its start."""
    made: list[Path] = field(default_factory=list)
    """What was recorded now."""

    @cached_property
    def tracker(self) -> FaceTracker:
        """With its network and detector."""
        return FaceTracker(models.load_landmarker(self.weights, "cpu"), MediaPipeDetector())

    @cached_property
    def weights_read(self) -> bytes:
        """What tells one set of weights from another."""
        path = NAMED_WEIGHTS.get(self.weights, Path(self.weights))
        return path.read_bytes() if path.is_file() else self.weights.encode()

    def clip(self, subject: Subject, kind: str) -> Clip:
        """Seeded by the subject."""
        return make_clip(kind, subject.face, subject.seed, self.seconds)

    def path(self, subject: Subject, kind: str, what: bytes) -> Path:
        """Where the recording of a clip belongs; `what` looked at it."""
        face = subject.face
        key = digest(
            what, face.image.tobytes(), face.points.tobytes(), kind, subject.seed, self.seconds
        )
        return self.folder / f"{subject.name}-{kind}-{subject.seed}-{key}.npz"

    def record(self, subject: Subject, kind: str) -> Recording:
        """What the tracker measures in a clip."""
        path = self.path(subject, kind, self.weights_read)
        if path.exists() and not self.fresh:
            return load(path)
        recording = record_clip(self.tracker, self.clip(subject, kind), subject.name)
        self._keep(recording, path)
        return recording

    def film(self, path: Path) -> Recording:
        """What the tracker measures at the start of a film."""
        key = digest(self.weights_read, path.name, path.stat().st_size, self.film_s)
        kept = self.folder / f"real-{path.stem}-{key}.npz"
        if kept.exists() and not self.fresh:
            return load(kept)
        with open_source(str(path)) as source:
            frames = islice(source, round(self.film_s * source.frame_rate))
            recording = record_film(self.tracker, frames, path.name)
        self._keep(recording, kept)
        return recording

    def _keep(self, recording: Recording, path: Path) -> None:
        save(recording, path)
        self.made.append(path)


def films_in(folder: Path | None) -> list[Path]:
    """Every film of a folder by name."""
    if folder is None:
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in FILMS)


def recordings_of(
    studio: Studio, faces: Sequence[Subject], kinds: Sequence[str]
) -> Iterator[Recording]:
    """Every kind of clip of every face, with a bar."""
    wanted = [(subject, kind) for subject in faces for kind in kinds]
    for subject, kind in track(wanted, "clips"):
        yield studio.record(subject, kind)
