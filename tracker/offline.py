"""Smoothing of a whole file: every frame knows what came before and what comes after.

A filter runs forwards and one backwards over the same measurements. Where they meet, the forward
one has seen the frame and the backward one only what follows, so that nothing counts twice.
"""

from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from .head import MotionConfig
from .layouts import Layout
from .pipeline import Tally
from .track import (
    MISSES_TO_LOST,
    Track,
    begin,
    head_motion,
    lasting_covariance,
    measured_by,
    missed,
)
from .types import Frame, LandmarkEstimate, Measurement, TrackedFace


class Remember:
    """A sink that keeps the faces of every frame, and no picture."""

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.faces: list[list[TrackedFace]] = []

    def write(self, frame: Frame, faces: list[TrackedFace]) -> None:
        """Keep one frame's."""
        self.times_s.append(frame.time_s)
        self.faces.append(faces)

    def close(self) -> None:
        """Nothing is open."""


class Replay:
    """Stands in for a tracker whose answers are known."""

    def __init__(self, faces: list[list[TrackedFace]], tally: Tally) -> None:
        self.tally, self._faces = tally, iter(faces)

    def step(self, _frame: Frame, *, is_still: bool = False) -> list[TrackedFace]:
        """The faces of the next frame; none after the last that is known."""
        return next(self._faces, [])


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face in one frame, as the first pass saw it."""

    frame: int
    """Position in the list of frames."""
    time_s: float
    face: TrackedFace

    @property
    def measurement(self) -> Measurement | None:
        """As the network gave it."""
        if self.face.measured is None or self.face.flicker is None:
            return None
        return Measurement(self.face.measured, self.face.flicker, self.face.confidence)


def smoothed_faces(
    times_s: list[float], faces: list[list[TrackedFace]], layout: Layout, config: MotionConfig
) -> list[list[TrackedFace]]:
    """The faces of every frame, smoothed; frames, ids and their order stay.

    Source:
        Fraser, Potter 1969: the two-filter form of the fixed-interval smoother, equal to that of
        Rauch, Tung and Striebel where the model is linear.
    """
    sightings: dict[int, list[Sighting]] = {}
    for frame, (time_s, seen) in enumerate(zip(times_s, faces, strict=True)):
        for face in seen:
            sightings.setdefault(face.track_id, []).append(Sighting(frame, time_s, face))
    smoothed = [list(seen) for seen in faces]
    for of_one in sightings.values():
        for unbroken in _unbroken(of_one):
            for sighting, estimate in zip(
                unbroken, _smoothed(unbroken, layout, config), strict=True
            ):
                place = smoothed[sighting.frame]
                index = place.index(sighting.face)
                place[index] = replace(sighting.face, landmarks=estimate)
    return smoothed


def _unbroken(sightings: list[Sighting]) -> list[list[Sighting]]:
    """Stretches without a gap in which the face was lost; each begins with a measurement."""
    number, parts, before = 0, [], sightings[0].frame
    for sighting in sightings:
        number += sighting.frame - before > MISSES_TO_LOST
        before = sighting.frame
        parts.append((number, sighting))
    stretches = [[s for _, s in group] for _, group in groupby(parts, key=lambda part: part[0])]
    return [stretch for stretch in stretches if stretch[0].measurement is not None]


def _smoothed(
    sightings: list[Sighting], layout: Layout, config: MotionConfig
) -> list[LandmarkEstimate]:
    motion = head_motion(layout, config)
    forwards = _filtered(sightings, layout, config)
    last = sightings[-1].time_s
    mirrored = [replace(s, time_s=last - s.time_s) for s in reversed(sightings)]
    while mirrored[0].measurement is None:  # nothing is known after the last measurement
        mirrored = mirrored[1:]
    backwards = _filtered(mirrored, layout, config)[::-1]
    estimates = []
    for index, track in enumerate(forwards):
        state = track.state
        if index + 1 < len(backwards):
            gap = np.array([sightings[index + 1].time_s - sightings[index].time_s])
            state = motion.met(state, motion.predicted(backwards[index + 1].state, gap))
        covariance = (motion.covariance(state) + lasting_covariance([track.last]))[0]
        estimates.append(LandmarkEstimate(state.points[0], covariance))
    return estimates


def _filtered(sightings: list[Sighting], layout: Layout, config: MotionConfig) -> list[Track]:
    """The track after each sighting."""
    tracks: list[Track] = []
    for sighting in sightings:
        seen, time_s = sighting.measurement, sighting.time_s
        if not tracks:
            assert seen is not None
            tracks.append(begin(sighting.face.track_id, seen, time_s, layout, config))
        elif seen is None:
            tracks.append(missed(tracks[-1], sighting.face.confidence, time_s, layout, config))
        else:
            tracks += measured_by([tracks[-1]], [seen], time_s, layout, config)
    return tracks
