"""Move an avatar of VSeeFace or VMagicMirror: python avatar_vmc.py 0 127.0.0.1:39539."""

import sys

from star_tracker import models, tracker

address, receiver = sys.argv[1:]
with (
    tracker.open_source(address) as source,
    tracker.FaceTracker(models.load_landmarker()) as faces,
    tracker.open_stream("vmc", receiver) as avatar,
):
    for frame in source:
        avatar.write(frame, faces.update(frame.image, frame.time_s))  # never waits
print(avatar)
