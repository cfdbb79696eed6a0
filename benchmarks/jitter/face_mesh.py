"""MediaPipe Face Mesh on the same clips: its own points against their own still position.

Pictures alone give its raw points; its video mode tracks from frame to frame. The truth of its 468
points is their mean position in pictures alone, moved by the known motion.
"""

import mediapipe
import numpy as np

from tracker.layouts import Layout, Outline
from tracker.run.stability import Track2D
from tracker.types import Frame, Points
from train.synthetic.clips import Clip

from .recordings import Recording, load, save
from .truth_metrics import as_complex
from .virtual_clips import RecordingCache, Subject

ALONE, VIDEO = "Face Mesh, each picture alone", "Face Mesh, video"
SMOOTHED = "Face Mesh, video, then MediaPipe's One Euro"
"""As its newer Face Landmarker does where there is one face."""
METHODS = (ALONE, VIDEO, SMOOTHED)
KINDS = ("still", "pan", "drift", "zoom", "roll", "shake", "step", "walk-up", "blink", "mouth")

FACE_MESH = Layout(
    name="MediaPipe-468",
    count=468,
    # The rings by which eyes and mouths are usually measured.
    outlines=(
        Outline("right eye", (33, 160, 158, 133, 153, 144), closed=True),
        Outline("left eye", (362, 385, 387, 263, 373, 380), closed=True),
        Outline("inner lip", (78, 81, 13, 311, 308, 402, 14, 178), closed=True),
    ),
    mirror_pairs=(),
    eye_corners=(33, 263),
)


def record_face_mesh(
    cache: RecordingCache, subject: Subject, kind: str
) -> tuple[Recording, Recording]:
    """A clip through Face Mesh, or from the cache: each picture alone, and as a video."""
    paths = [
        cache.path(subject, f"{kind}-mesh-{mode}", mediapipe.__version__.encode())
        for mode in ("alone", "video")
    ]
    if not all(path.exists() for path in paths) or cache.fresh:
        clip = cache.clip(subject, kind)
        alone, video = (_run(clip, alone) for alone in (True, False))
        truth = _truth(clip, alone)
        for path, points in zip(paths, (alone, video), strict=True):
            save(_recording(clip, subject.name, points, truth), path)
    from_pictures, from_video = (load(path) for path in paths)
    return from_pictures, from_video


def _run(clip: Clip, alone: bool) -> Track2D:
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=alone) as mesh:
        return np.stack([_points(mesh.process(frame.image), frame) for frame in clip.frames()])


def _points(found: object, frame: Frame) -> Points:
    faces = getattr(found, "multi_face_landmarks", None)
    if not faces:
        return np.full((FACE_MESH.count, 2), np.nan)
    height, width = frame.image.shape[:2]
    shares = np.array([(mark.x, mark.y) for mark in faces[0].landmark])
    # MediaPipe counts from the corner of the first pixel, we from its centre.
    return shares * [width, height] - 0.5


def _truth(clip: Clip, alone: Track2D) -> Track2D:
    """The mean position on the first frame's face, moved with the parts that no gesture moves."""
    still = [o.members for o in clip.layout.outlines if "brow" in o.name or "nose" in o.name]
    firm = clip.truth[:, 0, [i for members in still for i in members]]
    moved = as_complex(firm - firm.mean(1, keepdims=True))
    similarity = (moved @ moved[0].conj()) / np.square(np.abs(moved[0])).sum()
    middle = as_complex(firm.mean(1))
    home = np.nanmean((as_complex(alone) - middle[:, None]) / similarity[:, None], axis=0)
    truth = similarity[:, None] * home + middle[:, None]
    return np.stack([truth.real, truth.imag], -1)


def _recording(clip: Clip, name: str, points: Track2D, truth: Track2D) -> Recording:
    found = np.isfinite(points).all((1, 2))
    unknown = np.full((*points.shape, 2), np.nan)
    times = np.arange(len(points)) / clip.fps
    confidence = found.astype(float)
    ids = np.where(found, 0, -1)
    return Recording(
        name, clip.name, FACE_MESH, times, points, unknown, unknown, confidence, ids, truth
    )
