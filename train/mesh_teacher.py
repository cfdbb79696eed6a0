"""MediaPipe's face mesh as a teacher: found in pictures, mapped to the 300W layout.

The mesh follows other conventions than 300W's annotators. A linear map from its 478 points to the
68 landmarks, fitted on annotated training pictures only, removes that difference.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from rich.progress import track

from .datasets import DataError, Sample

_RIDGE = 0.1
"""Keeps the map from using the mesh's 478 nearly dependent points against each other."""
_PADDING = 0.3
"""Tight pictures get this much of their size around them, or the mesh's detector misses them."""
_MOST_FACES, _LEAST_CONFIDENCE = 3, 0.3
_FindMeshes = Callable[[UInt8[np.ndarray, "height width rgb=3"]], list[Any]]
"""All faces of a picture, each a list of points with x, y, z in shares of the picture."""


@dataclass(frozen=True, slots=True)
class MeshToLandmarks:
    """Linear map between shapes that are both relative to the mesh's own centre and size."""

    mesh_mean: Float[np.ndarray, " mesh_coordinates"]
    landmark_mean: Float[np.ndarray, " landmark_coordinates"]
    weights: Float[np.ndarray, "mesh_coordinates landmark_coordinates"]

    def __call__(
        self, mesh: Float[np.ndarray, "points xyz=3"]
    ) -> Float[np.ndarray, "landmarks xy=2"]:
        shape, center, size = _relative(mesh)
        landmarks = (shape - self.mesh_mean) @ self.weights + self.landmark_mean
        return landmarks.reshape(-1, 2) * size + center


def fit_mesh_to_landmarks(
    meshes: list[Float[np.ndarray, "points xyz=3"]],
    landmarks: list[Float[np.ndarray, "landmarks xy=2"]],
) -> MeshToLandmarks:
    """Ridge regression from meshes to the annotations of the same faces, all in pixels."""
    relative = [_relative(mesh) for mesh in meshes]
    inputs = np.stack([shape for shape, _, _ in relative])
    outputs = np.stack(
        [
            ((points - center) / size).ravel()
            for points, (_, center, size) in zip(landmarks, relative, strict=True)
        ]
    )
    mesh_mean, landmark_mean = inputs.mean(0), outputs.mean(0)
    centered = inputs - mesh_mean
    gram = centered.T @ centered + _RIDGE * np.eye(centered.shape[1])
    weights = np.linalg.solve(gram, centered.T @ (outputs - landmark_mean))
    return MeshToLandmarks(mesh_mean, landmark_mean, weights)


def _relative(
    mesh: Float[np.ndarray, "points xyz=3"],
) -> tuple[Float[np.ndarray, " coordinates"], Float[np.ndarray, "xy=2"], float]:
    center = mesh.mean(0)
    size = float(np.sqrt(np.square(mesh[:, :2] - center[:2]).sum(-1).mean()))
    return ((mesh - center) / size).ravel(), center[:2], size


class FaceMesh:
    """MediaPipe's mesh of the face nearest to the middle of a picture.

    Args:
        model: `face_landmarker.task`, the newer model; None: the one that mediapipe ships.
    """

    def __init__(self, model: Path | None = None) -> None:
        self._find = _shipped_mesh() if model is None else _face_landmarker(model)

    def __call__(
        self, image: UInt8[np.ndarray, "height width rgb=3"]
    ) -> Float[np.ndarray, "points xyz=3"] | None:
        """Points in pixels of `image` (z in pixels too), or None if there is no face."""
        height, width = image.shape[:2]
        border = round(_PADDING * max(height, width))
        padded = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
        padded_height, padded_width = padded.shape[:2]
        to_pixels = np.array([padded_width, padded_height, padded_width], dtype=np.float32)
        origin = np.array([border + 0.5, border + 0.5, 0], dtype=np.float32)
        meshes = [
            np.array([(p.x, p.y, p.z) for p in points], dtype=np.float32) * to_pixels - origin
            for points in self._find(padded)
        ]
        middle = np.array([width / 2, height / 2])
        return min(
            meshes, key=lambda mesh: np.linalg.norm(mesh[:, :2].mean(0) - middle), default=None
        )


def mediapipe() -> Any:
    """Raises DataError where it is not installed."""
    try:
        import mediapipe  # noqa: PLC0415 - of the extra of that name
    except ModuleNotFoundError as error:
        raise DataError(
            f"a mesh needs a package that is not installed ({error.name}): "
            "run 'pip install mediapipe==0.10.21'"
        ) from error
    return mediapipe


def _shipped_mesh() -> _FindMeshes:
    mp = mediapipe()
    mesh = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=True,
        max_num_faces=_MOST_FACES,
        refine_landmarks=True,  # lips and eyes are measured once more, enlarged
        min_detection_confidence=_LEAST_CONFIDENCE,
    )
    return lambda image: [face.landmark for face in mesh.process(image).multi_face_landmarks or []]


def _face_landmarker(model: Path) -> _FindMeshes:
    mp = mediapipe()
    options = mp.tasks.vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=str(model)),
        num_faces=_MOST_FACES,
        min_face_detection_confidence=_LEAST_CONFIDENCE,
        min_face_presence_confidence=_LEAST_CONFIDENCE,
    )
    landmarker = mp.tasks.vision.FaceLandmarker.create_from_options(options)

    def find(image: UInt8[np.ndarray, "height width rgb=3"]) -> list[Any]:
        found = landmarker.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=image))
        return list(found.face_landmarks)

    return find


@dataclass(frozen=True, slots=True)
class MeshPair:
    """The meshes of a picture and of its mirror image, both in pixels of the picture."""

    sample: Sample
    mesh: Float[np.ndarray, "points xyz=3"]
    in_mirror: Float[np.ndarray, "points xyz=3"]
    """Under the names of the mirror image: left of the face is right."""


def find_meshes(mesh_of: FaceMesh, samples: list[Sample]) -> list[MeshPair]:
    """Meshes of the pictures in which a face is found both ways.

    Raises:
        DataError: If a picture cannot be read.
    """
    found = []
    for sample in track(samples, "meshes"):
        image = sample.read_image()
        mesh, in_mirror = mesh_of(image), mesh_of(np.ascontiguousarray(image[:, ::-1]))
        if mesh is not None and in_mirror is not None:
            in_mirror[:, 0] = image.shape[1] - 1 - in_mirror[:, 0]
            found.append(MeshPair(sample, mesh, in_mirror))
    return found


@dataclass(frozen=True, slots=True)
class MeshTeacher:
    """Landmarks by the mean of both meshes of a face, mapped to the layout."""

    of_mesh: MeshToLandmarks
    of_mirror: MeshToLandmarks
    """A map of its own: annotations are no mirror images of each other."""

    @classmethod
    def fitted(cls, annotated: list[MeshPair]) -> Self:
        """On annotated pictures."""
        points = [pair.sample.points for pair in annotated]
        return cls(
            fit_mesh_to_landmarks([pair.mesh for pair in annotated], points),
            fit_mesh_to_landmarks([pair.in_mirror for pair in annotated], points),
        )

    def __call__(self, pair: MeshPair) -> Sample:
        points = (self.of_mesh(pair.mesh) + self.of_mirror(pair.in_mirror)) / 2
        return replace(pair.sample, points=points)
