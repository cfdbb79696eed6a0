"""MediaPipe's Face Mesh on a kit, written from RULES.md alone: needs mediapipe and OpenCV only.

python mediapipe_by_the_rules.py KIT tracks.csv [alone]
python -m benchmarks.jitter score KIT MediaPipe=tracks.csv --page scores.html
"""

import csv
import json
import sys
from pathlib import Path

import cv2
import mediapipe

kit, output = Path(sys.argv[1]), Path(sys.argv[2])
alone = sys.argv[3:] == ["alone"]
clips = json.loads((kit / "kit.json").read_text())["clips"]
with output.open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["clip", "frame", "point", "x", "y"])
    for clip in clips:
        film, frame = cv2.VideoCapture(str(kit / clip["file"])), 0
        with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=alone) as mesh:
            while True:
                read, picture = film.read()
                if not read:
                    break
                height, width = picture.shape[:2]
                found = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
                for face in (found.multi_face_landmarks or [])[:1]:
                    for point, mark in enumerate(face.landmark):
                        x, y = mark.x * width - 0.5, mark.y * height - 0.5
                        rows.writerow([clip["name"], frame, point, f"{x:.3f}", f"{y:.3f}"])
                frame += 1
