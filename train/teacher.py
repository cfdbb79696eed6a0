"""Pseudo-labels for unlabelled faces: MediaPipe's face mesh in the 300W layout, and a network.

The mesh follows other conventions than 300W's annotators. A linear map from its 478 points to the
68, fitted on annotated training pictures only, takes that difference out. The errors of
the two teachers differ, so their mean is more accurate than either; the weight of each is fitted on
the held-out part. A landmark with a larger covariance than usual counts less in training.

    python -m train.teacher --data 300w --pictures unlabelled --weights lite --output pseudo.npz

`train.fit --pseudo-labels` reads what it writes. Without `--weights` the mesh is the only teacher.
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import cv2
import mediapipe as mp
import numpy as np
from jaxtyping import Float, UInt8
from rich.console import Console
from rich.progress import track

from models.checkpoint import CheckpointError
from models.torch_landmarker import HeatmapLandmarker, load_torch_landmarker
from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68

from .datasets import DataError, Sample, hold_out, read_300w, write_pseudo_labels
from .metrics import normalised_mean_error
from .predict import MultiCrop, Predicted, predict

_RIDGE = 0.1
"""Keeps the map from using the mesh's 478 nearly dependent points against each other."""
_PADDING = 0.3
"""Tight pictures get this much of their size around them, or the mesh's detector misses them."""
_MOST_FACES, _LEAST_CONFIDENCE = 3, 0.3
_FindMeshes = Callable[[UInt8[np.ndarray, "height width rgb=3"]], list[Any]]
"""All faces of a picture, each a list of points with x, y, z in shares of the picture."""
_AUGMENTATION = MultiCrop(flips=True, crops=3)


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


def _shipped_mesh() -> _FindMeshes:
    mesh = mp.solutions.face_mesh.FaceMesh(
        static_image_mode=True,
        max_num_faces=_MOST_FACES,
        refine_landmarks=True,  # lips and eyes are measured once more, enlarged
        min_detection_confidence=_LEAST_CONFIDENCE,
    )
    return lambda image: [face.landmark for face in mesh.process(image).multi_face_landmarks or []]


def _face_landmarker(model: Path) -> _FindMeshes:
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


@dataclass(frozen=True, slots=True)
class NetworkTeacher:
    """A network's landmarks, less its mean error on annotated faces."""

    network: HeatmapLandmarker
    bias: Float[np.ndarray, "landmarks xy=2"]
    """Mean error of each landmark, in eye distances."""

    @classmethod
    def fitted(cls, network: HeatmapLandmarker, training: list[Sample]) -> Self:
        """On annotated faces, on which it may have been trained."""
        predicted = predict(network, track(training, "training faces"), _AUGMENTATION).mean
        true = np.stack([sample.points for sample in training])
        eyes = IBUG_68.interocular(true)[:, None, None]
        return cls(network, ((predicted - true) / eyes).mean(0))

    def __call__(self, samples: Iterable[Sample]) -> Predicted:
        predicted = predict(self.network, samples, _AUGMENTATION)
        eyes = IBUG_68.interocular(predicted.mean)[:, None, None]
        return replace(predicted, mean=predicted.mean - self.bias * eyes)


