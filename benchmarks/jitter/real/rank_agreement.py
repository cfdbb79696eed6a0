"""Whether two kinds of measuring put the same methods in the same order."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import ConstantInputWarning, kendalltau, spearmanr

_DRAWS = 1_000
_SHARE = 0.95
LEAST_METHODS = 3

Table = dict[str, dict[str, float]]
"""By method, by clip or film: a figure."""
Values = Float[np.ndarray, "methods clips"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Rank correlations over methods, with the intervals of a bootstrap over clips and films."""

    methods: list[str]
    first: list[float]
    """The mean of each."""
    second: list[float]
    spearman: float
    spearman_low: float
    spearman_high: float
    kendall: float
    kendall_low: float
    kendall_high: float
    clips: tuple[int, int]
    """How many stand behind the means of both."""


def agreement(first: Table, second: Table) -> Agreement | None:
    """Compare two tables of the same figure, or of figures that should rank alike.

    Args:
        first: Of virtual clips, for instance.
        second: Of real films; both are the better the smaller they are, or both the larger.

    Returns:
        None where fewer than three methods are in both tables, or a mean says nothing.
    """
    methods = [name for name in first if name in second]
    if len(methods) < LEAST_METHODS:
        return None
    one, other = _filled(first, methods), _filled(second, methods)
    if not one.shape[1] or not other.shape[1]:
        return None
    rng = np.random.default_rng(0)
    drawn = np.array(
        [_ranked(_means(one, _draw(one, rng)), _means(other, _draw(other, rng)))
         for _ in range(_DRAWS)]
    )  # fmt: skip
    means = [_means(values, np.arange(values.shape[1])) for values in (one, other)]
    spearman, kendall = _ranked(*means)
    ends = [(1 - _SHARE) / 2, (1 + _SHARE) / 2]
    known = drawn[np.isfinite(drawn).all(1)]
    if not np.isfinite(spearman) or not len(known):
        return None
    low, high = np.quantile(known, ends, axis=0)
    return Agreement(
        methods, np.round(means[0], 4).tolist(), np.round(means[1], 4).tolist(),
        spearman, float(low[0]), float(high[0]), kendall, float(low[1]), float(high[1]),
        (one.shape[1], other.shape[1]),
    )  # fmt: skip


def _filled(table: Table, methods: Sequence[str]) -> Values:
    """Only clips that all methods have: they are compared on the same ones."""
    clips = [clip for clip in table[methods[0]] if all(clip in table[name] for name in methods)]
    return np.array([[table[name][clip] for clip in clips] for name in methods])


def _draw(values: Values, rng: np.random.Generator) -> np.ndarray:
    count = values.shape[1]
    return np.asarray(rng.integers(count, size=count))


def _means(values: Values, clips: np.ndarray) -> Float[np.ndarray, " methods"]:
    found: np.ndarray = values[:, clips].mean(1)
    return found


def _ranked(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)  # nothing to rank: NaN
        return float(spearmanr(one, other).statistic), float(kendalltau(one, other).statistic)
