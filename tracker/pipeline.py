"""From frames to tracked faces: the only place with state."""

from dataclasses import dataclass, field, replace
from itertools import count
from time import perf_counter

import numpy as np
from jaxtyping import Float

from .association import match
from .detection import overlap, square_around, unseen
from .head import MotionConfig, smoothed
from .layouts import find_layout
from .measurement import cut_crops, fused, measurements_in_frame
from .track import Track, TrackStatus, begin, estimates, expected, measured_by, missed
from .types import (
    Detector,
    Frame,
    Image,
    Landmarker,
    LandmarkEstimate,
    Measurement,
    Square,
    TrackedFace,
)

_LOOKS_AT_NEW = 3
"""Crops taken of a new face: the detector's square, then twice what its landmarks ask for."""
_VOUCHED = 0.2
"""Overlap with a detected square that vouches for a face the network cannot judge."""
_REACH = 1.0
"""How far, in sides of its square, a face may have gone and still be the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerConfig:
    """What can be tuned while tracking."""

    max_faces: int = 8
    """Follow at most this many faces, the largest first."""
    detect_every_s: float = 1.0
    """Look for new faces this often; a lost face is looked for in every frame."""
    enter_confidence: float = 0.3
    """Believe in a new face, which the detector believes in too, from here on."""
    keep_confidence: float = 0.15
    """Believe in a followed face down to here."""
    remember_s: float = 2.0
    """A face that comes back near where it left within this time keeps its id."""
    motion: MotionConfig = field(default_factory=MotionConfig)
    smoothing: float = 0.5
    """From 0, as measured, to 1, calmest in motion."""


@dataclass(slots=True)
class Tally:
    """What happened so far, for the closing table."""

    frames: int = 0
    faces: int = 0
    """Measured, summed over the frames."""
    ids: int = 0
    """Given out: different faces."""
    lost: int = 0
    reacquired: int = 0
    detections: int = 0
    seconds: dict[str, float] = field(
        default_factory=lambda: {"detect": 0.0, "crop": 0.0, "network": 0.0, "filter": 0.0}
    )


class FaceTracker:
    """Follows every face of a video.

    Args:
        landmarker: Finds landmarks in crops.
        detector: Finds faces in frames.
        config: Defaults suit webcams and films.

    Raises:
        FaceTrackError: If the landmarker's layout is not a known one.
    """

    def __init__(
        self, landmarker: Landmarker, detector: Detector, config: TrackerConfig | None = None
    ) -> None:
        self.config = config or TrackerConfig()
        self._motion = smoothed(self.config.motion, self.config.smoothing)
        self.layout = find_layout(landmarker.layout_name, landmarker.layout_table)
        self.tally = Tally()
        self._landmarker, self._detector = landmarker, detector
        self._tracks: list[Track] = []
        self._ids = count()
        self._found_s = -np.inf
        self._detected: tuple[Frame, list[Square]] | None = None

    @property
    def motion(self) -> MotionConfig:
        """How faces are believed to move, at this smoothing."""
        return self._motion

    def reset(self) -> None:
        """Forget all faces."""
        self._tracks, self._ids, self._found_s = [], count(), -np.inf

    def step(self, frame: Frame, *, is_still: bool = False) -> list[TrackedFace]:
        """Take the next frame; return the faces in it, oldest track first.

        Faces that were lost are not returned; those that are only predicted say so.

        Args:
            frame: Not before the last.
            is_still: It has nothing to do with the frames before: their faces are forgotten, and
                its own are looked at carefully: tighter, wider, and in the mirror, which errs less.
        """
        started, before = perf_counter(), sum(self.tally.seconds.values())
        if is_still:
            self.reset()
        self._follow(frame)
        if self._should_detect(frame.time_s):
            self._find(frame, carefully=is_still)
        self._forget(frame.time_s)
        present = [track for track in self._tracks if track.status is not TrackStatus.LOST]
        told = estimates(present, self.layout, self._motion)
        shown = [_as_told(*one) for one in zip(present, told, strict=True)]
        self.tally.frames += 1
        self.tally.faces += sum(not face.is_predicted for face in shown)
        elsewhere = sum(self.tally.seconds.values()) - before
        self.tally.seconds["filter"] += perf_counter() - started - elsewhere
        return shown

    def _follow(self, frame: Frame) -> None:
        """Measure every live track in the crop its motion model expects."""
        now, layout, motion = frame.time_s, self.layout, self._motion
        live = [t for t in self._tracks if t.status is not TrackStatus.LOST]
        if not live:
            return
        places = expected(live, now, layout, motion)
        squares = [square_around(points) for points in places]
        measurements = self._vouched(frame, self._measure(frame.image, squares))
        doubtful = self._doubtful(live, places, measurements)
        pairs = list(zip(live, measurements, strict=True))
        sure = [(t, m) for t, m in pairs if t.track_id not in doubtful]
        new = measured_by([t for t, _ in sure], [m for _, m in sure], now, layout, motion)
        new += [
            missed(t, m.confidence, now, layout, motion) for t, m in pairs if t.track_id in doubtful
        ]
        for track in new:
            self._replace(track)
            self.tally.lost += track.status is TrackStatus.LOST

    def _vouched(self, frame: Frame, measurements: list[Measurement]) -> list[Measurement]:
        """Where the network cannot tell a face from a wall, the detector has to."""
        if not any(np.isnan(m.confidence) for m in measurements):
            return measurements
        detected = self._detect(frame)
        places = [square_around(m.landmarks.mean) for m in measurements]
        seen = [any(overlap(place, s) > _VOUCHED for s in detected) for place in places]
        return [replace(m, confidence=float(s)) for m, s in zip(measurements, seen, strict=True)]

    def _detect(self, frame: Frame) -> list[Square]:
        """The detector's squares, asked for at most once a frame."""
        if self._detected is None or self._detected[0] is not frame:
            started = perf_counter()
            self._detected = (frame, self._detector(frame.image))
            self.tally.seconds["detect"] += perf_counter() - started
            self.tally.detections += 1
        return self._detected[1]

    def _doubtful(
        self,
        live: list[Track],
        places: Float[np.ndarray, "faces landmarks xy=2"],
        measurements: list[Measurement],
    ) -> set[int]:
        """Tracks whose crop shows no face, or the face of another track that fits it better."""
        doubtful: set[int] = set()
        sure: list[tuple[float, int, Square]] = []
        for track, place_of, measurement in zip(live, places, measurements, strict=True):
            if measurement.confidence < self.config.keep_confidence:
                doubtful.add(track.track_id)
                continue
            points = measurement.landmarks.mean
            place = square_around(points)
            away = float(np.linalg.norm(points - place_of, axis=-1).mean() / place.side)
            sure.append((away, track.track_id, place))
        taken: list[Square] = []
        for _, track_id, place in sorted(sure, key=lambda entry: entry[:2]):
            if unseen([place], taken):
                taken.append(place)
            else:
                doubtful.add(track_id)
        return doubtful

    def _should_detect(self, time_s: float) -> bool:
        followed = sum(t.status is TrackStatus.FOLLOWED for t in self._tracks)
        if followed >= self.config.max_faces:
            return False
        if followed < len(self._tracks) or not self._tracks:
            return True
        return time_s - self._found_s >= self.config.detect_every_s

    def _find(self, frame: Frame, *, carefully: bool) -> None:
        """Look for faces that no track follows; tracks without a face may get them back."""
        self._found_s = frame.time_s
        followed = [t for t in self._tracks if t.status is TrackStatus.FOLLOWED]
        known = [square_around(t.points) for t in followed]
        squares, measurements = unseen(self._detect(frame), known), []
        for look in range(1, _LOOKS_AT_NEW + 1):
            last = look == _LOOKS_AT_NEW
            measurements = self._measure(frame.image, squares, carefully=carefully and last)
            squares = [square_around(m.landmarks.mean) for m in measurements]
        found: list[Measurement] = []
        for measurement, square in zip(measurements, squares, strict=True):
            # A network that cannot tell leaves it to the detector, which has seen a face here.
            sure = float(np.nan_to_num(measurement.confidence, nan=1.0))
            if sure >= self.config.enter_confidence and unseen([square], known):
                found.append(replace(measurement, confidence=sure))
                known.append(square)
        self._adopt(found, frame.time_s)

    def _adopt(self, found: list[Measurement], time_s: float) -> None:
        """Give found faces to tracks that miss one, else new ids, while there is room."""
        waiting = [t for t in self._tracks if t.status is not TrackStatus.FOLLOWED]
        shape = (-1, self.layout.count, 2)
        pairs = match(
            np.array([t.points for t in waiting]).reshape(shape),
            np.array([m.landmarks.mean for m in found]).reshape(shape),
            np.array([_REACH * square_around(t.points).side for t in waiting]),
        )
        owner = {new: waiting[known] for known, new in pairs}
        live = sum(t.status is not TrackStatus.LOST for t in self._tracks)
        for index, measurement in enumerate(found):
            track = owner.get(index)
            if track is not None and track.status is TrackStatus.COASTING:
                self._replace(self._begun(track.track_id, measurement, time_s))
            elif live < self.config.max_faces:
                live += 1
                if track is not None:
                    self.tally.reacquired += 1
                    self._replace(self._begun(track.track_id, measurement, time_s))
                else:
                    self.tally.ids += 1
                    self._tracks.append(self._begun(next(self._ids), measurement, time_s))

    def _begun(self, track_id: int, measurement: Measurement, time_s: float) -> Track:
        return begin(track_id, measurement, time_s, self.layout, self._motion)

    def _measure(
        self, image: Image, squares: list[Square], *, carefully: bool = False
    ) -> list[Measurement]:
        """Landmarks in the squares, in frame pixels."""
        if not squares:
            return []
        started = perf_counter()
        crops, matrices = cut_crops(image, squares, self._landmarker, carefully=carefully)
        cropped = perf_counter()
        answer = self._landmarker(crops)
        self.tally.seconds["crop"] += cropped - started
        self.tally.seconds["network"] += perf_counter() - cropped
        found = measurements_in_frame(answer, matrices)
        return fused(found, self.layout) if carefully else found

    def _replace(self, track: Track) -> None:
        self._tracks = [track if t.track_id == track.track_id else t for t in self._tracks]

    def _forget(self, time_s: float) -> None:
        self._tracks = [
            t
            for t in self._tracks
            if t.status is not TrackStatus.LOST or time_s - t.measured_s <= self.config.remember_s
        ]


def _as_told(track: Track, told: LandmarkEstimate) -> TrackedFace:
    if track.status is not TrackStatus.FOLLOWED:
        return TrackedFace(track.track_id, track.confidence, told, None)
    seen = track.last
    return TrackedFace(track.track_id, track.confidence, told, seen.landmarks, seen.flicker)
