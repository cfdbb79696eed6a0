"""The linear face fitted to the landmarks of one face, by maximum a posteriori.

Unknown are a small rotation, the translation, the expression and the identity; Gauss and Newton.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ..types import LandmarkEstimate
from .linear_face import LinearFace
from .pinhole import PinholeCamera
from .rotations import rotation_of

POSE = 6
"""Unknowns before expression and identity."""
_START_YAWS = np.radians([-55.0, -20.0, 20.0, 55.0])
_RIGID_STEPS, _FIRST_STEPS, _LATER_STEPS = 6, 5, 2
_NEAREST_MM, _LARGEST_STEP, _SMALL_ROTATION = 60.0, 0.5, 0.02
_OUTLIER = 3.0
"""Standard deviations beyond which a landmark counts less (Huber)."""


@dataclass(frozen=True, slots=True, eq=False)
class ShapePrior:
    """A Gaussian of expression, then identity."""

    mean: Float[np.ndarray, " shapes"]
    precision: Float[np.ndarray, "shapes shapes"]


@dataclass(frozen=True, slots=True, eq=False)
class HeadFit:
    """What explains the landmarks of one face best."""

    rotation: Float[np.ndarray, "3 3"]
    translation_mm: Float[np.ndarray, "3"]
    """Of the head's origin, in the camera's frame."""
    shape: Float[np.ndarray, " shapes"]
    """Expression, then identity."""
    covariance: Float[np.ndarray, "unknowns unknowns"]
    cost: float
    """Mean squared residual of a landmark coordinate, in standard deviations."""


def first_fit(
    face: LinearFace, seen: LandmarkEstimate, camera: PinholeCamera, prior: ShapePrior
) -> HeadFit:
    """Fit a face of which nothing is known yet: from several yaws, then from the best."""
    center, size = seen.mean.mean(0), seen.mean.std(0).max()
    depth = camera.focal_px * face.mean[:, :2].std(0).max() / size
    place = np.append((center - np.array(camera.center)) / camera.focal_px * depth, depth)
    right, left = seen.mean[36:42].mean(0), seen.mean[42:48].mean(0)
    roll = rotation_of(np.array([0, 0, np.arctan2(*(left - right)[::-1])]))
    problem = _Problem(face, seen, camera, prior)
    starts = [
        problem.rigid(roll @ rotation_of(np.array([0, yaw, 0])), place) for yaw in _START_YAWS
    ]
    best = min(starts, key=lambda start: start[2])
    return problem.solved(best[0], best[1], prior.mean, _FIRST_STEPS)


def next_fit(
    face: LinearFace,
    seen: LandmarkEstimate,
    camera: PinholeCamera,
    prior: ShapePrior,
    last: HeadFit,
) -> HeadFit:
    """Fit a face that was fitted a moment ago."""
    problem = _Problem(face, seen, camera, prior)
    return problem.solved(last.rotation, last.translation_mm, last.shape, _LATER_STEPS)


def farther(fit: HeadFit, factor: float) -> HeadFit:
    """The same fit through a lens so many times as long; along the axis all is as much farther."""
    stretch = np.ones(len(fit.covariance))
    stretch[POSE - 1] = factor
    return replace(
        fit,
        translation_mm=fit.translation_mm * stretch[3:POSE],
        covariance=fit.covariance * np.outer(stretch, stretch),
    )


class _Problem:
    """One face in one frame."""

    def __init__(
        self, face: LinearFace, seen: LandmarkEstimate, camera: PinholeCamera, prior: ShapePrior
    ) -> None:
        self._mean, self._basis, self._misfit = face.mean, face.basis, face.misfit
        self._seen, self._camera, self._prior = seen, camera, prior
        self._unmixing = face.unmixing

    def rigid(
        self, rotation: np.ndarray, place: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Rotation and translation of the mean face, and its cost."""
        shape, cost = self._prior.mean, np.inf
        for _ in range(_RIGID_STEPS):
            jacobian, residual, cost = self._linearised(rotation, place, shape, shapes=False)
            system = jacobian.T @ jacobian
            rotation, place, _ = _stepped(
                rotation, place, shape, np.linalg.solve(system, jacobian.T @ residual)
            )
        return rotation, place, cost

    def solved(
        self, rotation: np.ndarray, place: np.ndarray, shape: np.ndarray, steps: int
    ) -> HeadFit:
        """So many steps of Gauss and Newton with the prior."""
        for _ in range(steps):
            jacobian, residual, cost = self._linearised(rotation, place, shape)
            total, gradient = jacobian.T @ jacobian, jacobian.T @ residual
            total[POSE:, POSE:] += self._prior.precision
            gradient[POSE:] -= self._prior.precision @ (shape - self._prior.mean)
            covariance = np.linalg.inv(total)  # dpotri waits for threads: 50 ms where others work
            step = covariance @ gradient
            rotation, place, shape = _stepped(rotation, place, shape, step)
            if np.abs(step[:3]).max() < _SMALL_ROTATION:
                break
        return HeadFit(rotation, place, shape, covariance, cost)

    def _linearised(
        self, rotation: np.ndarray, place: np.ndarray, shape: np.ndarray, *, shapes: bool = True
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Jacobian and residuals in standard deviations, and their mean square."""
        turned = (self._mean + self._basis @ shape) @ rotation.T
        points = turned + place
        points[:, 2] = np.maximum(points[:, 2], _NEAREST_MM)
        slope = self._camera.jacobian(points)
        spread = self._misfit * self._camera.focal_px / points[:, 2]
        whitening = whitening_of(self._seen.covariance, spread)
        offset = self._seen.mean - self._camera.project(points)
        residual = (whitening @ offset[..., None])[..., 0]
        distance = np.sqrt(np.square(residual).sum(-1))
        weight = np.sqrt(_OUTLIER / np.maximum(distance, _OUTLIER))[:, None]
        slope = (weight[..., None] * whitening) @ slope
        columns = [_cross(slope, turned), slope]
        if shapes:
            columns.append((slope @ rotation) @ self._basis)
        columns.append((weight * residual)[..., None])
        mixed = np.concatenate(columns, -1)
        system = (self._unmixing @ mixed.reshape(len(mixed), -1)).reshape(2 * len(mixed), -1)
        jacobian, residual = system[:, :-1], system[:, -1]
        return jacobian, residual, float(residual @ residual) / len(residual)


def _cross(slope: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """How pixels change with a rotation about the camera's axes: slope . (axis x point)."""
    x, y, z = turned.T[:, :, None]
    a, b, c = np.moveaxis(slope, -1, 0)
    return np.stack([y * c - z * b, z * a - x * c, x * b - y * a], -1)


def whitening_of(
    covariance: Float[np.ndarray, "landmarks xy=2 xy=2"], spread: Float[np.ndarray, " landmarks"]
) -> Float[np.ndarray, "landmarks xy=2 xy=2"]:
    """Lower triangular W with W C W^T = 1, C the covariance with the misfit's, pixels."""
    a = covariance[:, 0, 0] + spread**2
    b = covariance[:, 0, 1]
    c = covariance[:, 1, 1] + spread**2
    first = 1 / np.sqrt(a)
    second = 1 / np.sqrt(np.maximum(c - b * b / a, 1e-12))
    whitening = np.zeros_like(covariance)
    whitening[:, 0, 0] = first
    whitening[:, 1, 0] = -b / a * second
    whitening[:, 1, 1] = second
    return whitening


def _stepped(
    rotation: np.ndarray, place: np.ndarray, shape: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """After one step; rotations of more than half a radian, and halving of distances, are cut."""
    largest = max(
        np.sqrt(step[:3] @ step[:3]) / _LARGEST_STEP,
        np.sqrt(step[3:6] @ step[3:6]) / (_LARGEST_STEP * place[2]),
        1.0,
    )
    step = step / largest
    after = place + step[3:6]
    after[2] = max(after[2], _NEAREST_MM)
    rotation = rotation_of(step[:3]) @ rotation
    return rotation, after, shape + step[POSE:] if len(step) > POSE else shape
