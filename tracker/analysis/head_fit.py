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
_HELD_ROTATION, _HELD_NEARNESS, _HELD_GROWTH = 0.03, 0.02, 1.5
"""Radians, share of the distance and factor on variances up to which a linearisation holds."""
_OUTLIER = 3.0
"""Standard deviations beyond which a landmark counts less (Huber)."""


@dataclass(frozen=True, slots=True, eq=False)
class ShapePrior:
    """A Gaussian of expression, then identity."""

    mean: Float[np.ndarray, " shapes"]
    precision: Float[np.ndarray, "shapes shapes"]


@dataclass(frozen=True, slots=True, eq=False)
class Linearised:
    """How the landmarks change with the unknowns near a fit; holds while little changes."""

    rotation: Float[np.ndarray, "3 3"]
    depth_mm: float
    prior: ShapePrior
    variance: Float[np.ndarray, " landmarks"]
    """Of the landmarks, square pixels."""
    whitening: Float[np.ndarray, "columns=3 landmarks"]
    """Of a landmark's offset: its x and y in the first coordinate, y in the second; weighed."""
    rows: Float[np.ndarray, "equations unknowns"]
    covariance: Float[np.ndarray, "unknowns unknowns"]


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
    linearised: Linearised | None = None
    """Where the next fit may go on."""


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
    if last.linearised is not None and _still_holds(last.linearised, seen, prior, last):
        fit, is_near = problem.stepped_from(last, last.linearised)
        if is_near:
            return fit
    return problem.solved(last.rotation, last.translation_mm, last.shape, _LATER_STEPS)


def _still_holds(
    held: Linearised, seen: LandmarkEstimate, prior: ShapePrior, last: HeadFit
) -> bool:
    turned = np.vdot(held.rotation, last.rotation) < 3 - _HELD_ROTATION**2
    if held.prior is not prior or turned:
        return False
    nearer = abs(float(last.translation_mm[2]) / held.depth_mm - 1)
    grown = _variance_of(seen) > _HELD_GROWTH * held.variance
    return nearer < _HELD_NEARNESS and not grown.any()


def _variance_of(seen: LandmarkEstimate) -> Float[np.ndarray, " landmarks"]:
    return np.asarray(seen.covariance[:, 0, 0] + seen.covariance[:, 1, 1])


def farther(fit: HeadFit, factor: float) -> HeadFit:
    """The same fit through a lens so many times as long; along the axis all is as much farther."""
    stretch = np.ones(len(fit.covariance))
    stretch[POSE - 1] = factor
    return replace(
        fit,
        translation_mm=fit.translation_mm * stretch[3:POSE],
        linearised=None,
        covariance=fit.covariance * np.outer(stretch, stretch),
    )


