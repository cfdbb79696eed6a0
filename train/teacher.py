"""Labels for unlabelled faces: MediaPipe's face mesh, translated into the 300W layout.

The mesh marks other places than 300W's annotators did. A linear map from its 468 points to the
68, fitted on annotated training pictures only, takes that difference out; the file it writes is
read by `train.fit --pseudo-labels`.

    python -m train.teacher --data 300w --pictures unlabelled --output runs/pseudo.npz
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import mediapipe as mp
import numpy as np
from jaxtyping import Float, UInt8
from rich.console import Console
from rich.progress import track

from tracker.layouts import IBUG_68

from .datasets import DataError, Sample, hold_out, read_300w
from .metrics import normalised_mean_error

_RIDGE = 0.1
"""Keeps the map from using the mesh's 468 nearly dependent points against each other."""
_PADDING = 0.3
"""Tight pictures get this much of their size around them, or the mesh's detector misses them."""


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
    """MediaPipe's mesh of the face nearest to the middle of a picture."""

    def __init__(self) -> None:
        self._mesh = mp.solutions.face_mesh.FaceMesh(
            static_image_mode=True, max_num_faces=3, min_detection_confidence=0.3
        )

    def __call__(
        self, image: UInt8[np.ndarray, "height width rgb=3"]
    ) -> Float[np.ndarray, "points xyz=3"] | None:
        """Points in pixels of `image` (z in pixels too), or None if there is no face."""
        height, width = image.shape[:2]
        border = round(_PADDING * max(height, width))
        padded = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
        padded_height, padded_width = padded.shape[:2]
        found = self._mesh.process(padded).multi_face_landmarks or []
        to_pixels = np.array([padded_width, padded_height, padded_width], dtype=np.float32)
        origin = np.array([border + 0.5, border + 0.5, 0], dtype=np.float32)
        meshes = [
            np.array([(p.x, p.y, p.z) for p in face.landmark], dtype=np.float32) * to_pixels
            - origin
            for face in found
        ]
        middle = np.array([width / 2, height / 2])
        return min(
            meshes, key=lambda mesh: np.linalg.norm(mesh[:, :2].mean(0) - middle), default=None
        )


def _label(mesh_of: FaceMesh, samples: list[Sample]) -> list[tuple[Sample, np.ndarray]]:
    found = []
    for sample in track(samples, "annotated faces"):
        if (mesh := mesh_of(sample.read_image())) is not None:
            found.append((sample, mesh))
    return found


def main() -> None:
    """Parse flags and label."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--pictures", type=Path, required=True, help="folder of face pictures")
    parser.add_argument("--output", type=Path, required=True, help="the .npz to write")
    arguments = parser.parse_args()
    try:
        teach(arguments.data, arguments.pictures, arguments.output)
    except DataError as error:
        parser.exit(2, f"error: {error}\n")


def teach(data: Path, unlabelled: Path, output: Path) -> None:
    """Fit on the training part of the annotations, judge on the held-out part, label the rest."""
    mesh_of, console = FaceMesh(), Console()
    training, held = hold_out(read_300w(data))
    fitted = _label(mesh_of, training)
    translate = fit_mesh_to_landmarks([m for _, m in fitted], [s.points for s, _ in fitted])
    judged = _label(mesh_of, held)
    predicted = np.stack([translate(mesh) for _, mesh in judged])
    truth = np.stack([sample.points for sample, _ in judged])
    nme = 100 * normalised_mean_error(predicted, truth, IBUG_68).mean()
    console.print(f"held out: NME {nme:.2f} % on {len(judged)} of {len(held)} faces")
    pictures, points = [], []
    for path in track(sorted(unlabelled.rglob("*.jpg")), "unlabelled faces"):
        if (mesh := mesh_of(Sample(path, np.empty((0, 2))).read_image())) is not None:
            pictures.append(str(path.resolve()))
            points.append(translate(mesh).astype(np.float32))
    if not points:
        raise DataError(f"{unlabelled}: no .jpg with a face below it")
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(output, pictures=np.array(pictures), points=np.stack(points))
    console.print(f"{output}: {len(points)} faces")


if __name__ == "__main__":
    main()
