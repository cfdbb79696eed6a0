"""The scenes: people cross, cover each other, leave and return, are cut away and replaced."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tracker.errors import FaceTrackError
from tracker.types import Image

from .identity_stage import SIZE, Actor, Place, StagedShot
from .people import Person, held_out_people, rendered_person

_WIDTH, _HEIGHT = SIZE
_MIDDLE = _HEIGHT / 2 + 10
_CAST = 18
"""People; two rendered heads make the crowd twenty."""
Way = Callable[[float], Place | None]


def scenes_from(data: Path, half: str) -> dict[str, list[StagedShot]]:
    """Every scene by its name; the same people and ways every time.

    Args:
        data: As in `held_out_people`, and `free/head_clips` and `backgrounds` in it.
        half: As there.

    Raises:
        FaceTrackError: If the data are not there, or too few people in them.
    """
    cast = held_out_people(data, half)
    sets = _backgrounds(data / "backgrounds")
    if len(cast) < _CAST or len(sets) < 4:
        raise FaceTrackError(f"{data}: {len(cast)} people and {len(sets)} backgrounds: too few")
    order = np.random.default_rng(7).permutation(len(cast))
    one, two, three, four, *others = [cast[i] for i in order]
    clips = sorted((data / "free/head_clips").glob("turn_*.mp4"))
    heads = [rendered_person(clip) for clip in clips[:2]]
    crowd = [one, two, three, four, *others[: _CAST - 4], *heads]
    stay_left, stay_right = _still(190, 110), _still(450, 110)
    pair = [Actor(one, stay_left), Actor(two, stay_right)]
    return {
        "one walks past": [_shot(sets[0], 4, Actor(one, _across(-60, 700, 4, 90)))],
        "two cross": [_shot(sets[1], 6, *_crossing(one, two, 6, 100))],
        "six cross": [_shot(sets[2], 6, *_weaving([one, two, three, four, *others[:2]], 55))],
        **{
            f"away {away:g} s": [
                _shot(sets[0], 5 + away, Actor(three, stay_left), _visitor(four, away))
            ]
            for away in (0.5, 2.0, 10.0)
        },
        "cut to others": [
            StagedShot(sets[0], pair, 2.4),
            _shot(sets[1], 2.4, Actor(three, stay_left), Actor(four, stay_right)),
        ],
        "cut and back": [
            StagedShot(sets[0], pair, 2.4),
            _shot(sets[1], 1.6, Actor(three, stay_left)),
            StagedShot(sets[0], pair, 2.4),
            _shot(sets[1], 1.6, Actor(three, _still(420, 150))),
        ],
        "replaced in place": [
            _shot(sets[2], 5, *_replaced(one, two, 190, 2.5), *_replaced(three, four, 450, 1.5))
        ],
        "heads turn": [
            _shot(
                sets[3],
                6,
                *(Actor(h, w) for h, w in zip(heads, (stay_left, stay_right), strict=False)),
            )
        ],
        "camera pans": [
            StagedShot(
                sets[3],
                [Actor(one, _across(600, 150, 4, 100)), Actor(two, _across(840, 390, 4, 100))],
                4,
                112,
            )
        ],
        "large and small": [
            _shot(sets[1], 4, Actor(one, _still(230, 290)), Actor(two, _still(520, 24)))
        ],
        "crowd of 20": [_shot(sets[2], 4, *_crowd(crowd))],
    }


def _shot(background: Image, seconds: float, *actors: Actor) -> StagedShot:
    return StagedShot(background, list(actors), seconds)


def _still(x: float, side: float) -> Way:
    return lambda t: Place(x + 4 * np.sin(1.1 * t + x), _MIDDLE + 3 * np.sin(0.7 * t), side)


def _across(start: float, end: float, seconds: float, side: float) -> Way:
    return lambda t: Place(start + (end - start) * t / seconds, _MIDDLE + 4 * np.sin(5 * t), side)


def _crossing(one: Person, two: Person, seconds: float, side: float) -> list[Actor]:
    """Twice through each other; the second in front."""
    swing = 2 * np.pi / seconds

    def way(sign: float) -> Way:
        return lambda t: Place(320 + sign * 200 * np.cos(swing * t), _MIDDLE + sign * 6, side)

    return [Actor(one, way(1)), Actor(two, way(-1))]


def _weaving(people: list[Person], side: float) -> list[Actor]:
    def way(index: int) -> Way:
        speed, phase = 0.8 + 0.13 * index, 1.05 * index
        return lambda t: Place(
            320 + 260 * np.cos(speed * t + phase),
            _MIDDLE + 70 * np.sin(0.9 * speed * t + 2 * phase),
            side + 5 * index,
        )

    return [Actor(person, way(index)) for index, person in enumerate(people)]


def _visitor(person: Person, away: float) -> Actor:
    """Stays 2 s, walks out to the right within 0.5 s, and comes back the same way."""

    def way(t: float) -> Place | None:
        gone, back = 2.5, 2.5 + away
        if gone <= t < back:
            return None
        step = float(np.clip(max(t - 2.0 if t < gone else back + 0.5 - t, 0) / 0.5, 0, 1))
        return Place(430 + 290 * step, _MIDDLE, 110)

    return Actor(person, way)


def _replaced(before: Person, after: Person, x: float, at_s: float) -> list[Actor]:
    place = _still(x, 110)
    return [
        Actor(before, lambda t: place(t) if t < at_s else None),
        Actor(after, lambda t: place(t) if t >= at_s else None),
    ]


def _crowd(people: list[Person]) -> list[Actor]:
    def way(index: int) -> Way:
        row, column = divmod(index, 5)
        side = 26 + 9 * row
        return lambda t: Place(
            70 + 125 * column + 20 * np.sin(t + index), 45 + 82 * row + 5 * np.cos(t), side
        )

    return [Actor(person, way(index)) for index, person in enumerate(people)]


def _backgrounds(folder: Path) -> list[Image]:
    pictures = [cv2.imread(str(path)) for path in sorted(folder.glob("*.jpg"))[:4]]
    return [cv2.cvtColor(p, cv2.COLOR_BGR2RGB) for p in pictures if p is not None]
