"""From frames to tracked faces: the only place with state."""

from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Self

import numpy as np

from .checks import boxes_from_corners, checked_boxes, checked_image, checked_time
from .detection.any_roll_detector import AnyRollDetector
from .detection.boxes import Detector, box_around, crop_box
from .detection.face_choice import FaceChoice
from .detection.face_search import FaceSearch, SearchingDetector, searching
from .detection.film_cuts import Shot
from .detection.mediapipe_detector import MediaPipeDetector
from .filter.config import smoothed
from .filter.head_filter import HeadFilter
from .identity.recognition import pairs_of, recognised
from .landmarker import BringsDetector, FrameLandmarker, Landmarker, on_frames
from .layouts import Layout
from .measurer import Measurer
from .track import (
    Track,
    TrackStatus,
    begin,
    coasted,
    dismissed,
    doubtful_tracks,
    expected,
    is_awaited,
    reported_faces,
    seen_as,
    updated,
)
from .tracker_config import Tally, TrackerConfig
from .types import Box, Face, Image, Measurement


class FaceTracker:
    """Follows every face of a video; a context manager. For one thread at a time.

    Args:
        landmarker: Finds landmarks in crops: what `models.load_landmarker()` returns. Needed.
        detector: Finds faces in frames. Without one, that of a landmarker of `models` is loaded
            when it is first needed, with any other landmarker MediaPipe's, and closed with the
            tracker; one that is handed over stays the caller's to close.
        config: Defaults suit webcams and films.

    Raises:
        ValueError: If `landmarker` or `detector` is none.
        FaceTrackError: If the landmarker's layout is not a known one.
    """

    def __init__(
        self,
        landmarker: Landmarker | FrameLandmarker | None = None,
        detector: Detector | None = None,
        config: TrackerConfig | None = None,
    ) -> None:
        if detector is not None and (isinstance(detector, type) or not callable(detector)):
            raise ValueError(
                f"a detector takes an image and returns boxes, got {type(detector).__name__}"
            )
        if config is not None and not isinstance(config, TrackerConfig):
            raise ValueError(f"config must be a TrackerConfig, got {type(config).__name__}")
        self.config = config or TrackerConfig()
        self._landmarker = on_frames(landmarker)
        self.head_filter = HeadFilter(
            self._landmarker.layout, smoothed(self.config.motion, self.config.smoothing)
        )
        """The filter of all tracks; stateless."""
        self.tally = Tally()
        self._detector = searching(detector) if detector is not None else None
        self._own_detector: AnyRollDetector | MediaPipeDetector | None = None
        self.reset()

    @property
    def layout(self) -> Layout:
        """Of the landmarks."""
        return self._landmarker.layout

    def reset(self) -> None:
        """Forget all faces and the time, as before another video; ids start again from 0."""
        self._tracks: list[Track] = []
        self._next_id, self._shot = 0, Shot()
        self._search, self._last_s = FaceSearch(self.config.detect_every_s), -np.inf

    def close(self) -> None:
        """Free the tracker's own detector; used again, the tracker loads it anew."""
        if self._own_detector is not None:
            self._own_detector.close()
            self._detector = self._own_detector = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def detect(
        self, image: Image, *, boxes: object = None, image_format: str = "rgb"
    ) -> list[Face]:
        """The faces of one picture, which has nothing to do with any other.

        Each face is measured in six crops (test-time augmentation), which errs less. The faces that
        `update` follows stay as they are.

        Args:
            image: (height, width, 3) uint8.
            boxes: Of your own detector, as in `update`.
            image_format: "rgb", or "bgr" as OpenCV reads pictures.

        Returns:
            At most `max_faces`, the largest first, with ids from 0; as `faces` and `region` in the
            configuration say.

        Raises:
            ValueError: If the image or the boxes are not of that form.
        """
        image = checked_image(image, image_format)
        choice = FaceChoice.of(self.config, image)
        measurer = self._measurer(image, boxes, thorough=True)
        self._note_left_out(measurer.detected, [], choice)
        found = measurer.new_faces(measurer.detected, [], choice, augment=True)[: choice.most]
        tracks = [
            begin(track_id, measurement, 0.0, self.head_filter)
            for track_id, measurement in enumerate(found)
        ]
        self.tally.ids += len(tracks)
        return self._reported(tracks)

    def update(
        self, image: Image, time_s: float, *, boxes: object = None, image_format: str = "rgb"
    ) -> list[Face]:
        """The faces in the next frame of a video.

        Args:
            image: (height, width, 3) uint8.
            time_s: When it was taken, in seconds; never falls.
            boxes: Of your own detector in this frame, (faces, 4): left, top, right and bottom edge
                in pixels; empty if it found none. Without, the tracker's detector runs when needed.
            image_format: "rgb", or "bgr" as OpenCV reads pictures.

        Returns:
            Oldest face first. Lost faces are left out; those of which only a prediction is known
            have `is_predicted`.

        Raises:
            ValueError: If the image, the time or the boxes are not of that form; nothing changes.
        """
        time_s = checked_time(time_s, self._last_s)
        image = checked_image(image, image_format)
        measurer = self._measurer(image, boxes)
        choice = FaceChoice.of(self.config, image)
        self._last_s = time_s
        self._end_tracks_at_cut(image)
        self._follow(measurer, choice, time_s)
        found = measurer.detected if boxes is not None else self._searched(image, choice, time_s)
        if found:
            known = self._followed_boxes()
            self._note_left_out(found, known, choice)
            self._adopt(measurer.new_faces(found, known, choice), choice, time_s)
            seen = choice.candidates(found, known)
            self._search = self._search.refusing(seen, self._followed_boxes(), time_s)
        self._tracks = recognised(self._tracks, time_s)
        self._forget(time_s)
        return self._reported([t for t in self._tracks if t.status is not TrackStatus.LOST])

    def _reported(self, tracks: list[Track]) -> list[Face]:
        faces = reported_faces(tracks, self.head_filter)
        self.tally.frames += 1
        self.tally.faces += sum(not face.is_predicted for face in faces)
        return faces

    def _measurer(self, image: Image, boxes: object, *, thorough: bool = False) -> Measurer:
        """The picture with boxes of the caller, or of the tracker's detector when it needs them."""
        upright = self.config.upright_deg
        if boxes is None:
            detect = partial(self._detected_in, image, thorough)
            return Measurer(image, self._landmarker, detect, upright)
        found = boxes_from_corners(boxes)
        return Measurer(image, self._landmarker, lambda: found, upright)

    def _detected_in(self, image: Image, thorough: bool) -> list[Box]:
        detector = self._loaded_detector()
        self.tally.detections += 1
        return checked_boxes(detector.search(image) if thorough else detector(image))

    def _loaded_detector(self) -> SearchingDetector:
        if self._detector is None:
            self._own_detector = _default_detector(self._landmarker.detector_source)
            self._detector = searching(self._own_detector)
        return self._detector

    def _end_tracks_at_cut(self, image: Image) -> None:
        """The faces of a new shot are others, unless they look like known ones."""
        if not self.config.detect_cuts:
            return
        self._shot, is_cut = self._shot.followed_by(image)
        if is_cut:
            self.tally.cuts += 1
            self.tally.lost += sum(t.status is not TrackStatus.LOST for t in self._tracks)
            self._tracks = [dismissed(t) for t in self._tracks if t.appearance.mean is not None]
            self._search = FaceSearch(self.config.detect_every_s)

    def _follow(self, measurer: Measurer, choice: FaceChoice, now: float) -> None:
        """Measure every live track in the crop where its motion model expects it."""
        live = [t for t in self._tracks if t.status is not TrackStatus.LOST]
        if not live:
            return
        places = expected(live, now, self.head_filter)
        boxes = [crop_box(points, self.layout, self.config.upright_deg) for points in places]
        measurements = measurer.confirmed(measurer.measure(boxes))
        doubtful = doubtful_tracks(live, places, measurements, self.config.keep_confidence)
        pairs = [
            (t if t.track_id in doubtful else seen_as(t, m, now, self.head_filter), m)
            for t, m in zip(live, measurements, strict=True)
        ]
        is_sure = [t.track_id not in doubtful and not t.appearance.is_anothers for t, _ in pairs]
        sure = [pair for pair, good in zip(pairs, is_sure, strict=True) if good]
        new = updated([t for t, _ in sure], [m for _, m in sure], now, self.head_filter)
        new += [
            coasted(t, m.confidence, now, self.head_filter)
            for (t, m), good in zip(pairs, is_sure, strict=True)
            if not good
        ]
        for track in new:
            is_gone = track.appearance.is_anothers or choice.has_left(track.points)
            after = replace(track, status=TrackStatus.LOST) if is_gone else track
            self._replace(dismissed(after) if track.appearance.is_anothers else after)
            self.tally.lost += after.status is TrackStatus.LOST
        self._adopt([m for t, m in pairs if t.appearance.is_anothers], choice, now)

    def _searched(self, image: Image, choice: FaceChoice, time_s: float) -> list[Box]:
        """What the detector finds where it looks in this frame; often it need not look."""
        missed = [box_around(t.points) for t in self._tracks if is_awaited(t, time_s)]
        followed = self._followed_boxes()
        if len(followed) >= choice.most:
            missed = []  # only a much larger face may take the place of a smaller one
        look = self._search.look(image, self._loaded_detector(), time_s, followed, missed)
        self._search = look.after
        self.tally.detections += look.is_look
        return look.boxes

    def _followed_boxes(self) -> list[Box]:
        return [box_around(t.points) for t in self._tracks if t.status is TrackStatus.FOLLOWED]

    def _note_left_out(self, found: list[Box], known: list[Box], choice: FaceChoice) -> None:
        self.tally.left_out = max(self.tally.left_out, choice.too_many(found, known))

    def _adopt(self, found: list[Measurement], choice: FaceChoice, time_s: float) -> None:
        """Give found faces to tracks that miss one, else new ids, while there is room."""
        waiting = [t for t in self._tracks if t.status is not TrackStatus.FOLLOWED]
        pairs = pairs_of(waiting, found, time_s, self.head_filter, choice.area)
        owner = {index: track for track, index in pairs}
        for index, measurement in enumerate(found):
            track = owner.get(index)
            if track is None:
                if self._has_room_for(measurement, choice):
                    self.tally.ids += 1
                    new = begin(self._next_id, measurement, time_s, self.head_filter)
                    self._next_id += 1
                    self._tracks.append(new)
            elif track.status is TrackStatus.COASTING or self._has_room_for(measurement, choice):
                self.tally.reacquired += track.status is TrackStatus.LOST
                self._replace(begin(track.track_id, measurement, time_s, self.head_filter, track))

    def _has_room_for(self, measurement: Measurement, choice: FaceChoice) -> bool:
        """Whether one more face is followed; a clearly better one makes its room."""
        live = [t for t in self._tracks if t.status is not TrackStatus.LOST]
        if len(live) < choice.most:
            return True
        boxes = [box_around(track.points) for track in live]
        worst = choice.worst(boxes)
        if not choice.takes_place_of(box_around(measurement.landmarks.mean), boxes[worst]):
            return False
        self._tracks = [t for t in self._tracks if t.track_id != live[worst].track_id]
        self.tally.lost += 1
        return True

    def _replace(self, track: Track) -> None:
        self._tracks = [track if t.track_id == track.track_id else t for t in self._tracks]

    def _forget(self, time_s: float) -> None:
        self._tracks = [
            t
            for t in self._tracks
            if t.status is not TrackStatus.LOST or time_s - t.measured_s <= self.config.remember_s
        ]


def _default_detector(source: BringsDetector | None) -> AnyRollDetector | MediaPipeDetector:
    return AnyRollDetector(source.load_face_detector()) if source else MediaPipeDetector()
