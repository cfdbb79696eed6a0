"""Smoothing of a whole file between two passes over it: record the faces, smooth, replay them."""

from dataclasses import dataclass, replace
from itertools import groupby

from ..filter.head_filter import HeadFilter
from ..filter.smoother import Observation, smooth
from ..track import MISSES_TO_LOST
from ..types import Face, Frame, Measurement
from .timed_tracker import TimedTracker


class Recorder:
    """A sink that keeps the faces of every frame, and no picture."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.faces: list[list[Face]] = []

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Keep one frame's."""
        self.times_s.append(frame.time_s)
        self.faces.append(faces)

    def close(self) -> None:
        """Nothing is open."""


class Replay:
    """Stands in for a tracker whose answers are known.

    Args:
        faces: Of every frame.
        tracked: Who found them; its counts and times stay as they are.
    """

    def __init__(self, faces: list[list[Face]], tracked: TimedTracker) -> None:
        self.tally, self.seconds = tracked.tally, tracked.seconds
        self._faces = iter(faces)

    def take(self, _frame: Frame) -> list[Face]:
        """The faces of the next frame; none after the last that is known."""
        return next(self._faces, [])


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One face in one frame, as the first pass saw it."""

    frame: int
    """Position in the list of frames."""
    place: int
    """Position in the list of the frame's faces."""
    time_s: float
    face: Face

    @property
    def observation(self) -> Observation:
        """As the network gave it."""
        face = self.face
        if face.measured is None or face.measurement_noise is None:
            return Observation(self.time_s, None)
        measurement = Measurement(face.measured, face.measurement_noise, face.confidence)
        return Observation(self.time_s, measurement)


def smoothed_faces(
    times_s: list[float], faces: list[list[Face]], head_filter: HeadFilter
) -> list[list[Face]]:
    """The faces of every frame, smoothed; frames, ids and their order stay.

    Args:
        times_s: Of the frames.
        faces: Of the frames, as the tracker reported them.
        head_filter: Of the tracker.
    """
    sightings: dict[int, list[Sighting]] = {}
    for frame, (time_s, seen) in enumerate(zip(times_s, faces, strict=True)):
        for place, face in enumerate(seen):
            sightings.setdefault(face.track_id, []).append(Sighting(frame, place, time_s, face))
    result = [list(seen) for seen in faces]
    for of_one in sightings.values():
        for stretch in _unbroken(of_one):
            estimates = smooth([sighting.observation for sighting in stretch], head_filter)
            for sighting, estimate in zip(stretch, estimates, strict=True):
                result[sighting.frame][sighting.place] = replace(sighting.face, landmarks=estimate)
    return result


def _unbroken(sightings: list[Sighting]) -> list[list[Sighting]]:
    """Stretches without a gap in which the face was lost; each begins with a measurement."""
    number, parts, before = 0, [], sightings[0].frame
    for sighting in sightings:
        number += sighting.frame - before > MISSES_TO_LOST
        before = sighting.frame
        parts.append((number, sighting))
    stretches = [[s for _, s in group] for _, group in groupby(parts, key=lambda part: part[0])]
    return [stretch for stretch in stretches if stretch[0].observation.measurement is not None]
