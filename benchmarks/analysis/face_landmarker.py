"""MediaPipe's Face Landmarker: its head matrix and blendshapes of the largest face."""

from importlib import import_module
from pathlib import Path
from typing import Any, Self

import numpy as np

from tracker.errors import FaceTrackError
from tracker.types import Image

_FLIP = np.diag([1.0, -1.0, -1.0])
"""Its frames have y up and z towards the camera."""


_IRISES = (468, 473)
"""Vertices in the middle of the right and the left iris."""


class FaceLandmarker:
    """The rival; a context manager.

    Args:
        path: Of `face_landmarker.task`.
        video: With its own smoothing from frame to frame.

    Raises:
        FaceTrackError: If mediapipe or the file is missing.
    """

    def __init__(self, path: Path, *, video: bool) -> None:
        if not path.is_file():
            raise FaceTrackError(f"{path}: no such file: name Face Landmarker's .task file")
        try:
            self._mediapipe = import_module("mediapipe")
            tasks: Any = import_module("mediapipe.tasks.python")
        except ImportError as error:
            raise FaceTrackError(f"Face Landmarker needs mediapipe ({error})") from error
        vision = tasks.vision
        modes = vision.RunningMode
        self._landmarker = vision.FaceLandmarker.create_from_options(
            vision.FaceLandmarkerOptions(
                base_options=tasks.BaseOptions(model_asset_path=str(path)),
                running_mode=modes.VIDEO if video else modes.IMAGE,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
        )
        self._video = video

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._landmarker.close()

    def __call__(
        self, image: Image, time_s: float = 0.0
    ) -> tuple[np.ndarray, dict[str, float]] | None:
        """Rotation in our frames, and coefficients by name; None where it finds nothing."""
        found = self._found(image, time_s)
        if not found.face_landmarks:
            return None
        turned = np.array(found.facial_transformation_matrixes[0])[:3, :3]
        shapes = {c.category_name: float(c.score) for c in found.face_blendshapes[0]}
        return _FLIP @ turned @ _FLIP, shapes

    def irises(self, image: Image) -> np.ndarray | None:
        """Pixels of the right and the left iris, (2, 2); None where it finds nothing."""
        found = self._found(image, 0.0)
        if not found.face_landmarks:
            return None
        height, width = image.shape[:2]
        places = [(found.face_landmarks[0][i].x, found.face_landmarks[0][i].y) for i in _IRISES]
        return np.array(places) * (width, height) - 0.5

    def _found(self, image: Image, time_s: float) -> Any:
        picture = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image)
        )
        if self._video:
            return self._landmarker.detect_for_video(picture, round(1000 * time_s))
        return self._landmarker.detect(picture)
