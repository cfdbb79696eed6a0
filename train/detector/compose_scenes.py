"""Composes the pictures that the detector is trained on, with the truth about every face.

Five kinds: faces pasted among decoys on a background, a mosaic of whole pictures, one picture that
fills the scene (close-ups among them), a photograph with many faces, and pictures without a face.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Float

from tracker.types import Image

from .face_labels import Labels, mirrored, moved_regions, no_labels, similarity, transformed
from .face_sources import EMPTY, HEADS, SCENES
from .picture_bank import PictureBank
from .scene_decoys import drawn_patch, shuffled
from .scene_light import degraded, tinted
from .scene_parts import ComposedScene, Patch, cover, paste, place, random_mask, warped

_BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)
_SOURCES = {
    "300w": 0.26, "ytf68": 0.18, HEADS: 0.16, "unlabelled/utkface": 0.1, "unlabelled/wild": 0.16,
    "free/portraits": 0.1, "helen29": 0.04,
}  # fmt: skip
_KINDS = {"pasted": 0.28, "mosaic": 0.17, "whole": 0.2, "photograph": 0.27, "empty": 0.08}
_COVERED = (0.7, 0.22, 0.08)
"""Share of the faces with nothing, one thing and two in front."""
_TURNED_DEG, _TURNED_TIMES = 45.0, 4
"""Rendered heads turned further than this are drawn so many times as often: they are rare."""
SMALLEST_PX = 9.0
"""Smaller faces are ignored."""
_LEAST_SEEN = 0.5
"""Share of the square inside the picture below which a face is ignored."""


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """What is composed; the defaults are the training's."""

    held_out: bool = False
    """From the pictures that training never sees."""
    roll_deg: float | None = None
    """All faces of pasted scenes at this roll, give or take 10 degrees."""
    degrade: bool = True


