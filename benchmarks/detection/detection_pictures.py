"""What the detectors are shown: pictures whose faces are known and that no training saw.

`train.detector` keeps a tenth of the photographs and people, and a quarter of the pictures without
faces, from its detector; the scenes here are composed of those alone. They are collages, and say
more about size, roll and light than about photographs; for those see the `crowds`.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from tracker.types import Image
from train.detector.face_labels import (
    Labels,
    label_of_yunet,
    mirrored,
    no_labels,
    roll_of,
    similarity,
    transformed,
)
from train.detector.face_sources import EMPTY, HEADS, SCENES, Entry, entries, is_held_out
from train.detector.scene_parts import ComposedScene, paste, warped

WIDTH, HEIGHT = 1024, 768
PHOTOGRAPHS = "photographs, YuNet's faces"
"""The kind of `crowds`."""
_FACES = ("300w", "ytf68")
_FACES_A_SCENE = 14
_SIDES_PX = (14.0, 320.0)
_ROLLED_SIDES_PX = (40.0, 160.0)
_MASK_PX = 128
_SURE_SCORE, _SURE_SIDE_PX = 0.8, 12.0
_TURNED_RATIO = 0.6
"""Distance of the eyes over that from between them to the mouth; below it a head is turned far."""
_CLOSE_UP_PX = 640
SKIN_LUMA = (60, 110)
"""Borders between dark, middle and light rendered skin, in levels of 255."""


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture, its faces, and what it is there for."""

    image: Image
    labels: Labels
    kind: str
    """Row of the table, or its family where faces are grouped by size."""
    groups: tuple[str, ...] = ()
    """Further rows that the picture's faces count in."""


def held_out(data: Path, *sources: str) -> list[Entry]:
    """Entries of some sources that training never saw."""
    return [
        entry for source in sources for entry in entries(data, source) if is_held_out(entry.group)
    ]


def composed(
    data: Path, count: int, kind: str, *, roll_deg: float = 0.0, gain: float = 1.0
) -> Iterator[ShownPicture]:
    """Scenes 1,024 px wide of held-out faces on held-out backgrounds, the same every time.

    Args:
        data: The folder of the sources.
        count: Of scenes.
        kind: As in `ShownPicture`.
        roll_deg: Of all faces, give or take 10 degrees.
        gain: On the light: 1 leaves it; smaller ones darken, and add a sensor's noise.
    """
    rng = np.random.default_rng(12)
    faces, empty = held_out(data, *_FACES), held_out(data, EMPTY)
    sides = _ROLLED_SIDES_PX if roll_deg or gain < 1 else _SIDES_PX
    for _ in range(count):
        scene = ComposedScene(_background(empty[rng.integers(len(empty))], rng))
        for side in _sides(sides, rng):
            for _attempt in range(20):
                spot = rng.uniform((0, 0), (WIDTH, HEIGHT))
                if _fits(scene.labels, spot, side):
                    roll = roll_deg + rng.uniform(-10, 10)
                    _paste(scene, faces[rng.integers(len(faces))], (*spot, side), roll, rng)
                    break
        yield ShownPicture(_darkened(scene.image, gain, rng), scene.labels, kind)


def _sides(border_px: tuple[float, float], rng: np.random.Generator) -> list[float]:
    """Log-uniform, the largest first, which need the most room."""
    low, high = np.log(border_px)
    return sorted(map(float, np.exp(rng.uniform(low, high, _FACES_A_SCENE))), reverse=True)


def _background(entry: Entry, rng: np.random.Generator) -> Image:
    image = read_rgb(entry.path)
    scale = 1.05 * max(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    middle = (image.shape[1] / 2, image.shape[0] / 2)
    matrix = similarity(scale, 180.0 * rng.integers(2), middle, (WIDTH / 2, HEIGHT / 2))
    return warped(image, matrix, (WIDTH, HEIGHT), cv2.BORDER_REFLECT_101)


def _fits(labels: Labels, spot: Float[np.ndarray, " xy=2"], side: float) -> bool:
    inside = (spot > 0.55 * side).all() and (spot < np.array([WIDTH, HEIGHT]) - 0.55 * side).all()
    distance = np.hypot(labels[:, 0] - spot[0], labels[:, 1] - spot[1])
    return bool(inside and (distance > labels[:, 2] + side).all())


def _paste(
    scene: ComposedScene,
    entry: Entry,
    place: tuple[float, float, float],
    roll_deg: float,
    rng: np.random.Generator,
) -> None:
    """A face with some of its surroundings, in a soft disc or rectangle; roll as it was, and more.

    Labels of faces that stood upright in their photographs turn by `roll_deg`.
    """
    x, y, side = place
    image, label = read_rgb(entry.path), entry.labels[0]
    upright = roll_deg - roll_of(label)
    matrix = similarity(side / label[2], upright, (label[0], label[1]), (x, y))
    mask = np.zeros((_MASK_PX, _MASK_PX), np.uint8)
    middle, half = _MASK_PX // 2, round(_MASK_PX * rng.uniform(0.27, 0.4))
    if rng.random() < 0.5:
        cv2.circle(mask, (middle, middle), half, (255,), -1)
    else:
        mask[middle - half : middle + half, middle - half : middle + half] = 255
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), 3), np.uint8)
    paste(scene, image, matrix, soft, (x, y, side, roll_deg))
    scene.add(transformed(label[None], matrix), np.zeros((0, 3), np.float32))