class _Problem:
    """One face in one frame."""

    def __init__(
        self, face: LinearFace, seen: LandmarkEstimate, camera: PinholeCamera, prior: ShapePrior
    ) -> None:
        self._face, self._mean, self._basis = face, face.mean.T, face.by_axis
        self._seen, self._camera, self._prior = seen, camera, prior
        self._landmarks = (seen.mean - camera.center).T

    def rigid(
        self, rotation: np.ndarray, place: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Rotation and translation of the mean face, and its cost."""
        shape, cost = self._prior.mean, np.inf
        for _ in range(_RIGID_STEPS):
            rows, residual, _ = self._linearised(rotation, place, shape, shapes=False)
            step = np.linalg.solve(rows.T @ rows, rows.T @ residual)
            rotation, place, _ = _stepped(rotation, place, shape, step)
            cost = float(residual @ residual) / len(residual)
        return rotation, place, cost

    def solved(
        self, rotation: np.ndarray, place: np.ndarray, shape: np.ndarray, steps: int
    ) -> HeadFit:
        """So many steps of Gauss and Newton with the prior."""
        for _ in range(steps):
            rows, residual, whitening = self._linearised(rotation, place, shape)
            total = rows.T @ rows
            total[POSE:, POSE:] += self._prior.precision
            covariance = np.linalg.inv(total)  # dpotri waits for threads: 50 ms where others work
            held = Linearised(
                rotation, float(place[2]), self._prior, _variance_of(self._seen), whitening, rows,
                covariance,
            )  # fmt: skip
            fit, is_near = self._step(rotation, place, shape, residual, held)
            if is_near:
                break
            rotation, place, shape = fit.rotation, fit.translation_mm, fit.shape
        return fit

    def stepped_from(self, last: HeadFit, held: Linearised) -> tuple[HeadFit, bool]:
        """One step of Newton's with a linearisation of before, and whether it was a short one."""
        turned = last.rotation @ (self._mean + self._basis @ last.shape)
        offset, _, _ = self._offset(turned, last.translation_mm)
        residual = self._face.unmixing @ _whitened(held.whitening, offset).T
        return self._step(
            last.rotation, last.translation_mm, last.shape, residual.T.reshape(-1), held
        )

    def _step(
        self, rotation: np.ndarray, place: np.ndarray, shape: np.ndarray, residual: np.ndarray,
        held: Linearised,
    ) -> tuple[HeadFit, bool]:  # fmt: skip
        gradient = residual @ held.rows
        gradient[POSE:] -= self._prior.precision @ (shape - self._prior.mean)
        step = held.covariance @ gradient
        cost = float(residual @ residual) / len(residual)
        after = _stepped(rotation, place, shape, step)
        is_near = bool(np.abs(step[:3]).max() < _SMALL_ROTATION)
        return HeadFit(*after, held.covariance, cost, held), is_near

    def _offset(
        self, turned: np.ndarray, place: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """From the points to the landmarks, (xy, landmarks); rays; pixels for a millimetre."""
        x, y, depth = turned + place[:, None]
        depth = np.maximum(depth, _NEAREST_MM)
        ray, focal_px = np.stack([x, y]) / depth, self._camera.focal_px
        return self._landmarks - focal_px * ray, ray, focal_px / depth

    def _linearised(
        self, rotation: np.ndarray, place: np.ndarray, shape: np.ndarray, *, shapes: bool = True
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of the Jacobian and residuals, in standard deviations; the whitening."""
        turned = rotation @ (self._mean + self._basis @ shape)
        offset, ray, nearness = self._offset(turned, place)
        lower = whitening_of(self._seen.covariance, self._face.misfit * nearness)
        whitening = np.stack([lower[:, 0, 0], lower[:, 1, 0], lower[:, 1, 1]])
        distance = np.sqrt(np.square(_whitened(whitening, offset)).sum(0))
        whitening *= np.sqrt(_OUTLIER / np.maximum(distance, _OUTLIER))
        # of both whitened coordinates: what a millimetre to the right, down and away changes
        right, down = whitening[:2] * nearness, whitening[2] * nearness
        away = -right * ray[0]
        away[1] -= down * ray[1]
        moves = self._moves(rotation, turned, shapes=shapes)
        system = np.empty((2, len(nearness), moves.shape[-1] + 1))
        rows = system[..., :-1]
        np.multiply(right[..., None], moves[0], out=rows)
        rows += away[..., None] * moves[2]
        rows[1] += down[:, None] * moves[1]
        system[..., -1] = _whitened(whitening, offset)
        mixed = (self._face.unmixing @ system).reshape(-1, system.shape[-1])
        return mixed[:, :-1], mixed[:, -1], whitening

    def _moves(
        self, rotation: np.ndarray, turned: np.ndarray, *, shapes: bool
    ) -> Float[np.ndarray, "xyz=3 landmarks unknowns"]:
        """How points change with rotations about the camera's axes, places, and shapes."""
        x, y, z = turned
        moves = np.zeros((3, len(x), POSE + shapes * self._basis.shape[-1]))
        moves[0, :, 1], moves[0, :, 2] = z, -y  # axis x point
        moves[1, :, 0], moves[1, :, 2] = -z, x
        moves[2, :, 0], moves[2, :, 1] = y, -x
        moves[:, :, 3:POSE] = np.eye(3)[:, None]
        if shapes:
            turned_basis = rotation @ self._basis.reshape(3, -1)
            moves[:, :, POSE:] = turned_basis.reshape(self._basis.shape)
        return moves


def _whitened(whitening: np.ndarray, offset: np.ndarray) -> Float[np.ndarray, "2 landmarks"]:
    first, mixed, second = whitening
    return np.stack([first * offset[0], mixed * offset[0] + second * offset[1]])


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