class SceneComposer:
    """Makes scenes out of a bank."""

    def __init__(self, bank: PictureBank, options: SceneOptions | None = None) -> None:
        self._bank, self._options = bank, options or SceneOptions()
        held_out = self._options.held_out
        self._faces = {source: bank.of(source, held_out=held_out) for source in _SOURCES}
        self._faces = {source: found for source, found in self._faces.items() if found}
        for found in self._faces.values():
            turned = [index for index in found if abs(bank.yaw_deg[index]) > _TURNED_DEG]
            found.extend(turned * (_TURNED_TIMES - 1))
        self._scenes = bank.of(SCENES, held_out=held_out)
        self._empty = bank.of(EMPTY, held_out=held_out)
        shares = np.array([_SOURCES[source] for source in self._faces])
        self._shares = shares / shares.sum()

    def __call__(
        self, size_px: int, rng: np.random.Generator, kind: str | None = None
    ) -> tuple[Image, Labels, Float[np.ndarray, "regions 3"]]:
        """A square scene, its faces, and the squares that are neither face nor background."""
        kind = kind or str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
        scene = ComposedScene(np.zeros((size_px, size_px, 3), np.uint8))
        make = {
            "pasted": self._pasted, "mosaic": self._mosaic, "whole": self._whole,
            "photograph": self._photographs, "empty": self._background,
        }[kind]  # fmt: skip
        make(scene, rng)
        if kind == "empty":
            self._decoys(scene, rng, int(rng.integers(10)))
        for label in scene.labels:
            for _ in range(int(rng.choice(3, p=_COVERED))):
                cover(scene, label, rng)
        image = degraded(scene.image, rng) if self._options.degrade else scene.image
        labels, ignored = sorted_out(scene, size_px)
        return np.ascontiguousarray(image), labels, ignored

    def _roll(self, rng: np.random.Generator) -> float:
        """Mostly upright, often on its side or upside down, sometimes anything."""
        if self._options.roll_deg is not None:
            return self._options.roll_deg + float(rng.uniform(-10, 10))
        kind = rng.random()
        if kind < 0.4:
            return float(rng.normal(0, 14))
        if kind < 0.8:
            return float(rng.uniform(-180, 180))
        return float(rng.choice([-90, 90, 180]) + rng.normal(0, 10))

    def _face(self, rng: np.random.Generator) -> Patch:
        """A picture with a first face, mirrored every other time."""
        while True:
            source = str(rng.choice(list(self._faces), p=self._shares))
            picture = self._bank[int(rng.choice(self._faces[source]))]
            if len(picture.labels):
                break
        return _maybe_mirrored(
            Patch(picture.image, picture.labels, picture.ignored), rng.random() < 0.5
        )

    def _background(self, scene: ComposedScene, rng: np.random.Generator) -> None:
        """Part of a picture without faces, at any scale and turn; now and then hardly anything."""
        size = scene.image.shape[0]
        if rng.random() < 0.12 or not self._empty:
            coarse = rng.integers(0, 256, (*rng.integers(1, 6, 2), 3)).astype(np.uint8)
            scene.image = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
            return
        image = self._bank[int(rng.choice(self._empty))].image
        image = image[:, ::-1] if rng.random() < 0.5 else image
        height, width = image.shape[:2]
        scale = size / min(height, width) * np.exp(rng.uniform(np.log(0.5), np.log(2.2)))
        roll = float(rng.choice([0, 0, 90, 180, 270]) + rng.normal(0, 10))
        source = (float(rng.uniform(0.25, 0.75) * width), float(rng.uniform(0.25, 0.75) * height))
        matrix = similarity(scale, roll, source, (size / 2, size / 2))
        # Without a face a reflected border invents none.
        scene.image = warped(tinted(image, rng), matrix, (size, size), cv2.BORDER_REFLECT_101)

    def _pasted(self, scene: ComposedScene, rng: np.random.Generator) -> None:
        size = scene.image.shape[0]
        self._background(scene, rng)
        self._decoys(scene, rng, int(rng.integers(10)))
        count = 1 + int(min(rng.geometric(0.22), 14))
        largest = rng.uniform(np.log(30), np.log(1.1 * size))
        sides = np.exp(rng.uniform(np.log(8), largest, count))
        for side in sorted(sides, reverse=True):
            for _ in range(6):
                spot = rng.uniform(-0.05, 1.05, 2) * size
                if self._free(scene.labels, spot, side):
                    self._paste_face(scene, spot, side, rng)
                    break

    @staticmethod
    def _free(labels: Labels, spot: Float[np.ndarray, " xy=2"], side: float) -> bool:
        distance = np.hypot(labels[:, 0] - spot[0], labels[:, 1] - spot[1])
        return bool((distance > 0.6 * labels[:, 2] + 0.7 * side).all())

    def _paste_face(
        self,
        scene: ComposedScene,
        spot: Float[np.ndarray, " xy=2"],
        side: float,
        rng: np.random.Generator,
    ) -> None:
        patch, roll = self._face(rng), self._roll(rng)
        x, y, own_side = patch.labels[0, :3]
        matrix = similarity(side / own_side, roll, (x, y), (spot[0], spot[1]))
        image = tinted(patch.image, rng)
        paste(scene, image, matrix, random_mask(rng), (spot[0], spot[1], side, roll))
        # Further faces of the picture may show through the mask, whole or in part.
        others = moved_regions(np.concatenate([patch.labels[1:, :3], patch.ignored]), matrix)
        near = np.abs(others[:, :2] - spot).max(1) < 2.5 * side if len(others) else []
        scene.add(transformed(patch.labels[:1], matrix), others[near])

    def _decoys(self, scene: ComposedScene, rng: np.random.Generator, count: int) -> None:
        """What has the borders of a pasted face and is none."""
        size = scene.image.shape[0]
        for _ in range(count):
            side = float(np.exp(rng.uniform(np.log(8), np.log(0.35 * size))))
            spot = rng.uniform(0, 1, 2) * size
            roll = self._roll(rng)
            image = self._decoy(rng)
            height, width = image.shape[:2]
            scale = side / min(height, width) * float(rng.uniform(1, 3))
            matrix = similarity(scale, roll, (width / 2, height / 2), (spot[0], spot[1]))
            paste(scene, image, matrix, random_mask(rng), (spot[0], spot[1], side, roll))

    def _decoy(self, rng: np.random.Generator) -> Image:
        """Part of a background, a drawn patch, or a face whose parts change places."""
        kind = rng.random()
        if kind < 0.35 and self._empty:
            return tinted(self._bank[int(rng.choice(self._empty))].image, rng)
        if kind < 0.65:
            patch = self._face(rng)
            return tinted(shuffled(patch.image, patch.labels[0], rng), rng)
        return drawn_patch(rng)

    def _mosaic(self, scene: ComposedScene, rng: np.random.Generator) -> None:
        """Pictures side by side with hard borders, with and without a face."""
        across = int(rng.choice([2, 2, 3, 3, 4, 5, 6, 8]))
        self._in_cells(scene, across, self._fill_cell, rng)

    @staticmethod
    def _in_cells(
        scene: ComposedScene,
        across: int,
        fill: Callable[[ComposedScene, np.random.Generator], None],
        rng: np.random.Generator,
    ) -> None:
        """Fill a grid of smaller scenes."""
        size = scene.image.shape[0]
        edges = np.linspace(0, size, across + 1).round().astype(int)
        for y0, y1 in pairwise(edges):
            for x0, x1 in pairwise(edges):
                cell = ComposedScene(np.zeros((y1 - y0, x1 - x0, 3), np.uint8))
                fill(cell, rng)
                scene.image[y0:y1, x0:x1] = cell.image
                labels, ignored = sorted_out(cell, x1 - x0)
                shift = similarity(1, 0, (0, 0), (int(x0), int(y0)))
                scene.add(transformed(labels, shift), moved_regions(ignored, shift))

    def _fill_cell(self, cell: ComposedScene, rng: np.random.Generator) -> None:
        height, width = cell.image.shape[:2]
        if rng.random() < 0.3:
            image = self._decoy(rng)
            source = (image.shape[1] / 2, image.shape[0] / 2)
            scale = 2 * width / min(image.shape[:2])
            matrix = similarity(scale, self._roll(rng), source, (width / 2, height / 2))
            cell.image = warped(image, matrix, (width, height), cv2.BORDER_REFLECT_101)
            return
        patch, spot = self._face(rng), rng.uniform(0.3, 0.7, 2) * (width, height)
        side = width * float(np.exp(rng.uniform(np.log(0.3), np.log(1.35))))
        x, y, own_side = patch.labels[0, :3]
        matrix = similarity(side / own_side, self._roll(rng), (x, y), (spot[0], spot[1]))
        tinted_patch = Patch(tinted(patch.image, rng, 0.7), patch.labels, patch.ignored)
        place(cell, tinted_patch, matrix, int(rng.choice(_BORDERS)))

    def _whole(self, scene: ComposedScene, rng: np.random.Generator) -> None:
        """One picture with its own surroundings, from far away to larger than the scene."""
        size, patch = scene.image.shape[0], self._face(rng)
        x, y, own_side = patch.labels[0, :3]
        side = float(np.exp(rng.uniform(np.log(0.2 * size), np.log(1.5 * size))))
        middle = rng.normal(0.5, 0.2, 2) * size
        matrix = similarity(side / own_side, self._roll(rng), (x, y), (middle[0], middle[1]))
        place(scene, patch, matrix, int(rng.choice(_BORDERS)))

    def _photographs(self, scene: ComposedScene, rng: np.random.Generator) -> None:
        """Part of a photograph with all its faces, or of four that are smaller."""
        if not self._scenes:
            self._pasted(scene, rng)
        elif rng.random() < 0.6:
            self._photograph(scene, rng)
        else:
            self._in_cells(scene, 2, self._photograph, rng)

    def _photograph(self, scene: ComposedScene, rng: np.random.Generator) -> None:
        size, picture = scene.image.shape[0], self._bank[int(rng.choice(self._scenes))]
        patch = _maybe_mirrored(
            Patch(picture.image, picture.labels, picture.ignored), rng.random() < 0.5
        )
        height, width = patch.image.shape[:2]
        if len(patch.labels):
            x, y, side = patch.labels[rng.integers(len(patch.labels)), :3]
            wanted = np.exp(rng.uniform(np.log(11), np.log(180)))
            scale = float(np.clip(wanted / side, 0.6 * size / max(width, height), 4))
        else:
            x, y, scale = width / 2, height / 2, size / max(width, height)
        middle = rng.uniform(0.2, 0.8, 2) * size
        matrix = similarity(scale, self._roll(rng), (x, y), (middle[0], middle[1]))
        place(scene, patch, matrix, int(rng.choice(_BORDERS)))


