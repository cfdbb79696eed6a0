"""Which clips are measured, and their recordings: from the cache, else by running the tracker."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from rich.progress import track

import models
from models.weight_files import NAMED_WEIGHTS
from tracker.face_tracker import FaceTracker
from tracker.io.sources import open_source
from train.datasets import hold_out, open_data_set
from train.synthetic.clips import Clip, make_clip
from train.synthetic.face import PhotographedFace, annotated_face, portrait_face

from .recordings import FOLDER, Recording, digest, load, record_clip, record_video, save

_LEAST_EYE_PX = 80
"""Smaller faces would be enlarged, and blurred, by the virtual camera."""
_PORTRAIT_SEED, _FIRST_SEED = 200, 101
VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".mpg", ".webm", ".m4v")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A face, and the seed of its clips."""

    name: str
    face: PhotographedFace
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
    """Faces that were trained on, to tune filters on.

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
class RecordingCache:
    """Recordings with one set of weights; the network is loaded only if one is missing."""

    weights: str = "lite"
    """Name or path."""
    folder: Path = FOLDER
    """Where recordings are kept."""
    fresh: bool = False
    """Record again, whatever the folder holds."""
    seconds: float = 4.0
    video_s: float = 10.0
    """Of each video, from its start."""

    @cached_property
    def tracker(self) -> FaceTracker:
        """With its network and detector."""
        return FaceTracker(models.load_landmarker(self.weights, "cpu"))

    @cached_property
    def weights_content(self) -> bytes:
        """Content of the weight file, for the checksum."""
        path = NAMED_WEIGHTS.get(self.weights, Path(self.weights))
        return path.read_bytes() if path.is_file() else self.weights.encode()

    def clip(self, subject: Subject, kind: str) -> Clip:
        """Seeded by the subject."""
        return make_clip(kind, subject.face, subject.seed, self.seconds)

    def path(self, subject: Subject, kind: str, what: bytes) -> Path:
        """Where the recording of a clip belongs; `what` identifies the landmarker."""
        face = subject.face
        key = digest(
            what, face.image.tobytes(), face.points.tobytes(), kind, subject.seed, self.seconds
        )
        return self.folder / f"{subject.name}-{kind}-{subject.seed}-{key}.npz"

    def record(self, subject: Subject, kind: str) -> Recording:
        """The tracker's measurements in a clip."""
        path = self.path(subject, kind, self.weights_content)
        if path.exists() and not self.fresh:
            return load(path)
        recording = record_clip(self.tracker, self.clip(subject, kind), subject.name)
        save(recording, path)
        return recording

    def video(self, path: Path) -> Recording:
        """The tracker's measurements at the start of a video."""
        key = digest(self.weights_content, path.name, path.stat().st_size, self.video_s)
        kept = self.folder / f"real-{path.stem}-{key}.npz"
        if kept.exists() and not self.fresh:
            return load(kept)
        with open_source(str(path)) as source:
            frames = islice(source, round(self.video_s * source.frame_rate))
            recording = record_video(self.tracker, frames, path.name)
        save(recording, kept)
        return recording


def videos_in(folder: Path | None) -> list[Path]:
    """Every video of a folder by name."""
    if folder is None:
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEOS)


def recordings_of(
    cache: RecordingCache, faces: Sequence[Subject], kinds: Sequence[str]
) -> Iterator[Recording]:
    """Every kind of clip of every face, with a progress bar."""
    wanted = [(subject, kind) for subject in faces for kind in kinds]
    for subject, kind in track(wanted, "clips"):
        yield cache.record(subject, kind)
