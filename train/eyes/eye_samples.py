"""Pictures of eyes with the truth about them: annotated, rendered, taught, and shut by a warp."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from rich.console import Console
from rich.progress import track

from tracker.analysis.eye_crop import EYE_PX, SIZE_PX, Corners, eye_crops_from_frame
from tracker.analysis.eye_reading import eye_corners
from tracker.crop import transform, warp_crop
from tracker.io.picture_reader import read_picture
from tracker.layouts import COFW_29, IBUG_68
from tracker.types import Image, Points
from train.datasets import Sample, hold_out, is_held_out, person_of, read_300w
from train.datasets.ibug import read_pts
from train.datasets.own import read_own
from train.drawn_eyes import draw_eyes
from train.rendered_heads import heads_folder, read_rendered_heads
from train.synthetic.eyelid import eyelids
from train.synthetic.face import PhotographedFace

from .eye_teacher import EyeTeacher

PATCH_PX, PATCH_SCALE = 96, 1.5
"""Patches are larger than crops and finer, so that training can shift and turn them."""
_LEAST_EYE_PX = 5.0
_PUPIL_BELOW = 0.6
"""Of an eye shut further than this the pupil is not asked for."""
_FARTHEST = 0.5
"""Pupils farther from the middle of the eye than this share of its width are errors."""
SOURCES = ("300w", "ytf68", "heads", "portraits", "utkface", "wild", "helen29")
FREE_SOURCES = ("heads", "portraits")
"""Those whose terms permit commercial use."""
_PUPILS = [16, 17]
"""Of the 29 landmarks: of the right eye and of the left."""
_DRAWN_IN_EACH = 2
_SCALED_ON = 300
"""Faces on which the teacher's measure of a blink is brought to ours."""
_IsHeldOut = Callable[[Sample], bool]
_BAR = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class EyeSamples:
    """Patches of eyes and the truth about them; the eyes of a face follow each other."""

    patches: UInt8[np.ndarray, "eyes patch patch rgb=3"]
    pupils: Float[np.ndarray, "eyes xy=2"]
    """Patch pixels; NaN where they are not known, or the eye is shut."""
    shut: Float[np.ndarray, " eyes"]
    """0 to 1; NaN where it is not known."""
    source: Int[np.ndarray, " eyes"]
    """Index into `SOURCES`."""
    held_out: Bool[np.ndarray, " eyes"]
    made: Bool[np.ndarray, " eyes"]
    """Shut by a warp."""

    def part(self, chosen: Bool[np.ndarray, " eyes"]) -> "EyeSamples":
        """Some of them."""
        return EyeSamples(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def of_sources(self, names: tuple[str, ...]) -> "EyeSamples":
        """Those from some sources."""
        return self.part(np.isin(self.source, [SOURCES.index(name) for name in names]))

    def save(self, path: Path) -> None:
        """As one file."""
        with path.open("wb") as stream:
            np.savez(stream, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote."""
        with np.load(path) as stored:
            return cls(*(stored[field.name] for field in fields(cls)))


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """One face before its eyes are cut out."""

    image: Image
    corners: Corners
    pupils: Float[np.ndarray, "eyes=2 xy=2"]
    shut: Float[np.ndarray, "eyes=2"]
    points: Points | None
    """68 landmarks, where they are known: then its eyes can be shut."""
    source: str
    held_out: bool


def patches_from_frame(corners: Corners) -> Float[np.ndarray, "eyes=2 3 3"]:
    """As `eye_crops_from_frame`, for patches."""
    finer = np.diag([PATCH_SCALE, PATCH_SCALE, 1.0])
    finer[:2, 2] = (PATCH_PX - 1) / 2 - PATCH_SCALE * (SIZE_PX - 1) / 2
    return np.asarray(finer @ eye_crops_from_frame(corners))


def gather(data: Path, teacher: EyeTeacher, seed: int = 0) -> EyeSamples:
    """All eyes of all sources that are there.

    Args:
        data: Holds `300w`, `ytf68`, `free` and `unlabelled`.
        teacher: Of what is not annotated.
        seed: Of the warps that shut eyes.

    Raises:
        DataError: If a source is damaged.
    """
    rng = np.random.default_rng(seed)
    gathered: list[tuple[Any, ...]] = []
    for face in _faces(data, teacher):
        gathered.extend(_eyes(face, made=False))
        if face.points is not None:
            gathered.extend(_eyes(_with_eyes_shut(face, rng), made=True))
    return EyeSamples(*(np.stack(column) for column in zip(*gathered, strict=True)))


def corners_of(points: Points) -> Corners:
    """Of 68 landmarks."""
    corners = eye_corners(points, IBUG_68)
    assert corners is not None
    return corners


def _eyes(face: _Face, *, made: bool, any_shut: bool = False) -> Iterator[tuple[Any, ...]]:
    width = np.linalg.norm(face.corners[:, 1] - face.corners[:, 0], axis=-1)
    if width.max() < _LEAST_EYE_PX:
        return
    for eye, matrix in enumerate(patches_from_frame(face.corners)):
        patch = warp_crop(face.image, matrix, PATCH_PX)
        pupil = transform(matrix, face.pupils[eye][None])[0]
        away = np.abs(pupil - (PATCH_PX - 1) / 2).max() / (EYE_PX * PATCH_SCALE)
        is_open = any_shut or face.shut[eye] <= _PUPIL_BELOW
        if away > _FARTHEST or not is_open:
            pupil = np.full(2, np.nan)
        yield (
            patch, pupil.astype(np.float32), np.float32(face.shut[eye]),
            np.int64(SOURCES.index(face.source)), np.bool_(face.held_out), np.bool_(made),
        )  # fmt: skip


def _with_eyes_shut(face: _Face, rng: np.random.Generator) -> _Face:
    """By the same amount both, wholly in half of all faces."""
    assert face.points is not None
    image, shut = face.image.copy(), face.shut.copy()
    amount = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.1, 1))
    limits = np.array([image.shape[1], image.shape[0]]) - 1
    closed = eyelids(PhotographedFace(image, face.points, IBUG_68))
    middles = face.corners.mean(1)
    shut[:] = np.nan
    for lid in closed:
        moved = lid.moves.any(-1)
        if moved.any() and (lid.corners >= 0).all() and (lid.corners <= limits).all():
            lid.apply_once(image, amount)
            eye = int(np.argmin(np.abs(middles - face.points[moved].mean(0)).sum(-1)))
            shut[eye] = face.shut[eye] + (1 - face.shut[eye]) * amount
    return _Face(image, face.corners, face.pupils, shut, face.points, face.source, face.held_out)


def _faces(data: Path, teacher: EyeTeacher) -> Iterator[_Face]:
    opened, closed = open_and_shut(data, teacher)
    yield from _rendered(data)
    for source, samples, is_out in annotated_faces(data):
        for sample in track(samples, source, console=_BAR):
            image = sample.read_image()
            taught = teacher(image)
            if taught is not None:
                shut = np.clip((taught.shut - opened) / (closed - opened), 0, 1)
                corners, points = corners_of(sample.points), sample.points
                known = points if source == "300w" else None  # a machine's are too coarse to warp
                yield _Face(image, corners, taught.pupils, shut, known, source, is_out(sample))
    for source, pictures in bare_pictures(data):
        for picture in track(pictures, source, console=_BAR):
            bgr = cv2.imread(str(picture), cv2.IMREAD_COLOR)
            taught = None if bgr is None else teacher(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
            if bgr is not None and taught is not None:
                rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
                out = is_held_out(person_of(picture))
                shut = np.clip((taught.shut - opened) / (closed - opened), 0, 1)
                yield _Face(rgb, taught.corners, taught.pupils, shut, None, source, out)


def annotated_faces(data: Path) -> Iterator[tuple[str, list[Sample], _IsHeldOut]]:
    """By source, the faces with landmarks and which of them are never trained on."""
    marked = {path.stem for path in (data / "helen29").glob("*.pts")}
    training, held = hold_out(read_300w(data / "300w"))
    out = {sample.name for sample in held}
    clean = [s for s in (*training, *held) if s.image_path.stem not in marked]
    yield "300w", clean, lambda sample: sample.name in out
    if (data / "ytf68").is_dir():
        samples = read_own(data / "ytf68").splits["train"]
        yield "ytf68", samples, lambda sample: is_held_out(person_of(sample.image_path))


def bare_pictures(data: Path) -> Iterator[tuple[str, list[Path]]]:
    """By source, the pictures without annotation."""
    places = {"portraits": "free/portraits", "utkface": "unlabelled/utkface",
              "wild": "unlabelled/wild"}  # fmt: skip
    for source, place in places.items():
        yield source, sorted((data / place).glob("*.jpg"))


def _rendered(data: Path) -> Iterator[_Face]:
    """Rendered heads: how far their eyes are shut is known; where irises are drawn, the pupils."""
    folder = heads_folder(data)
    if not folder.is_dir():
        return
    heads, rng = read_rendered_heads(folder / "landmarks.csv"), np.random.default_rng(1)
    sides = [heads.names.index(name) for name in ("eyeBlinkRight", "eyeBlinkLeft")]
    for head in track(range(len(heads)), "heads", console=_BAR):
        image, points = read_picture(folder / heads.pictures[head]), heads.points[head]
        out = bool(heads.is_held_out[head]) or is_held_out(Path(heads.pictures[head]).stem)
        known = corners_of(points[: IBUG_68.count]), np.full((2, 2), np.nan)
        shut = heads.coefficients[head, sides]
        yield _Face(image, *known, shut, points[: IBUG_68.count], "heads", out)
        for _ in range(_DRAWN_IN_EACH):
            drawn = draw_eyes(image, heads, head, rng)
            if any(drawn.is_drawn):
                yield _Face(drawn.image, known[0], drawn.pupils, shut, None, "heads", out)


def open_and_shut(data: Path, teacher: EyeTeacher) -> tuple[float, float]:
    """What the teacher says of annotated eyes as they are, and of the same eyes shut by a warp."""
    (_, samples, is_out), *_ = annotated_faces(data)
    said: list[list[float]] = [[], []]
    for sample in track([s for s in samples if not is_out(s)][:_SCALED_ON], "scale", console=_BAR):
        image = sample.read_image()
        shut = image.copy()
        lids = eyelids(PhotographedFace(shut, sample.points, IBUG_68))
        for lid in lids:
            lid.apply_once(shut, 1.0)
        for seen, of in ((image, said[0]), (shut, said[1])):
            taught = teacher(seen) if len(lids) == 2 else None
            of.extend([] if taught is None else taught.shut)
    return float(np.median(said[0])), float(np.median(said[1]))


def marked_by_people(data: Path) -> EyeSamples:
    """The pupils of `helen29`, never trained on; empty where that is not there."""
    faces = []
    for path in sorted((data / "helen29").glob("*.pts")):
        image = cv2.imread(str(path.with_suffix(".jpg")), cv2.IMREAD_COLOR)
        if image is not None:
            points = read_pts(path, COFW_29)
            rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
            corners, none = eye_corners(points, COFW_29), np.full(2, np.nan)
            assert corners is not None
            faces.append(_Face(rgb, corners, points[_PUPILS], none, None, "helen29", True))
    rows = [row for face in faces for row in _eyes(face, made=False, any_shut=True)]
    if not rows:
        empty = np.zeros(0, bool)
        patches = np.zeros((0, PATCH_PX, PATCH_PX, 3), np.uint8)
        return EyeSamples(patches, np.zeros((0, 2)), np.zeros(0), empty.astype(int), empty, empty)
    return EyeSamples(*(np.stack(column) for column in zip(*rows, strict=True)))
