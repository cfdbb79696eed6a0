"""Learn the linear 3-D face that head pose, eyes and expression are read with.

    python -m train.face_model --data ../shared/data [--weights lite] [--out FILE]

From the rendered heads of `data/free` alone, four in five of them; each is another person. The
shape comes from their true landmarks, the way in which landmarks of a face err together from what
the network finds in the same pictures.
"""

import argparse
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import save_file

from models.loading import load_landmarker
from tracker.analysis.head_fit import POSE, HeadFit, first_fit, whitening_of
from tracker.analysis.lids import lid_gaps
from tracker.analysis.linear_face import LinearFace
from tracker.analysis.pinhole import PinholeCamera
from tracker.analysis.settled_identity import shape_prior, unknown_identity
from tracker.face_tracker import FaceTracker
from tracker.layouts import IBUG_68
from tracker.types import Face, LandmarkEstimate

from .datasets import DataError
from .rendered_heads import RenderedHeads, heads_folder, other_side, read_rendered_heads
from .shape_factors import SeenHeads, fit_shape_factors

_IDENTITIES = 12
_FITTED = [
    "browDownLeft", "browDownRight", "browInnerUpLeft", "browInnerUpRight", "browOuterUpLeft",
    "browOuterUpRight", "eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "jawLeft", "jawRight",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft",
    "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthStretchLeft",
    "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
]  # fmt: skip
"""Coefficients that move the 68 points enough to be told apart."""
_EYEBALL_DISTANCE_MM, _EYEBALL_RADIUS_MM = 63.0, 11.0
_LEAST_DEVIATION = 0.15
"""Of the prior: rendered heads express less than people do."""
_CARRIED_FROM = 0.5
"""Correlation with the truth, from true landmarks."""
_LEAST_MODE = 0.3
"""Smallest eigenvalue of the errors' correlation that is believed."""
_TRUE_NOISE_PX = 0.1
_GROSS = 4.0
_SHUT_FROM, _OPEN_TO, _SHUT_SHARE = 0.95, 0.02, 0.8


def learn(heads: RenderedHeads, found: list[Face | None]) -> LinearFace:
    """Learn from heads, and from what a network finds in their pictures."""
    face = _shape(heads)
    face = replace(face, unmixing=_unmixing(face, heads, found))
    fits = [fit_head(face, head, true_landmarks(heads, head), heads) for head in range(len(heads))]
    values = np.array([fit.shape[: len(face.names)] for fit in fits])
    gap = _lid_gap(heads, face, fits)
    face = replace(face, carried=_carried(face, heads, values), lid_gap=gap)
    pose, coefficients = _inflation(face, heads, found)
    return replace(face, pose_inflation=pose, coefficient_inflation=coefficients)


def find_faces(heads: RenderedHeads, folder: Path, weights: str) -> list[Face | None]:
    """What the tracker makes of each picture in its second frame; None where it finds nothing."""
    faces: list[Face | None] = []
    with FaceTracker(load_landmarker(weights)) as tracker:
        for picture, points in zip(heads.pictures, heads.points, strict=True):
            image = cv2.imread(str(folder / picture), cv2.IMREAD_COLOR_RGB)
            if image is None:
                raise DataError(f"{folder / picture}: cannot be read as a picture")
            tracker.reset()
            tracker.update(image, 0.0)
            seen = tracker.update(image, 1 / 30)
            center = points.mean(0)
            away = [np.linalg.norm(face.landmarks.mean.mean(0) - center) for face in seen]
            faces.append(seen[int(np.argmin(away))] if seen else None)
    return faces


def true_landmarks(heads: RenderedHeads, head: int) -> LandmarkEstimate:
    """As if a network found them almost exactly."""
    points = heads.points[head, : IBUG_68.count]
    return LandmarkEstimate(points, np.tile(_TRUE_NOISE_PX**2 * np.eye(2), (len(points), 1, 1)))


