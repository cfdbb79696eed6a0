"""Pseudo-labels for unlabelled faces: MediaPipe's face mesh in the 300W layout, and a network.

The errors of the two teachers differ, so their mean is more accurate than either; the weight of
each is fitted on the held-out part. A landmark with a larger covariance than usual counts less in
training.

    python -m train.teacher --data 300w --pictures unlabelled --weights lite --output pseudo.npz

`train.fit --pseudo-labels` reads what it writes. Without `--weights` the mesh is the only teacher.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float
from rich.console import Console
from rich.progress import track

from models.checkpoint import CheckpointError
from models.torch_landmarker import HeatmapLandmarker, load_torch_landmarker
from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68

from .datasets import DataError, Sample, hold_out, read_300w, write_pseudo_labels
from .mesh_teacher import FaceMesh, MeshTeacher, find_meshes
from .metrics import normalised_mean_error
from .predict import MultiCrop, Predicted, predict

_AUGMENTATION = MultiCrop(flips=True, crops=3)


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
    """Weight of the second teacher in the mean that is nearest to the truth in eye distances.

    Args:
        first: Pixels.
        second: Pixels.
        truth: Pixels.

    Returns:
        Between 0 and 1.
    """
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