def _maybe_mirrored(patch: Patch, flip: bool) -> Patch:
    if not flip:
        return patch
    width = patch.image.shape[1]
    ignored = patch.ignored.copy()
    ignored[:, 0] = width - 1 - ignored[:, 0]
    image = np.asarray(cv2.flip(patch.image, 1), np.uint8)  # much faster than a reversed copy
    return Patch(image, mirrored(patch.labels, width), ignored)


def sorted_out(scene: ComposedScene, size_px: int) -> tuple[Labels, Float[np.ndarray, "regions 3"]]:
    """Faces that count, and all that is neither face nor background: too small, too far outside."""
    labels = scene.labels
    if not len(labels):
        return no_labels(), scene.ignored
    low = np.clip(labels[:, :2] - labels[:, 2:3] / 2, 0, size_px)
    high = np.clip(labels[:, :2] + labels[:, 2:3] / 2, 0, size_px)
    seen = (high - low).clip(0).prod(1) / labels[:, 2] ** 2
    center_inside = ((labels[:, :2] >= 0) & (labels[:, :2] <= size_px - 1)).all(1)
    touches = seen > 0.02
    counts = (labels[:, 2] >= SMALLEST_PX) & (
        (seen >= _LEAST_SEEN) | ((labels[:, 2] > size_px) & (seen > 0.3))
    )
    counts &= center_inside
    return labels[counts], np.concatenate([scene.ignored, labels[touches & ~counts, :3]])
