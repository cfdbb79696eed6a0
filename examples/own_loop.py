"""Track faces in your own loop: python own_loop.py clip.mp4 (or 0, a camera)."""

import sys

from star_tracker import models, tracker

with (
    tracker.open_source(sys.argv[1]) as source,
    tracker.FaceTracker(models.load_landmarker()) as faces,
):
    for frame in source:
        for face in faces.update(frame.image, frame.time_s):
            x, y = face.landmarks.mean[30]
            xx, yy = face.landmarks.covariance[30].diagonal()
            print(
                f"{frame.time_s:7.3f} s  face {face.track_id}  confidence {face.confidence:.2f}  "
                f"nose {x:.1f} ± {xx**0.5:.1f}, {y:.1f} ± {yy**0.5:.1f} px"
            )
