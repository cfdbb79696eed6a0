"""Draws people who move over a background; who is where in every frame is known exactly."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from tracker.types import Image, Points

from .identity_scores import SeenFrame
from .people import Person, View

RATE = 25.0
SIZE = (640, 360)
"""Width and height, pixels."""
_HOLD_FRAMES, _FADE_FRAMES = 25, 6
"""Frames that a still stays, and of those the last that fade to the next one."""
_VISIBLE, _HIDDEN = 0.8, 0.3
"""Share of a face that must be seen for it to count, and below which it is not there."""
_CUT_OUT = 1.9
"""Height of the cut-out head over that of the landmarks' box."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a face is: centre and longer side of its landmarks' box, pixels."""

    x: float
    y: float
    side: float


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A person and the way it goes; None while it is away. Later actors stand in front."""

    person: Person
    at: Callable[[float], Place | None]


@dataclass(frozen=True, slots=True, eq=False)
class StagedShot:
    """Actors before a background, for some seconds."""

    background: Image
    actors: list[Actor]
    seconds: float
    pan_px_s: float = 0.0
    """How fast the background moves to the left."""


@dataclass(frozen=True, slots=True, eq=False)
class StagedFrame:
    """A drawn frame and its truth."""

    image: Image
    truth: SeenFrame
    unsure: Float[np.ndarray, "faces edges=4"]
    """Boxes of half covered faces: finding them is neither right nor wrong."""


def drawn(shots: list[StagedShot], seed: int = 0) -> Iterator[StagedFrame]:
    """All frames of a scene; shots follow each other with a cut."""
    rng = np.random.default_rng(seed)
    ids = {
        name: i for i, name in enumerate(sorted({a.person.name for s in shots for a in s.actors}))
    }
    for shot in shots:
        for index in range(round(shot.seconds * RATE)):
            yield _frame(shot, index, ids, rng)


def _frame(
    shot: StagedShot, index: int, ids: dict[str, int], rng: np.random.Generator
) -> StagedFrame:
    image = _panned(shot.background, shot.pan_px_s * index / RATE)
    visible: list[tuple[int, Points, np.ndarray]] = []
    for actor in shot.actors:
        place = actor.at(index / RATE)
        if place is None:
            continue
        who = ids[actor.person.name]
        picture, alpha, points = _head(actor.person, place, index, who)
        image = image + alpha[..., None] * (picture - image)
        visible = [(i, p, face * (1 - alpha)) for i, p, face in visible]
        visible.append((who, points, _face_area(points)))
    noisy = image + rng.normal(0, 2.0, image.shape)
    shares = [face.sum() / max(_whole_area(points), 1.0) for _, points, face in visible]
    boxes = np.array([[*p.min(0), *p.max(0)] for _, p, _ in visible]).reshape(-1, 4)
    sure = [share >= _VISIBLE for share in shares]
    unsure = [_HIDDEN <= share < _VISIBLE for share in shares]
    truth = SeenFrame([i for (i, _, _), s in zip(visible, sure, strict=True) if s], boxes[sure])
    return StagedFrame(np.clip(noisy, 0, 255).astype(np.uint8), truth, boxes[unsure])


def _panned(background: Image, shift: float) -> np.ndarray:
    width, height = SIZE
    scale = max(1.6 * width / background.shape[1], height / background.shape[0])
    matrix = np.array([[scale, 0, -shift], [0, scale, 0]])
    return cv2.warpAffine(
        background, matrix, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    ).astype(np.float32)


def _head(
    person: Person, place: Place, index: int, who: int
) -> tuple[np.ndarray, np.ndarray, Points]:
    """Picture, opacity and landmarks of a head at its place, the size of the frame."""
    phase = index / RATE + 1.7 * who
    roll = np.deg2rad(4 * np.sin(1.3 * phase))
    side = place.side * (1 + 0.02 * np.sin(2.1 * phase))
    light = 1 + 0.06 * np.sin(0.9 * phase)
    first, second, share = _views_at(person, index)
    picture, alpha, points = _placed(first, place, side, roll)
    if share > 0:
        other, other_alpha, other_points = _placed(second, place, side, roll)
        picture = picture + share * (other - picture)
        alpha = alpha + share * (other_alpha - alpha)
        points = points + share * (other_points - points)
    return np.clip(light * picture, 0, 255), alpha, points


def _views_at(person: Person, index: int) -> tuple[View, View, float]:
    """The view now, the next one, and how far the fade to it has come, 0 to 1."""
    views = person.views
    if len(views) > _HOLD_FRAMES:  # a film of its own; forth and back
        at = index % (2 * len(views) - 2)
        view = views[min(at, 2 * len(views) - 2 - at)]
        return view, view, 0.0
    turn, frame = divmod(index, _HOLD_FRAMES)
    share = max(0, frame - (_HOLD_FRAMES - _FADE_FRAMES)) / _FADE_FRAMES
    return views[turn % len(views)], views[(turn + 1) % len(views)], share


def _placed(
    view: View, place: Place, side: float, roll: float
) -> tuple[np.ndarray, np.ndarray, Points]:
    low, high = view.points.min(0), view.points.max(0)
    scale = side / (high - low).max()
    turn = scale * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    matrix = np.c_[turn, np.array([place.x, place.y]) - turn @ ((low + high) / 2)]
    picture = cv2.warpAffine(view.image, matrix, SIZE, flags=cv2.INTER_AREA).astype(np.float32)
    mask = cv2.warpAffine(_head_mask(view), matrix, SIZE, flags=cv2.INTER_LINEAR)
    return picture, mask, view.points @ turn.T + matrix[:, 2]


def _head_mask(view: View) -> np.ndarray:
    """A soft ellipse around face and hair, in the picture of the view."""
    low, high = view.points.min(0), view.points.max(0)
    x, y = (low + high) / 2
    width, height = _CUT_OUT * 0.8 * (high - low)[0], _CUT_OUT * (high - low)[1]
    mask = np.zeros(view.image.shape[:2], np.float32)
    center = (round(x), round(y - 0.14 * height))
    cv2.ellipse(mask, center, (round(width / 2), round(height / 2)), 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.03 * height)
    soft[[0, -1]], soft[:, [0, -1]] = 0, 0
    return soft


def _face_area(points: Points) -> np.ndarray:
    """1 where the face is in the frame."""
    area = np.zeros(SIZE[::-1], np.float32)
    cv2.fillConvexPoly(area, cv2.convexHull(points.round().astype(np.int32)), 1.0)
    return area


def _whole_area(points: Points) -> float:
    """Of the face, whether or not it is in the frame, square pixels."""
    return float(cv2.contourArea(cv2.convexHull(points.astype(np.float32))))
