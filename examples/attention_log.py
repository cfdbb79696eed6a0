"""Log who begins and ends to face the camera: python attention_log.py clip.mp4 (or 0)."""

import sys

from star_tracker import models, tracker


def faces_the_camera(face: tracker.Face) -> bool:
    """By head pose within 20 degrees; without one, the nose is midway between the eyes."""
    if face.analysis is not None:
        return bool(face.analysis.pose.rotation[2, 2] > 0.94)
    right, left, nose = face.landmarks.mean[[36, 45, 30], 0]
    return bool(0.35 < (nose - right) / (left - right) < 0.65)


attentive: set[int] = set()
with (
    tracker.open_source(sys.argv[1]) as source,
    tracker.FaceTracker(models.load_landmarker()) as faces,
):
    for frame in source:
        found = [face for face in faces.update(frame.image, frame.time_s) if face.is_believed]
        now = {face.track_id for face in found if faces_the_camera(face)}
        for track_id in sorted(now ^ attentive):
            print(f"{frame.time_s:.3f},{track_id},{'looks' if track_id in now else 'looks away'}")
        attentive = now
