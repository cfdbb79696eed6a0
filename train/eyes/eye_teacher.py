"""MediaPipe's Face Landmarker as a teacher of eyes: irises, corners, and how far each is shut."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float

from tracker.analysis.eye_crop import Corners
from tracker.types import Image
from train.mesh_teacher import mediapipe

_CORNERS = ((33, 133), (263, 362))
"""Mesh vertices: of the right and the left eye the outer corner, then the inner."""
_IRISES = (468, 473)
_BLINKS = ("eyeBlinkRight", "eyeBlinkLeft")
_PADDING = 0.3
"""Tight pictures get this much of their size around them, or no face is found."""
_LEAST_CONFIDENCE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class TaughtFace:
    """What the teacher says of one face."""

    mesh: Float[np.ndarray, "vertices xy=2"]
    """Picture pixels."""
    coefficients: dict[str, float]
    """Its blend shapes, by ARKit's names."""


@dataclass(frozen=True, slots=True, eq=False)
class TaughtEyes:
    """Both eyes of one face, the right one first."""

    corners: Corners
    """Picture pixels."""
    pupils: Float[np.ndarray, "eyes=2 xy=2"]
    """Picture pixels; guessed where the eye is shut."""
    shut: Float[np.ndarray, "eyes=2"]
    """0 to 1, as the teacher's blend shapes have it."""


class FaceTeacher:
    """Says what the face nearest to a picture's middle does.

    Args:
        model: `face_landmarker.task`.
    """

    def __init__(self, model: Path) -> None:
        self._mediapipe: Any = mediapipe()
        tasks = self._mediapipe.tasks
        options = tasks.vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(model)),
            num_faces=3,
            min_face_detection_confidence=_LEAST_CONFIDENCE,
            min_face_presence_confidence=_LEAST_CONFIDENCE,
            output_face_blendshapes=True,
        )
        self._landmarker = tasks.vision.FaceLandmarker.create_from_options(options)

    def __call__(self, image: Image) -> TaughtFace | None:
        """None where no face is found."""
        height, width = image.shape[:2]
        border = round(_PADDING * max(height, width))
        padded = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
        picture = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(padded)
        )
        answer = self._landmarker.detect(picture)
        if not answer.face_landmarks:
            return None
        size = np.array([padded.shape[1], padded.shape[0]])
        meshes = [
            np.array([(point.x, point.y) for point in mesh]) * size - border - 0.5
            for mesh in answer.face_landmarks
        ]
        middle = np.array([width / 2, height / 2])
        nearest = int(np.argmin([np.linalg.norm(mesh.mean(0) - middle) for mesh in meshes]))
        scores = {shape.category_name: shape.score for shape in answer.face_blendshapes[nearest]}
        return TaughtFace(meshes[nearest], scores)


class EyeTeacher:
    """Says where the eyes of the face nearest to a picture's middle are.

    Args:
        model: `face_landmarker.task`.
    """

    def __init__(self, model: Path) -> None:
        self._teacher = FaceTeacher(model)

    def __call__(self, image: Image) -> TaughtEyes | None:
        """None where no face is found."""
        face = self._teacher(image)
        if face is None:
            return None
        shut = np.array([face.coefficients[name] for name in _BLINKS])
        return TaughtEyes(face.mesh[np.array(_CORNERS)], face.mesh[list(_IRISES)], shut)
