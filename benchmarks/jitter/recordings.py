"""Raw measurements of every frame of a clip, kept on disk so that filters replay them.

One run of the tracker gives the raw measurements; every filter then smooths the same ones.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from tracker.face_tracker import FaceTracker
from tracker.layouts import Layout, find_layout, layout_table
from tracker.run.stability import Times, Track2D
from tracker.types import Face, Frame, LandmarkEstimate, Measurement
from train.synthetic.clips import Clip

FOLDER = Path(__file__).parents[2] / "runs" / "recordings"
_FLAT = ("name", "kind", "layout")
"""Fields that are stored as JSON, the others as arrays."""

Covariances2D = Float[np.ndarray, "frames landmarks xy=2 xy=2"]


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Raw measurements of one face; NaN in frames that gave none."""

    name: str
    """Of the face or the file."""
    kind: str
    """Of the clip, as in `train.synthetic`; "real" for a video file."""
    layout: Layout
    times_s: Times
    mean: Track2D
    """Frame pixels."""
    absolute: Covariances2D
    measurement_noise: Covariances2D
    confidence: Float[np.ndarray, " frames"]
    ids: Int[np.ndarray, " frames"]
    """Track that gave the measurement; -1 for none."""
    truth: Track2D | None = None
    """Known motion applied to the landmarks of the photograph; None for a video file."""

    @property
    def is_measured(self) -> Bool[np.ndarray, " frames"]:
        """Frames with a measurement."""
        return self.ids >= 0

    @property
    def eye_px(self) -> float:
        """Median inter-ocular distance: of the truth where it is known."""
        points = self.mean[self.is_measured] if self.truth is None else self.truth
        return float(np.median(self.layout.interocular(points)))

    def measurement(self, frame: int) -> Measurement:
        """The filter's input in this frame; only where `is_measured`."""
        landmarks = LandmarkEstimate(self.mean[frame], self.absolute[frame])
        return Measurement(landmarks, self.measurement_noise[frame], float(self.confidence[frame]))


def record_clip(tracker: FaceTracker, clip: Clip, name: str) -> Recording:
    """Run the tracker over a clip; in each frame the face nearest to the truth counts."""
    truth = clip.truth[:, 0]
    tracked = _tracked(tracker, clip.frames())
    chosen = [
        min(faces, key=lambda face, i=i: _distance(face, truth[i]), default=None)  # type: ignore[misc]
        for i, (_, faces) in enumerate(tracked)
    ]
    times = np.array([time_s for time_s, _ in tracked])
    return replace(_recording(tracker, name, clip.name, times, chosen), truth=truth)


def record_video(tracker: FaceTracker, frames: Iterable[Frame], name: str) -> Recording:
    """Run the tracker over a video; the face that is measured most often counts."""
    tracked = _tracked(tracker, frames)
    ids = [face.track_id for _, faces in tracked for face in faces]
    main = max(set(ids), key=ids.count, default=-1)
    chosen = [next((face for face in faces if face.track_id == main), None) for _, faces in tracked]
    times = np.array([time_s for time_s, _ in tracked])
    return _recording(tracker, name, "real", times, chosen)


def _tracked(tracker: FaceTracker, frames: Iterable[Frame]) -> list[tuple[float, list[Face]]]:
    """Time and measured faces of every frame."""
    tracker.reset()
    tracked = []
    for frame in frames:
        faces = tracker.update(frame.image, frame.time_s)
        tracked.append((frame.time_s, [face for face in faces if not face.is_predicted]))
    return tracked


def _distance(face: Face, truth: np.ndarray) -> float:
    assert face.measured is not None
    return float(np.linalg.norm(face.measured.mean - truth, axis=-1).mean())


def _recording(
    tracker: FaceTracker, name: str, kind: str, times: np.ndarray, faces: list[Face | None]
) -> Recording:
    count, layout = len(faces), tracker.layout
    mean = np.full((count, layout.count, 2), np.nan)
    absolute, noise = np.full((2, count, layout.count, 2, 2), np.nan)
    confidence, ids = np.full(count, np.nan), np.full(count, -1)
    for index, face in enumerate(faces):
        if face is not None and face.measured is not None:
            mean[index], absolute[index] = face.measured.mean, face.measured.covariance
            noise[index], confidence[index] = face.measurement_noise, face.confidence
            ids[index] = face.track_id
    return Recording(name, kind, layout, times, mean, absolute, noise, confidence, ids)


def save(recording: Recording, path: Path) -> None:
    """Write a recording."""
    flat = {
        "name": recording.name,
        "kind": recording.kind,
        "layout": [recording.layout.name, layout_table(recording.layout)],
    }
    arrays = {
        field: getattr(recording, field)
        for field in recording.__slots__
        if field not in _FLAT and getattr(recording, field) is not None
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, description=json.dumps(flat), **arrays)


def load(path: Path) -> Recording:
    """Read what `save` wrote."""
    with np.load(path) as stored:
        flat: dict[str, Any] = json.loads(str(stored["description"]))
        arrays = {key: stored[key] for key in stored.files if key != "description"}
    flat["layout"] = find_layout(*flat["layout"])
    return Recording(**flat, **arrays)


def digest(*parts: object) -> str:
    """A short checksum of what was recorded with what."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part if isinstance(part, bytes) else str(part).encode())
    return hashed.hexdigest()[:10]
