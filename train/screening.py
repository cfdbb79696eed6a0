"""Machine-made annotations made fit for training: offset taken out, gross errors thrown out.

Annotations by another network, or of rendered heads, follow other conventions than 300W's, and a
few are wrong altogether. They are compared with the landmarks of a network that was trained on
300W. On nearly frontal faces, where it is accurate, the median difference of each landmark is a
difference of convention and is subtracted from all annotations. Faces on which both still disagree
by far are rejected; the limit is wide, for on turned heads it is the network that errs.

    python -m train.screening --data ytf68 --weights lite --certainty 0.5 --output runs/ytf68.npz

`train.fit --further` reads what it writes.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Bool, Float
from rich.console import Console
from rich.progress import track

from models.checkpoint import CheckpointError
from models.torch_landmarker import HeatmapLandmarker, load_torch_landmarker
from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68

from .datasets import DataError, Sample, open_data_set, read_300w, write_pseudo_labels
from .hard_faces import nose_offset
from .predict import MultiCrop, predict
from .teacher import first_pixels

_AUGMENTATION = MultiCrop(flips=True, crops=3)
_FRONTAL = 0.12
"""Largest distance of the nose's tip from the middle between the eyes, along them, of a face that
counts as frontal, in eye distances."""
_DIAGONAL_OVER_EYES = 1.9
"""A face's diagonal, in outer eye distances, when seen from the front."""
_GROSS = 0.20
"""Mean disagreement of a face, in units of `face_size`, beyond which its annotation is wrong."""
_GROSS_FRONTAL = 0.08
"""The same where the network is known to be right."""

Shapes = Float[np.ndarray, "faces landmarks xy=2"]


def face_size(points: Shapes) -> Float[np.ndarray, " faces"]:
    """Diagonal of the landmarks' box over 1.9: about the eye distance, whichever way it faces."""
    box = points.max(-2) - points.min(-2)
    return np.linalg.norm(box, axis=-1) / _DIAGONAL_OVER_EYES


@dataclass(frozen=True, slots=True)
class Screening:
    """What was found when annotations were compared with a network's landmarks."""

    offset: Float[np.ndarray, "landmarks xy=2"]
    """Median of annotation less network on frontal faces, in units of `face_size`."""
    disagreement: Float[np.ndarray, " faces"]
    """Mean distance of a face's landmarks once the offset is out, in the same unit."""
    keep: Bool[np.ndarray, " faces"]

    @classmethod
    def of(cls, annotated: Shapes, predicted: Shapes) -> Self:
        """Compare; both in pixels.

        Raises:
            DataError: If no face is seen from the front.
        """
        size, frontal = face_size(annotated), nose_offset(annotated) < _FRONTAL
        if not frontal.any():
            raise DataError("no frontal face among the annotations: nothing to compare with")
        apart = (annotated - predicted) / size[:, None, None]
        offset = np.median(apart[frontal], 0)
        disagreement = np.linalg.norm(apart - offset, axis=-1).mean(-1)
        limit = np.where(frontal, _GROSS_FRONTAL, _GROSS)
        return cls(offset, disagreement, disagreement < limit)

    def corrected(self, annotated: Shapes) -> Shapes:
        """The annotations in the network's convention, in pixels."""
        return annotated - self.offset * face_size(annotated)[:, None, None]


def screen(
    samples: list[Sample],
    network: HeatmapLandmarker,
    annotated: list[Sample],
    certainty: float,
) -> tuple[list[Sample], Screening]:
    """The faces worth training on, in the convention of 300W.

    Args:
        samples: Annotated by a machine, 68 landmarks.
        network: Trained on 300W.
        annotated: Faces of 300W, for where its annotations count pixels from.
        certainty: From 0 to 1, how much each landmark counts in training.
    """
    points = np.stack([sample.points for sample in samples])
    predicted = predict(network, track(samples, "network"), _AUGMENTATION).mean
    found = Screening.of(points, predicted)
    corrected = found.corrected(points).astype(np.float32)
    first = first_pixels(corrected, annotated)
    weights = np.full(IBUG_68.count, certainty, np.float32)
    kept = [
        replace(samples[i], points=corrected[i], certainty=weights, first_pixel=float(first[i]))
        for i in np.flatnonzero(found.keep)
    ]
    return kept, found


def screen_data_set(
    source: Path, annotated: Path, output: Path, weights: str, certainty: float
) -> None:
    """Screen the training part of a data set and write it for `train.fit --further`.

    Args:
        source: Folder with `landmarks.csv` of 68 landmarks.
        annotated: Folder of 300W.
        output: The .npz to write.
        weights: Name or path of a network trained on 300W.
        certainty: From 0 to 1, how much each landmark counts in training.

    Raises:
        DataError: If a data set is not there or has other landmarks.
        CheckpointError: If the weights are damaged.
    """
    data, network = open_data_set(source), load_torch_landmarker(weights)
    if not data.layout.name == network.layout_name == IBUG_68.name:
        raise DataError(f"{source}: annotations and network need 300W's 68 landmarks")
    samples = data.split("train")
    kept, found = screen(samples, network, read_300w(annotated), certainty)
    write_pseudo_labels(output, kept)
    Console().print(
        f"{output}: {len(kept)} of {len(samples)} faces, "
        f"median disagreement {100 * np.median(found.disagreement):.2f} %, "
        f"largest offset {100 * np.linalg.norm(found.offset, axis=-1).max():.1f} %"
    )


def main() -> None:
    """Parse flags and screen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with landmarks.csv")
    parser.add_argument("--annotated", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--weights", default="lite", help="a name or a path")
    parser.add_argument("--certainty", type=float, default=1.0, help="of every landmark, 0 to 1")
    parser.add_argument("--output", type=Path, required=True, help="the .npz to write")
    arguments = parser.parse_args()
    try:
        screen_data_set(
            arguments.data,
            arguments.annotated,
            arguments.output,
            arguments.weights,
            arguments.certainty,
        )
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
