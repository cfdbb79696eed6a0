"""The demonstration that needs no camera, file or network: a portrait in a simulated camera."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..crop import transform
from ..face_tracker import FaceTracker
from ..io.simulated_camera import SimulatedCamera, portrait, still_then_moving
from ..layouts import Layout
from ..run.stability import lag_s, static_jitter
from ..types import Face, Frame

_STILL_S, _MOVING_S = 4.0, 6.0
_SETTLED_S = 1.0
"""Left out of the still part: the filter starts knowing nothing."""


def demo_camera(seed: int = 0) -> SimulatedCamera:
    """Four seconds of stillness, six of motion; `seed` draws the sensor noise."""
    path = still_then_moving(_STILL_S)
    return SimulatedCamera(portrait(), path, _STILL_S + _MOVING_S, seed=seed)


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What the filter took out, and what it cost."""

    raw_jitter_percent: float
    """Of the inter-ocular distance, while the portrait is still."""
    filtered_jitter_percent: float
    raw_lag_frames: float
    """While it moves."""
    filtered_lag_frames: float

    @property
    def times_quieter(self) -> float:
        return self.raw_jitter_percent / self.filtered_jitter_percent


class DemoRecorder:
    """A sink that keeps raw and filtered landmarks of the one face, to measure them."""

    def __init__(self, camera: SimulatedCamera, layout: Layout) -> None:
        self._camera, self._layout = camera, layout
        self._times: list[float] = []
        self._raw: list[np.ndarray] = []
        self._filtered: list[np.ndarray] = []

    def write(self, frame: Frame, faces: list[Face]) -> None:
        """Keep this frame if its face was measured."""
        if len(faces) == 1 and faces[0].measured is not None:
            self._times.append(frame.time_s)
            self._raw.append(faces[0].measured.mean)
            self._filtered.append(faces[0].landmarks.mean)

    def close(self) -> None:
        """Nothing is open."""

    def report(self, tracker: FaceTracker) -> DemoReport | None:
        """Measure against the known motion; None if frames were lost or it was interrupted."""
        if len(self._times) != self._camera.frame_count:
            return None
        times = np.array(self._times)
        truth = self._truth(tracker, times)
        raw, filtered = np.stack(self._raw), np.stack(self._filtered)
        eyes = float(self._layout.interocular(truth[0]))
        still = (times >= _SETTLED_S) & (times < _STILL_S)
        moving = times >= _STILL_S
        rate = self._camera.frame_rate
        return DemoReport(
            100 * static_jitter(raw[still], eyes),
            100 * static_jitter(filtered[still], eyes),
            rate * lag_s(times[moving], raw[moving], truth[moving]),
            rate * lag_s(times[moving], filtered[moving], truth[moving]),
        )

    def _truth(
        self, tracker: FaceTracker, times: Float[np.ndarray, " frames"]
    ) -> Float[np.ndarray, "frames landmarks xy=2"]:
        """Landmarks of the first view without noise, moved as the camera moved."""
        tracker.reset()
        (face,) = tracker.update(self._camera.view(0.0), 0.0)
        photograph_from_frame = np.linalg.inv(self._camera.path(0.0))
        on_photograph = transform(photograph_from_frame, face.landmarks.mean)
        return np.stack([transform(self._camera.path(t), on_photograph) for t in times])
