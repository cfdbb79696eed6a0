"""Pictures of faces with what they express: rendered, rendered and moved, and taught."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from rich.console import Console
from rich.progress import track

from tracker.analysis.expression_crop import (
    ALIGNED_BY,
    FACE_CROP_PX,
    crop_camera_from_frame,
    face_crop_from_frame,
)
from tracker.analysis.head_fit import first_fit
from tracker.analysis.linear_face import load_linear_face
from tracker.analysis.pinhole import PinholeCamera
from tracker.analysis.settled_identity import shape_prior, unknown_identity
from tracker.crop import warp_crop
from tracker.io.picture_reader import read_picture
from tracker.types import Image, LandmarkEstimate, Points
from train.datasets import is_held_out, person_of
from train.eyes.eye_samples import annotated_faces, bare_pictures, open_and_shut
from train.eyes.eye_teacher import EyeTeacher, FaceTeacher
from train.rendered_heads import RenderedHeads, heads_folder, read_rendered_heads

from .moved_faces import MovedHead, moved_head

PATCH_PX, PATCH_SCALE = 128, 1.5
"""Patches are larger than crops and finer, so that training can shift and turn them."""
SOURCES = ("heads", "heads, moved", "300w", "ytf68", "portraits", "utkface", "wild")
FREE_SOURCES = ("heads", "heads, moved")
"""Those whose terms permit commercial use, and whose truth no teacher of undisclosed data said."""
_NOT_TAUGHT = ("PupilDilate", "eyeLook", "cheekRaiser")
"""Rendered eyes are white; the last is none of ARKit's."""
_BOTH_SIDES = ("browInnerUp", "cheekPuff")
"""One coefficient of ARKit's for both halves of a face."""
_MESH_OF_POINTS = (33, 133, 362, 263, 2, 61, 291)
"""The mesh's vertices for `ALIGNED_BY`."""
_MOVED_FROM_EACH = 4
_SET_ASIDE_OF = 10
"""One head in so many, none of those held out."""
_MOST_OF_A_SOURCE = 1500
"""Pictures that are taught; of more, one in so many."""
_LANDMARK_SPREAD = 0.015
"""Of annotated landmarks, in distances of the outer eye corners."""
_BAR = Console(stderr=True)
_Picture = TypeVar("_Picture")


