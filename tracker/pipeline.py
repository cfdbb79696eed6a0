"""From frames to tracked faces: the only place with state."""

from dataclasses import dataclass, field, replace
from itertools import count
from time import perf_counter

import numpy as np

from .association import match
from .crop import (
    crop_from_square,
    transform,
    transform_covariance,
    warp_crop,
)
from .detection import overlap, square_around, unseen
from .layouts import LAYOUTS
from .track import (
    MotionConfig,
    Track,
    TrackStatus,
    begin,
    estimate,
    measured_by,
    missed,
    predicted_to,
    restart,
)
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

_SAME_FACE = 0.4
"""Overlap of landmark squares beyond which two are one face."""
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
    misses_to_lost: int = 3
    """Frames without a measurement before a face counts as lost: shorter than 5 frames."""
    remember_s: float = 2.0
    """A face that comes back near where it left within this time keeps its id."""
    motion: MotionConfig = field(default_factory=MotionConfig)


@dataclass(slots=True)
class Tally:
    """What happened so far, for the closing table."""

    frames: int = 0
    faces: int = 0
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
    """

    def __init__(
        self, landmarker: Landmarker, detector: Detector, config: TrackerConfig | None = None
    ) -> None:
        self.config = config or TrackerConfig()
        self.layout = LAYOUTS[landmarker.layout_name]
        self.tally = Tally()
        self._landmarker, self._detector = landmarker, detector
        self._tracks: list[Track] = []
        self._ids = count()
        self._detected_s = -np.inf

    def reset(self) -> None:
        """Forget all faces, as between pictures that have nothing to do with each other."""
        self._tracks, self._ids, self._detected_s = [], count(), -np.inf

    def step(self, frame: Frame) -> list[TrackedFace]:
        """Take the next frame; return the faces in it, oldest track first.

        Faces that were lost are not returned; those that are only predicted say so.
        """
        started, before = perf_counter(), sum(self.tally.seconds.values())
        self._follow(frame)
        if self._should_detect(frame.time_s):
            self._find(frame)
        self._forget(frame.time_s)
        shown = [_shown(t) for t in self._tracks if t.status is not TrackStatus.LOST]
        self.tally.frames += 1
        self.tally.faces += sum(not face.is_predicted for face in shown)
        elsewhere = sum(self.tally.seconds.values()) - before
        self.tally.seconds["filter"] += perf_counter() - started - elsewhere
        return shown

    def _follow(self, frame: Frame) -> None:
        """Measure every live track in the crop its motion model expects."""
        motion = self.config.motion
        live = [t for t in self._tracks if t.status is not TrackStatus.LOST]
        expected = [predicted_to(t, frame.time_s, self.layout, motion) for t in live]
        squares = [square_around(t.points) for t in expected]
        measurements = self._vouched(frame.image, self._measure(frame.image, squares))
        doubtful = self._doubtful(expected, measurements)
        for old, prediction, measurement in zip(live, expected, measurements, strict=True):
            if old.track_id in doubtful:
                new = missed(prediction, self.config.misses_to_lost, measurement.confidence)
            else:
                new = measured_by(old, measurement, frame.time_s, self.layout, motion)
            self._replace(new)
            self.tally.lost += new.status is TrackStatus.LOST

    def _vouched(self, image: Image, measurements: list[Measurement]) -> list[Measurement]:
        """Where the network cannot tell a face from a wall, the detector has to."""
        if not any(np.isnan(m.confidence) for m in measurements):
            return measurements
        detected = self._detect(image)
        places = [square_around(m.landmarks.mean) for m in measurements]
        seen = [any(overlap(place, s) > _VOUCHED for s in detected) for place in places]
        return [replace(m, confidence=float(s)) for m, s in zip(measurements, seen, strict=True)]

    def _detect(self, image: Image) -> list[Square]:
        started = perf_counter()
        detected = self._detector(image)
        self.tally.seconds["detect"] += perf_counter() - started
        self.tally.detections += 1
        return detected

    def _doubtful(self, expected: list[Track], measurements: list[Measurement]) -> set[int]:
        """Tracks whose crop shows no face, or the face of another track that fits it better."""
        doubtful = {
            track.track_id
            for track, measurement in zip(expected, measurements, strict=True)
            if measurement.confidence < self.config.keep_confidence
        }
        for i, one in enumerate(expected):
            for j in range(i + 1, len(expected)):
                other = expected[j]
                points_i, points_j = measurements[i].landmarks.mean, measurements[j].landmarks.mean
                if overlap(square_around(points_i), square_around(points_j)) > _SAME_FACE:
                    away_i = np.linalg.norm(points_i - one.points, axis=-1).mean()
                    away_j = np.linalg.norm(points_j - other.points, axis=-1).mean()
                    doubtful.add(other.track_id if away_i <= away_j else one.track_id)
        return doubtful

    def _should_detect(self, time_s: float) -> bool:
        followed = sum(t.status is TrackStatus.FOLLOWED for t in self._tracks)
        if followed < len(self._tracks) or not self._tracks:
            return True
        due = time_s - self._detected_s >= self.config.detect_every_s
        return due and followed < self.config.max_faces

    def _find(self, frame: Frame) -> None:
        """Look for faces that no track follows; tracks without a face may get them back."""
        detected = self._detect(frame.image)
        self._detected_s = frame.time_s
        followed = [t for t in self._tracks if t.status is TrackStatus.FOLLOWED]
        known = [square_around(t.points) for t in followed]
        room = self.config.max_faces - len(followed)
        fresh = unseen(detected, known, _SAME_FACE)[: max(room, 0)]
        found = self._confirmed(frame.image, fresh, known)
        self._adopt(found, frame.time_s)

    def _confirmed(
        self, image: Image, fresh: list[Square], followed: list[Square]
    ) -> list[Measurement]:
        """Faces the network believes in too, seen in the crop that their own landmarks ask for."""
        squares, measurements = fresh, []
        for _ in range(_LOOKS_AT_NEW):
            measurements = self._measure(image, squares)
            squares = [square_around(m.landmarks.mean) for m in measurements]
        known = [
            replace(m, confidence=float(np.nan_to_num(m.confidence, nan=1))) for m in measurements
        ]
        sure = [m for m in known if m.confidence >= self.config.enter_confidence]
        places = unseen([square_around(m.landmarks.mean) for m in sure], followed, _SAME_FACE)
        return [m for m in sure if square_around(m.landmarks.mean) in places]

    def _adopt(self, found: list[Measurement], time_s: float) -> None:
        """Give found faces to the tracks that miss one, new ids to the others."""
        motion = self.config.motion
        waiting = [t for t in self._tracks if t.status is not TrackStatus.FOLLOWED]
        shape = (-1, self.layout.count, 2)
        pairs = match(
            np.array([t.points for t in waiting]).reshape(shape),
            np.array([m.landmarks.mean for m in found]).reshape(shape),
            np.array([_REACH * square_around(t.points).side for t in waiting]),
        )
        for known, new in pairs:
            self.tally.reacquired += waiting[known].status is TrackStatus.LOST
            self._replace(restart(waiting[known], found[new], time_s, self.layout, motion))
        taken = {new for _, new in pairs}
        for index, measurement in enumerate(found):
            if index not in taken:
                self._tracks.append(
                    begin(next(self._ids), measurement, time_s, self.layout, motion)
                )

    def _measure(self, image: Image, squares: list[Square]) -> list[Measurement]:
        """Landmarks in the squares, in frame pixels."""
        if not squares:
            return []
        size, margin = self._landmarker.input_px, self._landmarker.margin
        started = perf_counter()
        matrices = [
            crop_from_square(s.center_x, s.center_y, max(s.side, 1.0) * margin, size)
            for s in squares
        ]
        crops = np.stack([warp_crop(image, matrix, size) for matrix in matrices])
        cropped = perf_counter()
        answer = self._landmarker(crops)
        self.tally.seconds["crop"] += cropped - started
        self.tally.seconds["network"] += perf_counter() - cropped
        measurements = []
        for index, matrix in enumerate(matrices):
            back = np.linalg.inv(matrix.astype(np.float64))
            landmarks = LandmarkEstimate(
                transform(back, answer.mean[index]),
                transform_covariance(back, answer.covariance[index]),
            )
            flicker = transform_covariance(back, answer.flicker[index])
            measurements.append(Measurement(landmarks, flicker, float(answer.confidence[index])))
        return measurements

    def _replace(self, track: Track) -> None:
        self._tracks = [track if t.track_id == track.track_id else t for t in self._tracks]

    def _forget(self, time_s: float) -> None:
        self._tracks = [
            t
            for t in self._tracks
            if t.status is not TrackStatus.LOST or time_s - t.measured_s <= self.config.remember_s
        ]


def _shown(track: Track) -> TrackedFace:
    measured = track.last.landmarks if track.status is TrackStatus.FOLLOWED else None
    return TrackedFace(track.track_id, track.confidence, estimate(track), measured)