def main() -> None:
    """Parse flags and label."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--pictures", type=Path, required=True, help="folder of face pictures")
    parser.add_argument("--output", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--weights", help="a second teacher: a name or a path")
    parser.add_argument("--mesh", type=Path, help="face_landmarker.task, in place of Face Mesh")
    arguments = parser.parse_args()
    try:
        teach_pictures(
            arguments.data,
            arguments.pictures,
            arguments.output,
            weights=arguments.weights,
            mesh=arguments.mesh,
        )
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


def teach_pictures(
    data: Path, unlabelled: Path, output: Path, *, weights: str | None, mesh: Path | None
) -> None:
    """Label a folder of pictures by the mesh and, where there is one, a network.

    Args:
        data: Folder of 300W.
        unlabelled: Folder of face pictures.
        output: The .npz to write.
        weights: Name or path of a network trained on 300W.
        mesh: `face_landmarker.task`; None: the mesh that mediapipe ships.

    Raises:
        DataError: If data are missing or the network has other landmarks.
        CheckpointError: If the weights are damaged.
    """
    network = load_torch_landmarker(weights) if weights else None
    if network is not None and network.layout_name != IBUG_68.name:
        raise DataError(f"{weights}: its landmarks are not those of 300W")
    teach(data, unlabelled, output, network, mesh=mesh)


def teach(
    data: Path,
    unlabelled: Path,
    output: Path,
    network: HeatmapLandmarker | None = None,
    mesh: Path | None = None,
) -> None:
    """Fit on the annotated training part, evaluate on the held-out part, label the pictures.

    Args:
        data: Folder of 300W.
        unlabelled: Folder of face pictures.
        output: The .npz to write.
        network: A second teacher.
        mesh: `face_landmarker.task`; None: the mesh that mediapipe ships.

    Raises:
        DataError: If data are missing or no face is found.
    """
    mesh_of, console = FaceMesh(mesh), Console()
    training, held = hold_out(read_300w(data))
    mesh_teacher = MeshTeacher.fitted(find_meshes(mesh_of, training))

    def by_mesh(samples: list[Sample]) -> list[Sample]:
        return [mesh_teacher(pair) for pair in find_meshes(mesh_of, samples)]

    truth = {sample.name: sample.points for sample in held}
    judged, faces = by_mesh(held), by_mesh(_pictures(unlabelled))
    if not faces or not judged:
        raise DataError(f"{unlabelled}, {data}: no face is found in any picture of one of them")
    points = np.stack([face.points for face in faces])
    certainty = np.ones(points.shape[:2])
    true = np.stack([truth[sample.name] for sample in judged])
    by_meshes = np.stack([sample.points for sample in judged])
    if network is not None:
        by_network = NetworkTeacher.fitted(network, training)
        held_out = by_network(track(judged, "held-out faces"))
        share = share_of_second(by_meshes, held_out.mean, true)
        by_meshes = (1 - share) * by_meshes + share * held_out.mean
        predicted = by_network(track(faces, "unlabelled faces"))
        points = (1 - share) * points + share * predicted.mean
        usual = np.median(_variance(held_out.mean, held_out.covariance), 0)
        certainty = np.minimum(usual / _variance(predicted.mean, predicted.covariance), 1)
        console.print(f"weight of the network {share:.2f}")
    nme = 100 * normalised_mean_error(by_meshes, true, IBUG_68).mean()
    console.print(f"held out: NME {nme:.2f} % on {len(judged)} of {len(held)} faces")
    first = first_pixels(points, training)
    labelled = [
        replace(face, points=points[i], certainty=certainty[i], first_pixel=float(first[i]))
        for i, face in enumerate(faces)
    ]
    write_pseudo_labels(output, labelled)
    console.print(f"{output}: {len(faces)} faces, mean certainty {certainty.mean():.2f}")


def share_of_second(
    first: Float[np.ndarray, "faces landmarks xy=2"],
    second: Float[np.ndarray, "faces landmarks xy=2"],
    truth: Float[np.ndarray, "faces landmarks xy=2"],
) -> float:
    """Weight of the second teacher in the mean that is nearest to the truth in eye distances."""
    eyes = IBUG_68.interocular(truth)[:, None, None]
    apart, missing = (second - first) / eyes, (truth - first) / eyes
    return float(np.clip((apart * missing).sum() / max((apart * apart).sum(), 1e-12), 0, 1))


def first_pixels(
    faces: Float[np.ndarray, "faces landmarks xy=2"], annotated: list[Sample]
) -> Float[np.ndarray, " faces"]:
    """`Sample.first_pixel` of pseudo-labels by teachers fitted on these annotations.

    They inherit the mean offset of the annotations, in proportion to the size of the face.
    """
    offsets = [face.first_pixel / IBUG_68.interocular(face.points) for face in annotated]
    return np.mean(offsets) * IBUG_68.interocular(faces)


def _variance(mean: np.ndarray, covariance: np.ndarray) -> Float[np.ndarray, "faces landmarks"]:
    """In square eye distances."""
    eyes = IBUG_68.interocular(mean)[:, None]
    return np.trace(covariance, axis1=-2, axis2=-1) / eyes**2


def _pictures(folder: Path) -> list[Sample]:
    pictures = [Sample(path.resolve(), np.empty((0, 2))) for path in sorted(folder.rglob("*.jpg"))]
    if not pictures:
        raise DataError(f"{folder}: no .jpg below it")
    return pictures


if __name__ == "__main__":
    main()
