"""What heads are fitted to: right and wrong crops of annotated faces, as a network reads them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track

from tracker.types import Image

from .datasets import Sample, hold_out, open_data_set
from .datasets.own import read_own
from .datasets.person import is_held_out, person_of
from .head_samples import HeadReader, HeadSamples, views_of_face, views_without_face

_DIAGONAL = 2.25
_EMPTY_VIEWS = 6
_MOST_HEADS = 900
_FACES_AT_ONCE = 8
_BAR = Console(stderr=True)

LabelledFace = tuple[Sample, str, bool]
"""A face, whose it is where that is known, and whether it is held out."""


def gather(
    data: Path, reader: HeadReader, *, held_out_only: bool = False, most: int | None = None
) -> HeadSamples:
    """Right and wrong crops of annotated faces, and crops of pictures without one.

    Args:
        data: The folder that holds `300w`, `ytf68`, `free/heads` and `backgrounds`; of the last
            three those that are there.
        reader: Of the network.
        held_out_only: Leave out what heads are fitted to.
        most: So many of the faces, drawn at random; all unless stated.

    Raises:
        DataError: If the annotated faces are not there.
    """
    rng = np.random.default_rng(0)
    faces = [face for face in _faces(data) if face[2] or not held_out_only]
    order = rng.permutation(len(faces))[:most]

    def donor() -> Image:
        return faces[int(rng.integers(len(faces)))][0].read_image()

    rows: list[HeadSamples] = []
    groups = np.array_split(order, -(-len(order) // _FACES_AT_ONCE))
    for group in track(groups, "faces", console=_BAR):
        rows.append(_faces_read([faces[index] for index in group], reader, donor, rng))
    for path in sorted((data / "backgrounds").glob("*.jpg")):
        if held_out_only and not is_held_out(path.stem):
            continue
        image = Sample(path, np.zeros((0, 2))).read_image()
        views = views_without_face(image, _EMPTY_VIEWS, rng)
        _, pooled, maps = reader([(image, view) for view in views])
        error, held = np.full(len(maps), np.inf), np.full(len(maps), is_held_out(path.stem))
        none = np.zeros(len(maps), bool)
        rows.append(_in_half(HeadSamples(pooled, maps, error, [""] * len(maps), held, none)))
    return HeadSamples(
        np.concatenate([row.pooled for row in rows]),
        np.concatenate([row.maps for row in rows]),
        np.concatenate([row.error for row in rows]),
        [name for row in rows for name in row.person],
        np.concatenate([row.held_out for row in rows]),
        np.concatenate([row.is_usual for row in rows]),
    )


def _faces_read(
    faces: Sequence[LabelledFace],
    reader: HeadReader,
    donor: Callable[[], Image],
    rng: np.random.Generator,
) -> HeadSamples:
    """Two right crops and a wrong one of each face."""
    pictures = [sample.read_image() for sample, _, _ in faces]
    views = [views_of_face(sample, donor, rng) for sample, _, _ in faces]
    each = len(views[0])
    seen = [(p, view) for p, of_face in zip(pictures, views, strict=True) for view in of_face]
    points, pooled, maps = reader(seen)
    truth = np.repeat([sample.points for sample, _, _ in faces], each, axis=0)
    units = np.repeat([unit_of(sample.points) for sample, _, _ in faces], each)
    return _in_half(
        HeadSamples(
            pooled,
            maps,
            np.linalg.norm(points - truth, axis=-1).mean(1) / units,
            [name for _, person, _ in faces for name in (person, person, "")],
            np.repeat([held for _, _, held in faces], each),
            np.tile([True, True, False], len(faces)),
        )
    )


def _faces(data: Path) -> Iterator[LabelledFace]:
    """Annotated faces, whose each is where that is known, and whether it is held out."""
    training, held_out = hold_out(open_data_set(data / "300w").split("train"))
    yield from ((sample, "", False) for sample in training)
    yield from ((sample, "", True) for sample in held_out)
    if (data / "ytf68").is_dir():
        for sample in read_own(data / "ytf68").splits["train"]:
            person = person_of(sample.image_path)
            yield sample, person, is_held_out(person)
    if (data / "free/heads").is_dir():
        heads = read_own(data / "free/heads").splits["train"]
        for index in np.random.default_rng(5).permutation(len(heads))[:_MOST_HEADS]:
            yield heads[index], "", is_held_out(heads[index].image_path.stem)


def unit_of(points: Float[np.ndarray, "68 xy=2"]) -> float:
    """What errors are measured in: the outer eye distance, as it is when the head faces the camera.

    Eyes of a turned head come close to each other, and no error is larger for that: there it is the
    diagonal of the landmarks' box over 2.25, the eye distance of the median frontal face of 300W.
    """
    eyes = float(np.linalg.norm(points[36] - points[45]))
    diagonal = float(np.linalg.norm(points.max(0) - points.min(0)))
    return max(eyes, diagonal / _DIAGONAL, 1e-6)


def _in_half(samples: HeadSamples) -> HeadSamples:
    """In half precision: there are many."""
    pooled, maps = samples.pooled.astype(np.float16), samples.maps.astype(np.float16)
    return replace(samples, pooled=pooled, maps=maps)


def save_samples(path: Path, samples: HeadSamples) -> None:
    """Keep what was read, to fit again."""
    np.savez(
        path, pooled=samples.pooled, maps=samples.maps, error=samples.error,
        person=np.array(samples.person), held=samples.held_out, usual=samples.is_usual,
    )  # fmt: skip


def load_samples(path: Path) -> HeadSamples:
    """What `save_samples` wrote."""
    with np.load(path) as kept:
        person = [str(name) for name in kept["person"]]
        read = kept["pooled"], kept["maps"], kept["error"]
        return HeadSamples(*read, person, kept["held"], kept["usual"])