@dataclass(frozen=True, slots=True)
class ExpressionSamples:
    """Patches of faces and the truth about them."""

    patches: UInt8[np.ndarray, "faces patch patch rgb=3"]
    coefficients: Float[np.ndarray, "faces coefficients"]
    """In the order of `coefficient_names`; NaN where they are not known."""
    rotations: Float[np.ndarray, "faces 3 3"]
    """From the head's frame to that of a camera that looks at the patch; NaN where not known."""
    source: Int[np.ndarray, " faces"]
    """Index into `SOURCES`."""
    held_out: Bool[np.ndarray, " faces"]
    set_aside: Bool[np.ndarray, " faces"]
    """Rendered heads that say by how much the network's deviations must be widened."""

    @property
    def is_trained_on(self) -> Bool[np.ndarray, " faces"]:
        return ~self.held_out & ~self.set_aside

    def __len__(self) -> int:
        return len(self.patches)

    def part(self, chosen: Bool[np.ndarray, " faces"]) -> "ExpressionSamples":
        """Some of them."""
        return ExpressionSamples(*(getattr(self, one.name)[chosen] for one in fields(self)))

    def of_sources(self, names: tuple[str, ...]) -> "ExpressionSamples":
        """Those from some sources."""
        return self.part(np.isin(self.source, [SOURCES.index(name) for name in names]))

    def save(self, path: Path) -> None:
        """As one file."""
        with path.open("wb") as stream:
            np.savez(stream, **{one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote."""
        with np.load(path) as stored:
            return cls(*(stored[one.name] for one in fields(cls)))


def coefficient_names(data: Path) -> tuple[str, ...]:
    """What the network says: ARKit's names that rendered heads know, `browInnerUp` in one."""
    names = read_rendered_heads(heads_folder(data) / "landmarks.csv").names
    both = [f"{name}{side}" for name in _BOTH_SIDES for side in ("Left", "Right")]
    known = [n for n in names if not n.startswith(_NOT_TAUGHT) and n not in both]
    return (*known, *_BOTH_SIDES)


def rendered_truth(heads: RenderedHeads, names: tuple[str, ...]) -> np.ndarray:
    """The heads' coefficients, (heads, names)."""
    columns = [
        [i for i, known in enumerate(heads.names) if known == name or known[:-4] == name
         or known[:-5] == name]
        for name in names
    ]  # fmt: skip
    return np.stack([heads.coefficients[:, column].mean(1) for column in columns], 1)


def patch_from_frame(points: Float[np.ndarray, "points=7 xy=2"]) -> Float[np.ndarray, "3 3"]:
    """As `face_crop_from_frame`, for patches."""
    finer = np.diag([PATCH_SCALE, PATCH_SCALE, 1.0])
    finer[:2, 2] = (PATCH_PX - 1) / 2 - PATCH_SCALE * (FACE_CROP_PX - 1) / 2
    return np.asarray(finer @ face_crop_from_frame(points))


def gather(data: Path, mesh: Path | None, seed: int = 0) -> ExpressionSamples:
    """All faces of all sources that are there.

    Args:
        data: Holds `free`, and `300w`, `ytf68` and `unlabelled` where there are.
        mesh: `face_landmarker.task`, the teacher of photographs; None leaves them out.
        seed: Of how rendered heads are moved.

    Raises:
        DataError: If a source is damaged.
    """
    rows = list(_rendered(data, np.random.default_rng(seed)))
    if mesh is not None:
        rows += list(_taught(data, mesh))
    return ExpressionSamples(*(np.stack(column) for column in zip(*rows, strict=True)))


_Turned = tuple[np.ndarray, PinholeCamera]
"""How a head is turned, and the camera of the picture."""


def _row(
    image: Image, aligned: np.ndarray, truth: np.ndarray, turned: _Turned | None, source: str
) -> tuple[Any, ...]:
    """All but whether it is held out."""
    patch = warp_crop(image, patch_from_frame(aligned), PATCH_PX)
    seen = np.full((3, 3), np.nan)
    if turned is not None:
        rotation, camera = turned
        seen = crop_camera_from_frame(face_crop_from_frame(aligned), camera) @ rotation
    place = np.int64(SOURCES.index(source))
    return patch, truth.astype(np.float32), seen.astype(np.float32), place


def _rendered(data: Path, rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    folder, names, linear = heads_folder(data), coefficient_names(data), load_linear_face()
    heads = read_rendered_heads(folder / "landmarks.csv")
    truth = rendered_truth(heads, names)
    for head in track(range(len(heads)), "heads", console=_BAR):
        image = read_picture(folder / heads.pictures[head])
        camera = PinholeCamera(float(heads.focal_px[head]), (heads.center_px, heads.center_px))
        known = heads.rotations[head], camera
        aligned = heads.points[head, list(ALIGNED_BY)]
        out, aside = np.bool_(heads.is_held_out[head]), np.bool_(head % _SET_ASIDE_OF == 1)
        yield *_row(image, aligned, truth[head], known, "heads"), out, aside
        for _ in range(0 if out or aside else _MOVED_FROM_EACH):
            moved: MovedHead = moved_head(image, heads, head, linear, rng)
            aligned = moved.points[list(ALIGNED_BY)]
            after = np.clip(truth[head] + moved.added(names), 0, 1)
            row = _row(moved.image, aligned, after, known, "heads, moved")
            yield *row, np.bool_(False), np.bool_(False)


def _taught(data: Path, mesh: Path) -> Iterator[tuple[Any, ...]]:
    teacher, names = FaceTeacher(mesh), coefficient_names(data)
    scale = open_and_shut(data, EyeTeacher(mesh))
    for source, samples, is_out in annotated_faces(data):
        for sample in track(_some(samples), source, console=_BAR):
            image = sample.read_image()
            taught = teacher(image)
            if taught is not None:
                truth = _taught_truth(taught.coefficients, names, scale)
                aligned = sample.points[list(ALIGNED_BY)]
                row = _row(image, aligned, truth, _turned(image, sample.points), source)
                yield *row, np.bool_(is_out(sample)), np.bool_(False)
    for source, pictures in bare_pictures(data):
        for picture in track(_some(pictures), source, console=_BAR):
            image = read_picture(picture)
            taught = teacher(image)
            if taught is not None:
                truth = _taught_truth(taught.coefficients, names, scale)
                aligned, out = taught.mesh[list(_MESH_OF_POINTS)], is_held_out(person_of(picture))
                row = _row(image, aligned, truth, None, source)
                yield *row, np.bool_(out), np.bool_(False)


def _some(pictures: list[_Picture]) -> list[_Picture]:
    return pictures[:: -(-len(pictures) // _MOST_OF_A_SOURCE) or 1]


def _taught_truth(
    said: dict[str, float], names: tuple[str, ...], scale: tuple[float, float]
) -> np.ndarray:
    """The teacher's coefficients; how far eyes are shut from what it says of open and shut ones."""
    opened, closed = scale
    truth = np.array([said.get(name, np.nan) for name in names])
    blinks = [i for i, name in enumerate(names) if name.startswith("eyeBlink")]
    truth[blinks] = np.clip((truth[blinks] - opened) / (closed - opened), 0, 1)
    return truth


def _turned(image: Image, points: Points) -> _Turned:
    """How the head is turned by the linear face fitted to annotated landmarks, and the camera."""
    face, (height, width) = load_linear_face(), image.shape[:2]
    camera = PinholeCamera.of_size(width, height)
    spread = (_LANDMARK_SPREAD * float(np.linalg.norm(points[45] - points[36]))) ** 2 + 1e-3
    seen = LandmarkEstimate(points, np.tile(spread * np.eye(2), (len(points), 1, 1)))
    fit = first_fit(face, seen, camera, shape_prior(face, unknown_identity(face)))
    return fit.rotation, camera
