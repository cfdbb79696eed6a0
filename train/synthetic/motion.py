"""How a head moves before the camera: time to a similarity.

Pieces of constant velocity are exactly that, and stops are dead, so that lag can be measured.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Matrix = Float[np.ndarray, "3 3"]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the head is against its home in the middle of the frame."""

    x: float = 0.0
    """Inter-ocular distances at home, to the right."""
    y: float = 0.0
    """Inter-ocular distances at home, down."""
    scale: float = 1.0
    roll_rad: float = 0.0


Motion = Callable[[float], Pose]
"""Time in seconds to a pose; defined a little before and after the clip too."""
MakeMotion = Callable[[np.random.Generator, float], Motion]
"""Draws a motion for a clip of so many seconds."""


@dataclass(frozen=True, slots=True)
class Home:
    """The similarity between photograph and frame of a head at home."""

    picture_center: Float[np.ndarray, "xy=2"]
    frame_center: Float[np.ndarray, "xy=2"]
    eye_px: float
    """Inter-ocular distance in the frame."""
    frame_per_picture: float

    def frame_from_picture(self, pose: Pose) -> Matrix:
        """Roll and scale about the centre of the face, then shift."""
        scale = self.frame_per_picture * pose.scale
        cosine, sine = scale * np.cos(pose.roll_rad), scale * np.sin(pose.roll_rad)
        matrix = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
        there = self.frame_center + self.eye_px * np.array([pose.x, pose.y])
        matrix[:2, 2] = there - matrix[:2, :2] @ self.picture_center
        return matrix


def still(_: np.random.Generator, __: float) -> Motion:
    """No motion at all."""
    return lambda _: Pose()


def drift(rng: np.random.Generator, seconds: float) -> Motion:
    """One slow constant velocity, through home at half time."""
    direction, speed = rng.uniform(0, 2 * np.pi), min(0.15, 1.2 / seconds)
    along = speed * np.array([np.cos(direction), np.sin(direction)])
    return lambda time_s: Pose(*(along * (time_s - seconds / 2)).tolist())


def pan(rng: np.random.Generator, seconds: float) -> Motion:
    """To and fro at one inter-ocular distance a second, turning on the spot."""
    sweep = _sweep(rng, seconds, reach=1.2, speed=1.0)
    return lambda time_s: Pose(x=sweep(time_s))


def zoom(rng: np.random.Generator, seconds: float) -> Motion:
    """Nearer and farther by a constant factor a second."""
    sweep = _sweep(rng, seconds, reach=0.25, speed=0.25)
    return lambda time_s: Pose(scale=float(np.exp(sweep(time_s))))


def roll(rng: np.random.Generator, seconds: float) -> Motion:
    """The head tips from side to side at a constant rate."""
    sweep = _sweep(rng, seconds, reach=np.radians(20), speed=np.radians(30))
    return lambda time_s: Pose(roll_rad=sweep(time_s))


def sway(rng: np.random.Generator, _: float) -> Motion:
    """The small smooth motion of a head that listens."""
    phases = rng.uniform(0, 2 * np.pi, 4)
    reach, hertz = np.array([0.12, 0.05, 0.03, 0.04]), np.array([0.31, 0.43, 0.23, 0.37])

    def at(time_s: float) -> Pose:
        x, y, size, tip = (reach * np.sin(2 * np.pi * hertz * time_s + phases)).tolist()
        return Pose(x, y, float(np.exp(size)), tip)

    return at


def shake(rng: np.random.Generator, _: float) -> Motion:
    """A camera in an unsteady hand: 1 to 9 Hz, less of it the faster."""
    hertz = rng.uniform(1, 9, (3, 6))
    phases = rng.uniform(0, 2 * np.pi, hertz.shape)
    reach = np.array([[0.08], [0.08], [0.03]]) / hertz

    def at(time_s: float) -> Pose:
        x, y, tip = (reach * np.sin(2 * np.pi * hertz * time_s + phases)).sum(1).tolist()
        return Pose(x, y, 1.0, tip)

    return at


def step(rng: np.random.Generator, seconds: float) -> Motion:
    """Rest, one quick move at constant velocity, a dead stop; over and over."""
    move_s, rest_s = 0.3, 0.9
    count = int(np.ceil((seconds + 1) / (move_s + rest_s)))
    starts = rest_s + (move_s + rest_s) * np.arange(count)
    knots = np.stack([starts, starts + move_s], -1).ravel()
    side = 0.5 if rng.random() < 0.5 else -0.5
    places = side * np.repeat((-1.0) ** np.arange(count + 1), 2)[1:-1]
    angle = rng.uniform(-0.3, 0.3)

    def at(time_s: float) -> Pose:
        along = float(np.interp(time_s, knots, places))
        return Pose(along * np.cos(angle), along * np.sin(angle))

    return at


def walk_up(rng: np.random.Generator, seconds: float) -> Motion:
    """Walk towards the camera at a constant speed, head bobbing twice a second."""
    farthest, nearest, phase = 1.6, 0.7, rng.uniform(0, 2 * np.pi)

    def at(time_s: float) -> Pose:
        share = np.clip(time_s / seconds, -0.1, 1.1)
        scale = 1 / (farthest + (nearest - farthest) * share)
        step_rad = 2 * np.pi * time_s + phase  # a step a second with each foot
        bob, swing = 0.05 * np.sin(2 * step_rad), 0.04 * np.sin(step_rad)
        return Pose(scale * swing, scale * bob, float(scale), 0.02 * np.sin(step_rad))

    return at


def _sweep(
    rng: np.random.Generator, seconds: float, *, reach: float, speed: float
) -> Callable[[float], float]:
    """A zigzag between -reach and reach from a random place on it."""
    leg_s = 2 * reach / speed
    count = int(np.ceil(seconds / leg_s)) + 4
    knots = leg_s * (np.arange(count) - 1 - rng.random())
    side = reach if rng.random() < 0.5 else -reach
    places = side * (-1.0) ** np.arange(count)
    return lambda time_s: float(np.interp(time_s, knots, places))