def _darkened(image: Image, gain: float, rng: np.random.Generator) -> Image:
    """Less light on the same sensor: levels follow a gamma of 2.2, the noise stays."""
    if gain >= 1:
        return image
    light = (image / 255.0) ** 2.2 * gain
    levels = 255 * light ** (1 / 2.2) + rng.normal(0, 3, image.shape)
    return np.clip(levels, 0, 255).astype(np.uint8)


def rendered_heads(data: Path) -> Iterator[ShownPicture]:
    """Held-out heads of `free/heads`, by yaw and by the lightness of the rendered skin."""
    for entry in held_out(data, HEADS):
        image = read_rgb(entry.path)
        yaw = abs(entry.yaw_deg)
        start = 45 if 45 <= yaw < 60 else 60 if yaw >= 60 else 0
        row = {0: "heads, yaw under 45", 45: "heads, yaw 45-60", 60: "heads, yaw 60-70"}[start]
        skin = _skin(image, entry.labels[0])
        yield ShownPicture(image, entry.labels, row, (skin,))
        if not start:
            continue  # the others are few: they are shown in the mirror, too
        labels = mirrored(entry.labels, image.shape[1])
        yield ShownPicture(np.ascontiguousarray(image[:, ::-1]), labels, row, (skin,))


def _skin(image: Image, label: Float[np.ndarray, "9"]) -> str:
    """By the median lightness of the square's inner half."""
    x, y, half = label[0], label[1], label[2] / 4
    inner = image[int(y - half) : int(y + half), int(x - half) : int(x + half)]
    luma = float(np.median(cv2.cvtColor(np.ascontiguousarray(inner), cv2.COLOR_RGB2GRAY)))
    dark, light = SKIN_LUMA
    return f"heads, skin {'dark' if luma < dark else 'light' if luma >= light else 'middle'}"


def video_stills(data: Path, count: int) -> Iterator[ShownPicture]:
    """Held-out people of `ytf68`; the truth is a landmark network's, with some gross errors."""
    for entry in _some(held_out(data, "ytf68"), count):
        right, left, mouth = entry.labels[0, 3:].reshape(3, 2)
        ratio = np.linalg.norm(right - left) / np.linalg.norm(mouth - (right + left) / 2)
        row = "video stills, turned far" if ratio < _TURNED_RATIO else "video stills, others"
        yield ShownPicture(read_rgb(entry.path), entry.labels, row)


def _some(found: list[Entry], count: int) -> list[Entry]:
    """The same each time, in no order."""
    chosen = np.random.default_rng(3).permutation(len(found))[:count]
    return [found[index] for index in chosen]


def close_ups(data: Path, count: int) -> Iterator[ShownPicture]:
    """Held-out faces of 300W that their picture cuts: at the top, or on all sides."""
    for entry in _some(held_out(data, "300w"), count):
        image, (x, y, side) = read_rgb(entry.path), entry.labels[0, :3]
        # How much of the face's square the picture shows, and where its middle lies in it.
        for kind, shown, down in (
            ("close-ups, brows at the border", 1.5, -0.05),
            ("close-ups, 1.2 times the picture", 1 / 1.2, 0.0),
            ("close-ups, 1.4 times the picture", 1 / 1.4, 0.0),
        ):
            scale = _CLOSE_UP_PX / (shown * side)
            target_y = _CLOSE_UP_PX / 2 if not down else (0.5 + down) * scale * side
            matrix = similarity(scale, 0, (x, y), (_CLOSE_UP_PX / 2, target_y))
            size = (_CLOSE_UP_PX, _CLOSE_UP_PX)
            seen = warped(image, matrix, size, cv2.BORDER_CONSTANT)
            yield ShownPicture(seen, transformed(entry.labels, matrix), kind)


def crowds(data: Path) -> Iterator[ShownPicture]:
    """Held-out photographs of `scenes`; the truth is YuNet's, and so favours YuNet."""
    found: dict[str, list[list[float]]] = {}
    with (data / SCENES / "yunet.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            numbers = [float(row[name]) for name in list(row)[1:]]
            if numbers[14] >= _SURE_SCORE:
                found.setdefault(row["picture"], []).append(numbers)
    for entry in held_out(data, SCENES):
        rows = [label_of_yunet(np.array(row)) for row in found.get(entry.path.name, [])]
        rows = [row for row in rows if row[2] >= _SURE_SIDE_PX]
        labels = np.stack(rows) if rows else no_labels()
        yield ShownPicture(read_rgb(entry.path), labels, PHOTOGRAPHS)


def small_faces(cases: Path) -> Iterator[ShownPicture]:
    """The picture with sixteen faces of 20 to 110 px; their rolls are not known."""
    boxes = np.loadtxt(cases / "small_faces.csv", delimiter=",", skiprows=1)
    labels = np.full((len(boxes), 9), np.nan, np.float32)
    labels[:, :2] = (boxes[:, :2] + boxes[:, 2:]) / 2
    labels[:, 2] = (boxes[:, 2:] - boxes[:, :2]).max(1)
    yield ShownPicture(read_rgb(cases / "small_faces.jpg"), labels, "cases/small_faces.jpg")


def without_faces(data: Path) -> Iterator[ShownPicture]:
    """Held-out backgrounds as they are, twice as large, and each of both on its side."""
    for entry in held_out(data, EMPTY):
        image = read_rgb(entry.path)
        large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        for seen in (image, large):
            yield ShownPicture(seen, no_labels(), "without faces")
            turned = np.ascontiguousarray(np.rot90(seen))
            yield ShownPicture(turned, no_labels(), "without faces")


def read_rgb(path: Path) -> Image:
    """A stored picture.

    Raises:
        OSError: If it is none.
    """
    stored = cv2.imread(str(path))
    if stored is None:
        raise OSError(f"{path}: not a picture")
    return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)