def fit_head(face: LinearFace, head: int, seen: LandmarkEstimate, heads: RenderedHeads) -> HeadFit:
    """Fit a head through the lens that it was rendered with."""
    camera = PinholeCamera(float(heads.focal_px[head]), (heads.center_px, heads.center_px))
    return first_fit(face, seen, camera, shape_prior(face, unknown_identity(face)))


def rotation_errors(fits: list[HeadFit], heads: RenderedHeads) -> np.ndarray:
    """Small rotations about the camera's axes from the truth to the fits, radians, (heads, 3)."""
    turned = np.array([fit.rotation for fit in fits]) @ heads.rotations.swapaxes(1, 2)
    skew = (turned - turned.swapaxes(1, 2)) / 2
    return np.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], 1)


def _shape(heads: RenderedHeads) -> LinearFace:
    both = heads.with_mirrored()
    chosen = [heads.names.index(name) for name in _FITTED]
    seen = SeenHeads(
        both.points - heads.center_px, both.rotations, both.distance, both.focal_px,
        both.coefficients[:, chosen],
    )  # fmt: skip
    factors = fit_shape_factors(seen, _IDENTITIES)
    landmarks = IBUG_68.count
    eyeballs = factors.mean[landmarks:]
    scale = _EYEBALL_DISTANCE_MM / float(np.linalg.norm(eyeballs[1] - eyeballs[0]))
    origin = factors.mean[list(IBUG_68.eye_corners)].mean(0)
    usual = np.sqrt(np.square(both.coefficients[:, chosen]).mean(0))
    # where a head lies in its picture is not known: an expression leaves the eyeballs in place
    expression = factors.expression[:landmarks] - factors.expression[landmarks:].mean(0)
    return LinearFace(
        layout=IBUG_68.name,
        mean=scale * (factors.mean[:landmarks] - origin),
        expression=scale * expression,
        identity=scale * factors.identity[:landmarks],
        names=tuple(_FITTED),
        prior_deviation=np.maximum(usual, _LEAST_DEVIATION),
        carried=(),
        misfit=scale * np.sqrt(factors.variance[:landmarks]),
        unmixing=np.eye(landmarks),
        eyeball=scale * (eyeballs - origin),
        eyeball_identity=scale * factors.identity[landmarks:],
        eyeball_radius=_EYEBALL_RADIUS_MM,
        pose_inflation=np.ones(POSE),
        coefficient_inflation=np.ones(len(_FITTED)),
        lid_gap=np.array([0.05, 0.3]),
    )


def _unmixing(face: LinearFace, heads: RenderedHeads, found: list[Face | None]) -> np.ndarray:
    """Inverse root of the correlation of the landmarks' errors, the same for x and y."""
    correlation, count = np.zeros((IBUG_68.count, IBUG_68.count)), 0
    unit = _EYEBALL_DISTANCE_MM / heads.eyeball_distance
    for head, seen in enumerate(found):
        if seen is None:
            continue
        spread = face.misfit * heads.focal_px[head] / heads.distance[head] / unit
        whitening = whitening_of(seen.landmarks.covariance, spread)
        error = seen.landmarks.mean - heads.points[head, : IBUG_68.count]
        error = (whitening @ error[..., None])[..., 0]
        size = np.linalg.norm(error, axis=-1, keepdims=True)
        error *= np.minimum(1, _GROSS / np.maximum(size, 1e-9))
        for side in (error, error[IBUG_68.mirror]):
            correlation += side @ side.T / 2
            count += 1
    values, vectors = np.linalg.eigh(correlation / count)
    return np.asarray((vectors * np.maximum(values, _LEAST_MODE) ** -0.5) @ vectors.T)


