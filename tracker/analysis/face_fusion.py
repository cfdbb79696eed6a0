"""What the landmarks say of a head, corrected by what a network sees of its face.

Both are Gaussian: the fit to the landmarks with the covariance of all its unknowns, the network
with a standard deviation of each of its answers. By how much the network differs is followed over
time, so that what is calm in the landmarks stays calm, and then weighed in as a Kalman filter does.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from .coefficient_names import BY_EXPRESSION_NETWORK
from .expression_crop import crop_camera_from_frame
from .expression_reading import ExpressionRead
from .head_fit import POSE, HeadFit
from .linear_face import LinearFace
from .pinhole import PinholeCamera
from .rotations import rotation_of

_SETTLES_S, _HOLDS_S = 2.0, 0.3
"""In which a difference settles, and for how long it holds."""
_FOLLOWED_AT_ONCE = 0.5
"""Changes by so many standard deviations; smaller ones the less, as they may be noise."""
_LEAST_LEARNED = 0.05
"""Share of the usual variance that is gone, where the network saw next to nothing."""
_OWN_EVIDENCE = 0.5
"""Share of what network and landmarks know without each other: they see the same picture, and the
crop lies where the landmarks say."""
_LEAST_DEVIATION = 0.02
_OUTLIER_FROM = 2.0
"""Standard deviations beyond which a difference is thought to be an error of the network."""
_HALVES = ("Left", "Right")


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Between what the network says and what the landmarks say: rotation, then coefficients."""

    time_s: float
    names: tuple[str, ...]
    """Of the network's coefficients."""
    mean: Float[np.ndarray, " answers"]
    """Small rotation about the camera's axes (radians), coefficients; those that the linear face
    does not know as the network says them."""
    deviation: Float[np.ndarray, " answers"]


@dataclass(frozen=True, slots=True, eq=False)
class FusedHead:
    """A fit after the correction."""

    fit: HeadFit
    """Its covariance allows for what landmarks of a face have in common."""
    names: tuple[str, ...]
    """Of the coefficients: the linear face's, then those that only the network knows."""
    values: Float[np.ndarray, " coefficients"]
    deviations: Float[np.ndarray, " coefficients"]
    correction: "Correction | None" = None
    """By which the fit to the landmarks was corrected."""

    @property
    def is_corrected(self) -> bool:
        return self.correction is not None


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """Of the unknowns of a fit."""

    difference: Difference
    """From which it comes."""
    before: Float[np.ndarray, "unknowns unknowns"]
    """Covariance of the fit."""
    step: Float[np.ndarray, " unknowns"]
    after: Float[np.ndarray, "unknowns unknowns"]


def difference_of(
    face: LinearFace, fit: HeadFit, camera: PinholeCamera, read: ExpressionRead, time_s: float
) -> Difference:
    """In one frame."""
    towards = crop_camera_from_frame(read.crop_from_frame, camera).T
    turned = towards @ read.rotation @ fit.rotation.T
    skew = (turned - turned.T) / 2
    rotation = np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
    # the deviations lie along the crop's axes, which the camera's are close to but for the roll
    spread = np.sqrt(np.square(towards) @ np.square(read.rotation_deviations))
    shared = shared_with(face, read.names, len(fit.covariance))
    said = shared.selection @ fit.shape[: len(face.names)]
    values, deviations = _evidence(read)
    alone = ~shared.is_known
    values[alone], deviations[alone] = read.values[alone], read.deviations[alone]
    mean = np.concatenate([rotation, values - said])
    return Difference(time_s, read.names, mean, np.concatenate([spread, deviations]))


def _evidence(read: ExpressionRead) -> tuple[np.ndarray, np.ndarray]:
    """What the network saw, without what it expects of any face: the fit has a prior of its own.

    A network that is no surer than it is of faces in general saw next to nothing.
    """
    mean, usual = read.usual
    learned = np.maximum(1 - np.square(read.deviations / usual), _LEAST_LEARNED)
    return mean + (read.values - mean) / learned, read.deviations / np.sqrt(learned)


def followed_difference(before: Difference, now: Difference) -> Difference:
    """The running mean after a frame; a large change is followed at once.

    Args:
        before: The mean so far.
        now: In the frame.
    """
    passed_s = now.time_s - before.time_s
    change = now.mean - before.mean
    sudden = np.square(change / (_FOLLOWED_AT_ONCE * now.deviation))
    share = np.clip(sudden, 1 - np.exp(-passed_s / _SETTLES_S), 1.0)
    return replace(now, mean=before.mean + share * change)


def lasting(difference: Difference | None, time_s: float) -> Difference | None:
    """The same, or None where it is too old to hold."""
    is_new = difference is not None and time_s - difference.time_s <= _HOLDS_S
    return difference if is_new else None


