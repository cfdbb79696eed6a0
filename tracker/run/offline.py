"""Smoothing of a video file in one pass, some seconds behind the tracker.

The tracker reads ahead; what it found is smoothed once the seconds that follow are known, too, and
then it is final. The forward filter goes on from where the last final frame left it, so only the
backward one is cut short: how much that changes is measured in `tests/test_offline.py`.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from ..errors import SourceError
from ..filter.config import for_smoother
from ..filter.head_filter import HeadFilter
from ..filter.smoother import Begun, Observation, smooth
from ..track import MISSES_TO_LOST
from ..tracker_config import Tally
from ..types import Face, Frame, Measurement
from .timed_tracker import TimedTracker

LAG_S = 6.0
"""What follows a frame is known for at least this long before it is final."""
BLOCK_S = 3.0
"""So much becomes final at a time: the backward filter runs over this and the lag."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One face in one frame, as the tracker saw it."""

    frame: int
    """Counted from the first."""
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


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """What the final frames leave of a face."""

    frame: int
    """The last that is final."""
    begun: Begun | None
    """None where no measurement began the stretch: it stays as it was tracked."""


class BlockSmoother:
    """Takes the tracker's faces frame by frame, and gives them back smoothed, some time later.

    Frames, ids and their order stay.

    Args:
        head_filter: Of the tracker.
        lag_s: What follows a frame is known for at least so long; infinite smooths all at once.
        block_s: So much becomes final at a time.
    """

    def __init__(
        self, head_filter: HeadFilter, lag_s: float = LAG_S, block_s: float = BLOCK_S
    ) -> None:
        self._filter = HeadFilter(head_filter.layout, for_smoother(head_filter.config))
        self._lag_s, self._block_s = lag_s, block_s
        self._times_s: list[float] = []
        self._faces: list[list[Face]] = []
        self._first = 0
        """Of the frames that wait, counted from the first of all."""
        self._past: dict[int, _Past] = {}

    def push(self, time_s: float, faces: list[Face]) -> list[list[Face]]:
        """Take the next frame's faces; those of the frames that became final by it, in order."""
        self._times_s.append(time_s)
        self._faces.append(faces)
        if time_s - self._times_s[0] < self._lag_s + self._block_s:
            return []
        return self._final(sum(t <= time_s - self._lag_s for t in self._times_s))

    def finish(self) -> list[list[Face]]:
        """The faces of the frames that still wait."""
        return self._final(len(self._faces))

    def _final(self, count: int) -> list[list[Face]]:
        """Smooth what waits, and give away the first frames of it."""
        end, result = self._first + count, [list(seen) for seen in self._faces[:count]]
        for track_id, sightings in self._sightings().items():
            for number, stretch in enumerate(self._unbroken(track_id, sightings)):
                if number:
                    self._past.pop(track_id, None)
                self._smooth(track_id, stretch, end, result)
        self._first = end
        del self._times_s[:count], self._faces[:count]
        lost = [i for i, past in self._past.items() if end - past.frame > MISSES_TO_LOST + 1]
        for track_id in lost:
            del self._past[track_id]
        return result

    def _sightings(self) -> dict[int, list[Sighting]]:
        """Of each face that is seen in the frames that wait."""
        sightings: dict[int, list[Sighting]] = {}
        waiting = zip(self._times_s, self._faces, strict=True)
        for frame, (time_s, seen) in enumerate(waiting, start=self._first):
            for place, face in enumerate(seen):
                sightings.setdefault(face.track_id, []).append(Sighting(frame, place, time_s, face))
        return sightings

    def _unbroken(self, track_id: int, sightings: list[Sighting]) -> list[list[Sighting]]:
        """Stretches without a gap in which the face was lost."""
        past = self._past.get(track_id)
        number, parts = 0, []
        before = past.frame if past else sightings[0].frame
        for sighting in sightings:
            number += sighting.frame - before > MISSES_TO_LOST
            before = sighting.frame
            parts.append((number, sighting))
        if parts[0][0]:  # lost since the last final frame
            del self._past[track_id]
        return [[s for _, s in group] for _, group in groupby(parts, key=lambda part: part[0])]

    def _smooth(
        self, track_id: int, stretch: list[Sighting], end: int, result: list[list[Face]]
    ) -> None:
        """Put the smoothed faces of one stretch into its final frames."""
        past = self._past.pop(track_id, None)
        observations = [sighting.observation for sighting in stretch]
        final = [sighting for sighting in stretch if sighting.frame < end]
        if not final:
            if past:
                self._past[track_id] = past
            return
        begun = past.begun if past else None
        if begun is None and (past or observations[0].measurement is None):
            self._past[track_id] = _Past(final[-1].frame, None)
            return
        estimates, states = smooth(observations, self._filter, begun, len(final))
        for sighting, estimate in zip(final, estimates, strict=True):
            smoothed = replace(sighting.face, landmarks=estimate)
            result[sighting.frame - self._first][sighting.place] = smoothed
        self._past[track_id] = _Past(final[-1].frame, (final[-1].time_s, states[-1]))


def smoothed_faces(
    times_s: list[float], faces: list[list[Face]], head_filter: HeadFilter
) -> list[list[Face]]:
    """The faces of every frame, smoothed with all that comes after; frames, ids and order stay.

    Args:
        times_s: Of the frames.
        faces: Of the frames, as the tracker reported them.
        head_filter: Of the tracker.
    """
    smoother = BlockSmoother(head_filter, lag_s=float("inf"))
    for time_s, seen in zip(times_s, faces, strict=True):
        smoother.push(time_s, seen)
    return smoother.finish()


class NothingFollows(Exception):  # noqa: N818
    """The tracker has come to its end: no more faces are known."""


class LookAhead:
    """Follows a video with a tracker that is some seconds ahead of who asks.

    Args:
        frames: Of the video, for the tracker.
        timed: Not used before.
    """

    def __init__(self, frames: Iterator[Frame], timed: TimedTracker) -> None:
        self._frames, self._timed = frames, timed
        self._smoother = BlockSmoother(timed.tracker.head_filter)
        self._known: deque[list[Face]] = deque()
        self._is_over = False
        self._error: SourceError | None = None

    @property
    def tally(self) -> Tally:
        return self._timed.tally

    @property
    def seconds(self) -> dict[str, float]:
        return self._timed.seconds

    def take(self, frame: Frame) -> list[Face]:
        """The smoothed faces of the next frame, analysed where that was asked for.

        Raises:
            NothingFollows: After the last frame that the tracker had.
            SourceError: There, if the source failed.
        """
        while not self._known and not self._is_over:
            self._look_on()
        if self._known:
            return self._timed.analysed(frame, self._known.popleft())
        if self._error:
            raise self._error
        raise NothingFollows

    def _look_on(self) -> None:
        try:
            frame = next(self._frames, None)
        except SourceError as error:
            frame, self._error = None, error
        if frame is None:
            self._is_over = True
            self._known += self._smoother.finish()
        else:
            self._known += self._smoother.push(frame.time_s, self._timed.tracked(frame))
