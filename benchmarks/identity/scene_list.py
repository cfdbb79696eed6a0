"""The virtual scenes that are measured: who goes where, and when."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from train.datasets import DataError

from .people import Person, held_out_people
from .virtual_scenes import (
    FPS,
    Actor,
    Pose,
    Scene,
    Way,
    panned_background,
    shots,
    still_background,
)

_AWAY_S = (0.5, 2.0, 10.0)
_CROWDS = ((2, 300.0), (6, 120.0), (12, 70.0), (20, 45.0))
"""How many faces, and the side of the largest, pixels; the smallest has half of it."""


def all_scenes(data: Path) -> list[Scene]:
    """Every scene, of people that no network was trained on.

    Args:
        data: The folder that holds `ytf68` and `backgrounds`.

    Raises:
        DataError: If they are not there.
    """
    people = held_out_people(data)
    pictures = sorted((data / "backgrounds").glob("*.jpg"))
    if not pictures:
        raise DataError(f"{data / 'backgrounds'}: no pictures there")
    taken = iter(range(10_000))

    def cast(count: int) -> list[Person]:
        return [people[next(taken) % len(people)] for _ in range(count)]

    rng = np.random.default_rng(5)

    def place() -> Path:
        return pictures[int(rng.integers(len(pictures)))]

    scenes = []
    for number in range(3):
        scenes.append(_crossing(f"crossing {number + 1}", cast(2 + number % 2), place(), number))
        scenes.append(_covering(f"covering {number + 1}", cast(2), place()))
        scenes.append(_replaced(f"replaced {number + 1}", cast(2), place()))
        scenes.append(_cuts(f"cuts {number + 1}", cast(4), [place(), place()]))
    for away_s in _AWAY_S:
        scenes.append(_returning(f"back after {away_s:g} s", cast(2), place(), away_s))
    for count, side in _CROWDS:
        scenes.append(_crowd(f"{count} faces", cast(count), place(), side))
    scenes.append(_panning("pan", cast(4), place()))
    scenes.append(_passing("walking past", cast(3), place()))
    return scenes


def _sway(x: float, y: float, side: float, phase: float, still: int = 0) -> Way:
    """Stands there, and moves as people do."""

    def path(frame: int) -> Pose:
        angle = 2 * np.pi * (frame / FPS / 3.1 + phase)
        dx, dy = 0.06 * side * np.sin(angle), 0.03 * side * np.sin(1.7 * angle)
        return Pose(x + dx, y + dy, side, float(4 * np.sin(0.8 * angle)), still)

    return path


def _walk(
    start: tuple[float, float], end: tuple[float, float], side: float, frames: tuple[int, int]
) -> Way:
    """From one place to another between two frames; not there before and after."""
    first, last = frames

    def path(frame: int) -> Pose | None:
        if not first <= frame < last:
            return None
        share = (frame - first) / (last - first)
        bob = 0.02 * side * np.sin(2 * np.pi * frame / FPS * 1.8)
        x = start[0] + share * (end[0] - start[0])
        return Pose(x, start[1] + share * (end[1] - start[1]) + bob, side)

    return path


def _during(path: Way, spans: Sequence[tuple[int, int]], stills: Sequence[int]) -> Way:
    """There in some spans of frames only, and looking a little otherwise in each."""

    def within(frame: int) -> Pose | None:
        for (first, last), still in zip(spans, stills, strict=True):
            if first <= frame < last and (pose := path(frame)):
                return Pose(pose.x, pose.y, pose.side, pose.roll_deg, still, pose.light)
        return None

    return within


def _crossing(name: str, people: list[Person], place: Path, number: int) -> Scene:
    """Everybody walks through the middle."""
    frames, side = 100, 90.0 + 20 * number
    ways = [((60.0, 230.0), (580.0, 240.0)), ((580.0, 250.0), (60.0, 240.0)),
            ((90.0, 260.0), (560.0, 250.0))]  # fmt: skip
    actors = tuple(
        Actor(person, _walk(*way, side * (1 + 0.12 * order), (order * 12, frames)))
        for order, (person, way) in enumerate(zip(people, ways, strict=False))
    )
    return Scene(name, frames, actors, still_background(place))


def _covering(name: str, people: list[Person], place: Path) -> Scene:
    """One stands; another comes, stays in front for a second, and goes on."""
    frames = 130
    standing = Actor(people[0], _sway(320, 240, 110, 0.2))

    def path(frame: int) -> Pose:
        x = float(np.interp(frame, [0, 45, 70, frames], [40, 330, 330, 620]))
        return Pose(x, 250.0, 130.0)

    return Scene(name, frames, (standing, Actor(people[1], path)), still_background(place))


def _replaced(name: str, people: list[Person], place: Path) -> Scene:
    """From one frame to the next somebody else sits there."""
    one, other = (_sway(320, 240, 150, phase) for phase in (0.0, 0.0))
    actors = (
        Actor(people[0], _during(one, [(0, 50)], [0])),
        Actor(people[1], _during(other, [(50, 110)], [0])),
    )
    return Scene(name, 110, actors, still_background(place))


def _cuts(name: str, people: list[Person], places: list[Path]) -> Scene:
    """Two in one shot, two in the other, each shot twice."""
    lengths = (40, 40, 40, 40)
    left, right = (_sway(x, 230, 120, phase) for x, phase in ((200, 0.1), (440, 0.4)))
    first, second = [(0, 40), (80, 120)], [(40, 80), (120, 160)]
    actors = (
        Actor(people[0], _during(left, first, [0, 1])),
        Actor(people[1], _during(right, first, [0, 1])),
        Actor(people[2], _during(left, second, [0, 1])),
        Actor(people[3], _during(right, second, [0, 1])),
    )
    return Scene(name, sum(lengths), actors, shots(lengths, [places[0], places[1]] * 2))


def _returning(name: str, people: list[Person], place: Path, away_s: float) -> Scene:
    """One stays; another goes and comes back elsewhere, looking a little otherwise."""
    gone, away = 60, round(away_s * FPS)
    frames = gone + away + 60
    before, after = _sway(180, 230, 120, 0.3), _sway(250, 260, 110, 0.6)

    def path(frame: int) -> Pose | None:
        if gone <= frame < gone + away:
            return None
        pose = (before if frame < gone else after)(frame)
        assert pose is not None
        return Pose(pose.x, pose.y, pose.side, pose.roll_deg, 0 if frame < gone else 1)

    actors = (Actor(people[0], _sway(460, 220, 110, 0.0)), Actor(people[1], path))
    return Scene(name, frames, actors, still_background(place))


def _crowd(name: str, people: list[Person], place: Path, side: float) -> Scene:
    """Many who stand in rows and sway."""
    columns = int(np.ceil(np.sqrt(len(people) * 640 / 480)))
    rows = int(np.ceil(len(people) / columns))
    actors = []
    for order, person in enumerate(people):
        row, column = divmod(order, columns)
        x, y = 640 * (column + 0.5) / columns, 480 * (row + 0.55) / rows
        share = 0.5 + 0.5 * (order % 4) / 3
        actors.append(Actor(person, _sway(x, y, share * side, order * 0.17)))
    return Scene(name, 75, tuple(actors), still_background(place))


def _panning(name: str, people: list[Person], place: Path) -> Scene:
    """The camera passes a row of people."""
    frames, speed = 120, 6.0
    actors = tuple(
        Actor(person, _walk((x, 240), (x - speed * frames, 240), 100, (0, frames)))
        for person, x in zip(people, (120.0, 430.0, 740.0, 1050.0), strict=True)
    )
    return Scene(name, frames, actors, panned_background(place, speed, frames))


def _passing(name: str, people: list[Person], place: Path) -> Scene:
    """Two stand; a third walks past behind them."""
    frames = 120
    walking = Actor(people[0], _walk((-40, 220), (680, 230), 90, (0, frames)))
    standing = [Actor(p, _sway(x, 250, 120, x / 640))
                for p, x in zip(people[1:], (220, 430), strict=True)]  # fmt: skip
    return Scene(name, frames, (walking, *standing), still_background(place))