def landmarks_alone(face: LinearFace, fit: HeadFit) -> FusedHead:
    """A head without a correction."""
    widened = replace(fit, covariance=fit.covariance * _inflation(face, len(fit.covariance)))
    chosen = slice(POSE, POSE + len(face.names))
    deviations = np.sqrt(np.diagonal(widened.covariance)[chosen])
    return FusedHead(widened, face.names, fit.shape[: len(face.names)], deviations)


def fused(
    face: LinearFace, fit: HeadFit, difference: Difference, last: FusedHead | None = None
) -> FusedHead:
    """Weigh the difference in.

    Args:
        face: That was fitted.
        fit: To the landmarks.
        difference: Of the network.
        last: Of the frame before; where nothing but the landmarks is new, its correction holds.
    """
    made = last.correction if last else None
    if made is None or made.difference is not difference or made.before is not fit.covariance:
        made = _correction(face, fit.covariance, difference)
    step, after, expressions = made.step, made.after, len(face.names)
    corrected = HeadFit(
        rotation_of(step[:3]) @ fit.rotation, fit.translation_mm + step[3:POSE],
        fit.shape + step[POSE:], after, fit.cost,
    )  # fmt: skip
    known = shared_with(face, difference.names, len(after))
    deviations = np.sqrt(np.diagonal(after)[POSE : POSE + expressions])
    return FusedHead(
        corrected,
        (*face.names, *known.beyond),
        np.concatenate([corrected.shape[:expressions], difference.mean[known.rest]]),
        np.concatenate([deviations, difference.deviation[known.rest]]),
        made,
    )


def _correction(face: LinearFace, before: np.ndarray, difference: Difference) -> Correction:
    """As a Kalman filter's update has it."""
    known = shared_with(face, difference.names, len(before))
    covariance = before * _inflation(face, len(before))
    carried = covariance @ known.measured.T
    within = known.measured @ carried
    mean, said = difference.mean[known.chosen], difference.deviation[known.chosen]
    within[np.diag_indices_from(within)] += np.square(outlier_deviation(said, mean))
    gain = np.linalg.solve(within, carried.T).T
    after = covariance - _OWN_EVIDENCE * gain @ carried.T
    return Correction(difference, before, gain @ mean, (after + after.T) / 2)


def outlier_deviation(
    deviation: Float[np.ndarray, "*answers"], difference: Float[np.ndarray, "*answers"]
) -> Float[np.ndarray, "*answers"]:
    """Deviations of a network that says something else than whom it is held against.

    It learned from few kinds of people: where it is far off, it is not as sure as it says.
    """
    least = np.maximum(deviation, _LEAST_DEVIATION)
    return np.asarray(np.maximum(least, np.abs(difference) / _OUTLIER_FROM))


@dataclass(frozen=True, slots=True, eq=False)
class SharedAnswers:
    """What network and linear face both know."""

    is_known: Bool[np.ndarray, " named"]
    """Of the network's coefficients, whether the linear face knows them, too."""
    selection: Float[np.ndarray, "named known"]
    """How the linear face's coefficients make the network's: themselves, or two halves' mean."""
    measured: Float[np.ndarray, "shared unknowns"]
    """Rotation, then what both know, of the fit's unknowns."""
    chosen: Int[np.ndarray, " shared"]
    """The same among the answers."""
    rest: Int[np.ndarray, " others"]
    """Answers that only the network knows."""
    beyond: tuple[str, ...]
    """Their names."""


@lru_cache
def shared_with(face: LinearFace, names: tuple[str, ...], unknowns: int) -> SharedAnswers:
    """Of a network of these names, and of a fit of so many unknowns."""
    selection = np.zeros((len(names), len(face.names)))
    places = {name: i for i, name in enumerate(face.names)}
    for row, name in enumerate(names):
        if name in places:
            selection[row, places[name]] = 1.0
        elif all(f"{name}{half}" in places for half in _HALVES):
            selection[row, [places[f"{name}{half}"] for half in _HALVES]] = 0.5
    is_read = np.isin(names, BY_EXPRESSION_NETWORK)
    is_known = np.asarray(selection.any(1)) & is_read
    measured = np.zeros((3 + int(is_known.sum()), unknowns))
    measured[:3, :3] = np.eye(3)
    measured[3:, POSE : POSE + len(face.names)] = selection[is_known]
    chosen = np.concatenate([np.arange(3), 3 + np.flatnonzero(is_known)])
    rest = np.flatnonzero(~is_known & is_read)
    return SharedAnswers(
        is_known, selection, measured, chosen, 3 + rest, tuple(names[i] for i in rest)
    )


@lru_cache
def _inflation(face: LinearFace, unknowns: int) -> Float[np.ndarray, "unknowns unknowns"]:
    """Factors on a covariance: landmarks of a face err together."""
    factors = np.ones(unknowns)
    factors[:POSE] = face.pose_inflation
    factors[POSE : POSE + len(face.names)] = face.coefficient_inflation
    return np.outer(factors, factors)