def _carried(face: LinearFace, heads: RenderedHeads, values: np.ndarray) -> tuple[str, ...]:
    """Coefficients that follow the truth; `browInnerUp` is the mean of both brows'."""
    truth = heads.coefficients[:, [heads.names.index(name) for name in face.names]]
    found = np.clip(values, 0, 1)
    follow = {
        name: np.corrcoef(one, other)[0, 1]
        for name, one, other in zip(face.names, truth.T, found.T, strict=True)
    }
    good = [n for n in face.names if (follow[n] + follow[other_side(n)]) / 2 >= _CARRIED_FROM]
    inner = ["browInnerUp"] if "browInnerUpLeft" in good else []
    return tuple(inner + [n for n in good if not n.startswith(("browInnerUp", "eyeBlink"))])


def _lid_gap(heads: RenderedHeads, face: LinearFace, fits: list[HeadFit]) -> np.ndarray:
    """Of shut eyes and of open ones."""
    gaps = []
    for head, fit in enumerate(fits):
        camera = PinholeCamera(float(heads.focal_px[head]), (heads.center_px, heads.center_px))
        gaps.append(lid_gaps(face, fit, true_landmarks(heads, head), camera)[:, 0])
    blinks = heads.coefficients[
        :, [heads.names.index(name) for name in ("eyeBlinkRight", "eyeBlinkLeft")]
    ]
    shut, opened = (np.array(gaps)[chosen] for chosen in (blinks >= _SHUT_FROM, blinks <= _OPEN_TO))
    return np.array([np.quantile(shut, _SHUT_SHARE), np.median(opened)])


def _inflation(
    face: LinearFace, heads: RenderedHeads, found: list[Face | None]
) -> tuple[np.ndarray, np.ndarray]:
    """So that 90 % intervals of what the network finds hold 90 % of the truths."""
    seen = [head for head, one in enumerate(found) if one is not None]
    fits = [fit_head(face, head, one.landmarks, heads) for head in seen if (one := found[head])]
    chosen = heads[np.array(seen)]
    deviations = np.array([np.sqrt(np.diagonal(fit.covariance)) for fit in fits])
    turned = np.abs(rotation_errors(fits, chosen)) / deviations[:, :3]
    pose = np.quantile(turned, 0.9, axis=0) / 1.645
    truth = chosen.coefficients[:, [heads.names.index(name) for name in face.names]]
    count = len(face.names)
    values = np.clip([fit.shape[:count] for fit in fits], 0, 1)
    off = np.abs(values - truth) / deviations[:, POSE : POSE + count]
    coefficients = np.maximum(np.quantile(off, 0.9, axis=0) / 1.645, 0.5)
    return np.concatenate([pose, np.full(3, pose.mean())]), coefficients


def save_linear_face(face: LinearFace, path: Path) -> None:
    """Write the file that `tracker.analysis.linear_face` reads."""
    tensors, notes = {}, {}
    for entry in fields(face):
        name, value = entry.name, getattr(face, entry.name)
        if not entry.init:
            continue
        if isinstance(value, np.ndarray):
            tensors[name] = np.ascontiguousarray(value, dtype=np.float32)
        else:
            notes[name] = " ".join(value) if isinstance(value, tuple) else str(value)
    save_file(tensors, path, notes)


def main(command: list[str] | None = None) -> None:
    """Read the flags, learn and write."""
    parser = argparse.ArgumentParser(
        prog="python -m train.face_model", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds free/")
    parser.add_argument("--weights", default="lite", help="of the network (default: lite)")
    parser.add_argument(
        "--out", type=Path, default=Path("tracker/analysis/linear_face.safetensors"), metavar="FILE"
    )
    arguments = parser.parse_args(command)
    folder = heads_folder(arguments.data)
    try:
        heads = read_rendered_heads(folder / "landmarks.csv")
        heads = heads[np.flatnonzero(~heads.is_held_out)]
        face = learn(heads, find_faces(heads, folder, arguments.weights))
    except DataError as error:
        parser.exit(2, f"error: {error}\n")
    save_linear_face(face, arguments.out)
    print(f"wrote {arguments.out}: {len(face.carried)} coefficients are carried")  # noqa: T201


if __name__ == "__main__":
    main()
