"""MediaPipe Face Mesh on the same clips: its own points against their own still position.

Each picture by itself gives its raw points; its video mode tracks from frame to frame. The truth
of its 468 points is where they lie on average, each picture by itself, moved by the known motion.
"""

import mediapipe
import numpy as np
from jaxtyping import Float

from tracker.layouts import Layout, Outline
from tracker.types import Frame, Points
from train.synthetic.clips import Clip

from .jitter_clips import Studio, Subject
from .recordings import Recording, Track2D, load, save

ALONE, VIDEO = "Face Mesh, each picture alone", "Face Mesh, video"
SMOOTHED = "Face Mesh, video, then MediaPipe's One Euro"
"""As its newer Face Landmarker does where there is one face."""
METHODS = (ALONE, VIDEO, SMOOTHED)
KINDS = ("still", "pan", "drift", "zoom", "roll", "shake", "step", "walk-up", "blink", "mouth")

FACE_MESH = Layout(
    name="MediaPipe-468",
    count=468,
    # The rings that others measure eyes and mouths by.
    outlines=(
        Outline("right eye", (33, 160, 158, 133, 153, 144), closed=True),
        Outline("left eye", (362, 385, 387, 263, 373, 380), closed=True),
        Outline("inner lip", (78, 81, 13, 311, 308, 402, 14, 178), closed=True),
    ),
    mirror_pairs=(),
    eye_corners=(33, 263),
)


def look(studio: Studio, subject: Subject, kind: str) -> tuple[Recording, Recording]:
    """A clip through Face Mesh, or from the cache: each picture alone, and as a video."""
    paths = [
        studio.path(subject, f"{kind}-mesh-{mode}", mediapipe.__version__.encode())
        for mode in ("alone", "video")
    ]
    if not all(path.exists() for path in paths) or studio.fresh:
        clip = studio.clip(subject, kind)
        alone, video = (_run(clip, alone) for alone in (True, False))
        truth = _truth(clip, alone)
        for path, points in zip(paths, (alone, video), strict=True):
            save(_recording(clip, subject.name, points, truth), path)
    alone_seen, video_seen = (load(path) for path in paths)
    return alone_seen, video_seen


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
    """The mean place on the first frame's face, moved as the parts that no gesture moves."""
    still = [o.members for o in clip.layout.outlines if "brow" in o.name or "nose" in o.name]
    firm = clip.truth[:, 0, [i for members in still for i in members]]
    moved = _complex(firm - firm.mean(1, keepdims=True))
    turn = (moved @ moved[0].conj()) / np.square(np.abs(moved[0])).sum()
    middle = _complex(firm.mean(1))
    home = np.nanmean((_complex(alone) - middle[:, None]) / turn[:, None], axis=0)
    truth = turn[:, None] * home + middle[:, None]
    return np.stack([truth.real, truth.imag], -1)


def _complex(points: Float[np.ndarray, "*batch xy=2"]) -> np.ndarray:
    return points[..., 0] + 1j * points[..., 1]


def _recording(clip: Clip, name: str, points: Track2D, truth: Track2D) -> Recording:
    seen = np.isfinite(points).all((1, 2))
    unknown = np.full((*points.shape, 2), np.nan)
    times = np.arange(len(points)) / clip.fps
    confidence = seen.astype(float)
    ids = np.where(seen, 0, -1)
    return Recording(
        name, clip.name, FACE_MESH, times, points, unknown, unknown, confidence, ids, truth
    )
