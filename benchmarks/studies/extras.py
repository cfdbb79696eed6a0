"""What helps when training goes on from `lite`? Each extra on its own, at equal pictures.

Every run starts from the default weights and goes on as the recipe `lite-video` does, but for one
thing. It is judged by NME in exact crops, and by frame-to-frame noise: how much landmarks differ
between two crops of a face at rest. A second seed shows what chance alone does.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from models.torch_landmarker import load_torch_landmarker
from models.weight_files import NAMED_WEIGHTS
from train.calibration_samples import CropPredictor, sample_measurement_noise
from train.datasets import hold_out, open_data_set
from train.faces import Faces
from train.metrics import normalised_mean_error, normalisers
from train.predict import predict
from train.recipes import RECIPES

from ..harness import Json
from .study import Study, Trial, Variant

_WEIGHTS = "lite"
_IMAGES = 8_000
_BASE = replace(RECIPES["lite-video"], images=_IMAGES, evaluate_every=2_000)
_CONTROL = "control"
_TITLE_OF_CONTROL = "as lite-video"


def held_out_figures(weights: Path, data: Path) -> Json:
    """NME in exact crops and frame-to-frame noise on the faces that no training saw.

    Args:
        weights: A weight file.
        data: Folder of the data set.

    Returns:
        `nme_percent` by trial, and `noise_percent`: the root mean square of what two crops of one
        face differ by, over the root of two, in per cent of the crop's side.
    """
    landmarker, annotated = load_torch_landmarker(weights, "cpu"), open_data_set(data)
    held_out = hold_out(annotated.split("train"))[1]
    truth = np.stack([sample.points for sample in held_out])
    normaliser = normalisers(annotated.layout)[0]
    mean = predict(landmarker, held_out).mean
    error = normalised_mean_error(mean, truth, annotated.layout, normaliser).mean()
    change = sample_measurement_noise(CropPredictor(landmarker), held_out).error
    noise = np.sqrt(np.square(change).sum(-1).mean())
    return {
        "nme_percent": {_TRIAL.name: round(float(100 * error), 3)},
        "noise_percent": round(float(100 * noise), 4),
    }


def _without_certainty(faces: Faces) -> Faces:
    """Pseudo-labels count in full, however uncertain their teacher was."""
    return replace(faces, pseudo=[replace(face, certainty=None) for face in faces.pseudo])


def _mirrored_about_the_middle(faces: Faces) -> Faces:
    """Pictures are mirrored about their middle, wherever the annotations have it."""
    training, pseudo = (
        [replace(face, first_pixel=0.0) for face in part] for part in (faces.training, faces.pseudo)
    )
    return replace(faces, training=training, pseudo=pseudo)


def _error(row: Json) -> float:
    return float(row["nme_percent"][_TRIAL.name])


def _with_change(value: float, control: float, digits: int, *, is_control: bool) -> str:
    change = "" if is_control else f" ({100 * (value / control - 1):+.1f} %)"
    return f"{value:.{digits}f}{change}"


def _error_cell(row: Json, rows: list[Json]) -> str:
    control = next((r for r in rows if r["variant"] == _CONTROL), row)
    return _with_change(_error(row), _error(control), 3, is_control=row is control)


def _noise_cell(row: Json, rows: list[Json]) -> str:
    control = next((r for r in rows if r["variant"] == _CONTROL), row)
    figures = row["noise_percent"], control["noise_percent"]
    return _with_change(*figures, 4, is_control=row is control)


_TRIAL = Trial(_IMAGES)
EXTRAS = Study(
    name="extras",
    title="What helps when training goes on",
    base=_BASE,
    start_from=NAMED_WEIGHTS[_WEIGHTS],
    compiled=True,
    variants=(
        Variant(
            name="start", labels=(f"`{_WEIGHTS}`, where all start",), recipe=_BASE, is_trained=False
        ),
        Variant(name=_CONTROL, labels=(_TITLE_OF_CONTROL,), recipe=_BASE),
        Variant(name="other-seed", labels=("another seed",), recipe=replace(_BASE, seed=1)),
        Variant(
            name="plain-mirror",
            labels=("mirrored about the middle of the picture",),
            recipe=_BASE,
            prepare=_mirrored_about_the_middle,
        ),
        # At this weight the gradient of consistency is about as long as that of STAR.
        Variant(
            name="pairs",
            labels=("a quarter second views, consistency loss",),
            recipe=replace(_BASE, pair_share=0.25, consistency_weight=15.0),
        ),
        Variant(
            name="labelled-only",
            labels=("no pseudo-labels",),
            recipe=replace(_BASE, pseudo_share=0.0),
        ),
        Variant(
            name="all-certain",
            labels=("pseudo-labels without certainty",),
            recipe=_BASE,
            prepare=_without_certainty,
        ),
        Variant(
            name="unspoilt",
            labels=("no blinks, no degradations of video",),
            recipe=replace(_BASE, augment=RECIPES[_WEIGHTS].augment),
        ),
    ),
    trials=[_TRIAL],
    measure=held_out_figures,
    note=(
        f"{{data}}. {_IMAGES:,} pictures from the weights `{_WEIGHTS}` on, one run each. NME in % "
        "of the outer eye distance, frame-to-frame noise in % of the crop's side, on the held-out "
        f"part; in brackets the change against '{_TITLE_OF_CONTROL}'; what another seed changes is "
        "chance."
    ),
    labels=("training goes on",),
    columns=(("NME %", _error_cell), ("frame-to-frame noise %", _noise_cell)),
)
