"""Calibration: the law by which the spread of a heat map becomes calibrated covariances.

A symmetric positive 2x2 matrix M is given by the logarithm of its size, `level` = log sqrt|M|, and
the trace-free rest of its matrix logarithm, `stretch` = (log M - level I) as (xx, xy): direction
and elongation. A law that is linear in these always gives a covariance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

_LEAST = 1e-6
"""Variance added to a spread, square crop sides: one of a single cell has a logarithm too."""
_WIDEST = float(np.log(1 / 12))
"""Level of a uniform distribution over the crop, a square of side 1: the largest covariance."""
_LONGEST = float(np.log(10))
"""Largest stretch: an ellipse ten times as long as wide."""
_LEAST_LOG_ODDS, _LARGEST_LOG_ODDS = -6.0, 8.0
"""Beyond, the confidence says nothing more about the covariance."""

PRESENCE_WEIGHTS = 4
"""Of `Calibration.presence`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadLaw:
    """log R_i = C_i + shape stretch(S_i) + (own l_i + part mean l + face mean l + confidence c) I.

    S_i is the spread in square crop sides, l its level less `usual_level`, the means over the part
    of the face that landmark i belongs to and over the whole face: the landmarks of one face are
    difficult together. A heat map is at least as wide as its training label, so R falls faster
    than S. c is what the network thinks of its landmarks, the log-odds that they are right, less
    `usual_log_odds`: it knows of covered and dark faces what no single map shows.

    Source:
        Log-Euclidean regression: Arsigny et al. 2006, "Log-Euclidean metrics".
    """

    own: float
    part: float
    face: float
    shape: float
    confidence: float = 0.0
    usual_level: float
    """Mean level of the faces it was fitted on."""
    usual_log_odds: float = 0.0
    """Their mean log-odds."""
    usual: tuple[tuple[float, float, float], ...]
    """C_i as its level and stretch: log R at the mean level, in square crop sides."""
    parts: tuple[tuple[int, ...], ...]
    """Landmark indices of each part; every landmark is in one at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Laws fitted on held-out faces, stored in the weight file."""

    eye_corners: tuple[int, int]
    """Landmark indices of the outer eye corners, right and left, of the faces it was fitted on."""
    absolute: SpreadLaw
    """Covariance of the distance to the truth: what is reported."""
    measurement_noise: SpreadLaw
    """Covariance of the change between frames of one face: the Kalman filter's R."""
    error_degrees_of_freedom: float | None = None
    """How heavy the tails of the errors are: those of the Student-t distribution of covariance
    `absolute` that they follow best. None: not measured."""
    presence: tuple[float, ...]
    """Weights of (1, log spread, log peak, log size of the shape) in the log-odds of a face."""


def by_spread_law(
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    law: SpreadLaw,
    crop_side: float = 1.0,
    log_odds: Float[np.ndarray, " faces"] | None = None,
) -> Float[np.ndarray, "faces landmarks xy=2 xy=2"]:
    """Calibrated covariances.

    Args:
        spread: Covariances of the normalised heat maps, about their means.
        law: Of as many landmarks.
        crop_side: Side of the crop in the unit of `spread`, whose square the covariances have too.
        log_odds: That the landmarks are right; None: as usual.
    """
    (covariance,) = by_spread_laws(spread, [law], crop_side, log_odds)
    return covariance


def by_spread_laws(
    spread: Float[np.ndarray, "faces landmarks xy=2 xy=2"],
    laws: Sequence[SpreadLaw],
    crop_side: float = 1.0,
    log_odds: Float[np.ndarray, " faces"] | None = None,
) -> Float[np.ndarray, "laws faces landmarks xy=2 xy=2"]:
    """The same by several laws at once, which takes the logarithm of the spread once."""
    level, stretch = level_and_stretch(spread / crop_side**2)
    odds = None if log_odds is None else clipped_log_odds(log_odds)
    levels, stretches = [], []
    for law in laws:
        usual, neighbours = _tables(law)
        own = usual[:, 0] + (level - law.usual_level) @ neighbours
        if odds is not None and law.confidence:
            own = own + law.confidence * (odds - law.usual_log_odds)[:, None]
        levels.append(own)
        stretches.append(usual[:, 1:] + law.shape * stretch)
    return crop_side**2 * from_level_and_stretch(
        np.minimum(np.array(levels), _WIDEST), np.array(stretches)
    )


def clipped_log_odds(log_odds: Float[np.ndarray, " faces"]) -> Float[np.ndarray, " faces"]:
    """To the range in which they tell something about the errors."""
    return np.clip(log_odds, _LEAST_LOG_ODDS, _LARGEST_LOG_ODDS)


def part_means(
    parts: tuple[tuple[int, ...], ...], landmarks: int
) -> Float[np.ndarray, "landmarks landmarks"]:
    """Weights of each landmark (rows) in the mean over the part of each landmark (columns)."""
    together = np.zeros((landmarks, landmarks))
    for part in parts:
        together[np.ix_(part, part)] = 1
    return together / together.sum(0)


@cache
def _tables(
    law: SpreadLaw,
) -> tuple[Float[np.ndarray, "landmarks 3"], Float[np.ndarray, "landmarks landmarks"]]:
    """`usual`, and the weight of each landmark's level (rows) in each log R (columns)."""
    count = len(law.usual)
    shared = law.part * part_means(law.parts, count) + law.face / count
    return np.asarray(law.usual), law.own * np.eye(count) + shared


def level_and_stretch(
    matrix: Float[np.ndarray, "*batch xy=2 xy=2"],
) -> tuple[Float[np.ndarray, "*batch"], Float[np.ndarray, "*batch part=2"]]:
    """The logarithm of symmetric positive semidefinite matrices, in closed form."""
    xx, yy, xy = matrix[..., 0, 0], matrix[..., 1, 1], matrix[..., 0, 1]
    half = (xx - yy) / 2
    middle, radius = (xx + yy) / 2 + _LEAST, np.hypot(half, xy)
    long, short = np.log(middle + radius), np.log(np.maximum(middle - radius, 1e-3 * _LEAST))
    ratio = (long - short) / 2 / np.maximum(radius, 1e-12)
    stretch = np.empty((*ratio.shape, 2))
    stretch[..., 0], stretch[..., 1] = half * ratio, xy * ratio
    return (long + short) / 2, stretch


def from_level_and_stretch(
    level: Float[np.ndarray, "*batch"], stretch: Float[np.ndarray, "*batch part=2"]
) -> Float[np.ndarray, "*batch xy=2 xy=2"]:
    """The exponential; stretches longer than `_LONGEST` are shortened to it."""
    length = np.maximum(np.hypot(stretch[..., 0], stretch[..., 1]), 1e-9)
    radius, size = np.minimum(length, _LONGEST), np.exp(level)
    # exp(level) (cosh r I + sinh r stretch / |stretch|)
    round_part, long_part = size * np.cosh(radius), size * np.sinh(radius) / length
    half, xy = long_part * stretch[..., 0], long_part * stretch[..., 1]
    matrix = np.empty((*level.shape, 2, 2))
    matrix[..., 0, 0], matrix[..., 1, 1] = round_part + half, round_part - half
    matrix[..., 0, 1] = matrix[..., 1, 0] = xy
    return matrix
